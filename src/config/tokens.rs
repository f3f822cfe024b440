//! The identity provider's section, and the claims that callers are known by.

use std::{collections::BTreeMap, path::Path, time::Duration};

use url::Url;

use crate::{
    callers::Caller,
    http_client,
    identity::{Claims, Jwks, KeySet, Settings},
};

use super::{ConfigError, Fault, file, read::Reader};

/// Keys are not read more often, whatever asks for it.
const SHORTEST_REFRESH: Duration = Duration::from_secs(30);

impl Reader<'_> {
    pub(super) fn identity(
        &self,
        file: Option<file::Identity>,
        callers: &[Caller],
    ) -> Result<Option<Settings>, ConfigError> {
        let claiming = callers.iter().position(|caller| !caller.claims.is_empty());
        let (file, claiming) = match (file, claiming) {
            (None, None) => return Ok(None),
            (Some(file), claiming) => (file, claiming),
            (None, Some(index)) => {
                let fault = Fault::new("there is no identity provider whose tokens could have these claims")
                    .fix("add an [identity] section, or give the caller a key");
                return Err(self.locator.fault(&format!("callers.{index}.claims"), fault));
            }
        };
        if claiming.is_none() {
            let fault = Fault::new("no caller has claims, so that no token would be anybody's")
                .fix("write claims = { … } in a [[callers]] section, or leave this section out");
            return Err(self.locator.fault("identity", fault));
        }
        for (key, value) in [("issuer", &file.issuer), ("audience", &file.audience)] {
            if value.is_empty() {
                let fault =
                    Fault::new(format!("`{key}` is empty")).fix("write it as it stands in the provider's tokens");
                return Err(self.locator.fault(&format!("identity.{key}"), fault));
            }
        }
        let refresh = file.refresh.map_or(Settings::DEFAULT_REFRESH, |it| it.0);
        if refresh < SHORTEST_REFRESH {
            let fault = Fault::new("this is too often").fix("write \"30s\" or longer");
            return Err(self.locator.fault("identity.refresh", fault));
        }
        let jwks = match &file.jwks {
            file::Jwks::Url(url) => self.jwks_url(url)?,
            file::Jwks::File(path) => self.jwks_file(path)?,
        };
        Ok(Some(Settings { issuer: file.issuer, audience: file.audience, jwks, refresh }))
    }

    /// A caller's claims, beside those of the callers above it.
    pub(super) fn claims(
        &self,
        at: &str,
        claims: Option<BTreeMap<String, String>>,
        above: &[Caller],
    ) -> Result<Claims, ConfigError> {
        let Some(claims) = claims.map(Claims::new) else { return Ok(Claims::default()) };
        let refuse = |fault: Fault| Err(self.locator.fault(&format!("{at}.claims"), fault));
        if claims.is_empty() {
            return refuse(
                Fault::new("without claims every token would be this caller's").fix("write claims = { azp = \"…\" }"),
            );
        }
        match above.iter().find(|other| !other.claims.is_empty() && other.claims.are_among(&claims)) {
            None => Ok(claims),
            Some(other) => refuse(
                Fault::new(format!("every token with these claims is taken for `{}`, which stands above", other.name))
                    .fix("write claims that tell the two apart, or put this section above the other"),
            ),
        }
    }

    fn jwks_url(&self, url: &str) -> Result<Jwks, ConfigError> {
        let is_safe = |url: &Url| {
            let is_encrypted = url.scheme() == "https" || (url.scheme() == "http" && http_client::is_loopback(url));
            is_encrypted && url.has_host() && url.username().is_empty() && url.password().is_none()
        };
        Url::parse(url).ok().filter(is_safe).map(Jwks::Url).ok_or_else(|| {
            let fault = Fault::new("this is not an https URL")
                .fix("write one without a user, such as \"https://login.example.com/.well-known/jwks.json\"");
            self.locator.fault("identity.jwks.url", fault)
        })
    }

    fn jwks_file(&self, path: &Path) -> Result<Jwks, ConfigError> {
        let path = self.file(path);
        let refuse = |what: String| {
            let fault = Fault::new(what).fix("write the path of the provider's JSON Web Key Set");
            self.locator.fault("identity.jwks.file", fault)
        };
        let named = format!("the file {}", path.display());
        let document = std::fs::read(&path).map_err(|error| refuse(format!("{named} cannot be read: {error}")))?;
        let keys = KeySet::parse(&document).map_err(|error| refuse(format!("{named}: {error}")))?;
        if keys.is_empty() {
            return Err(refuse(format!("{named} has no key that a token can be verified with")));
        }
        Ok(Jwks::File { path, keys })
    }
}
