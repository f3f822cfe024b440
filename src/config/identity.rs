//! `[identity]`: the provider whose tokens identify callers.

use std::{path::Path, time::Duration};

use url::Url;

use crate::{
    files::FileRead,
    http_client,
    identity::{Jwks, KeySet, Settings},
};

use super::{ConfigError, error::Fault, file, reader::Reader};

/// Minimum refresh interval of the provider's keys.
const MIN_REFRESH: Duration = Duration::from_secs(30);

impl Reader<'_> {
    /// Rejects claims in a configuration without an identity provider. `with_claims` is
    /// the index of the first caller with claims.
    pub(super) fn check_claims(&self, with_claims: Option<usize>) {
        if let Some(index) = with_claims {
            let fault = Fault::new("`claims` requires an identity provider")
                .fix("add an [identity] section, or give the caller a key");
            self.keep::<()>(Err(self.error(&format!("callers.{index}.claims"), fault)));
        }
    }

    /// Reads the identity provider. `with_claims` is the index of the first caller with
    /// claims. Returns `None` after an error.
    pub(super) fn identity(&self, section: file::Identity, with_claims: Option<usize>) -> Option<Settings> {
        if with_claims.is_none() {
            let fault = Fault::new("no caller has claims, so every token would be rejected")
                .fix("write claims = { … } in a [[callers]] section, or remove this section");
            self.keep::<()>(Err(self.error("identity", fault)));
        }
        let text = |key: &str, value: Option<String>| {
            let value = self.required("identity", key, value)?;
            if value.is_empty() {
                let fault = Fault::new(format!("`{key}` must not be empty"))
                    .fix("write the exact value from the provider's tokens");
                return self.keep(Err(self.error(&format!("identity.{key}"), fault)));
            }
            Some(value)
        };
        let (issuer, audience) = (text("issuer", section.issuer), text("audience", section.audience));
        let refresh = section.refresh.map_or(Settings::DEFAULT_REFRESH, |it| it.0);
        if refresh < MIN_REFRESH {
            let fault = Fault::new("the refresh interval is too short").fix("write \"30s\" or longer");
            self.keep::<()>(Err(self.error("identity.refresh", fault)));
        }
        let jwks = self.required("identity", "jwks", section.jwks).and_then(|jwks| {
            self.keep(match &jwks {
                file::Jwks::Url(url) => self.jwks_url(url),
                file::Jwks::File(path) => self.jwks_file(path),
            })
        });
        Some(Settings { issuer: issuer?, audience: audience?, jwks: jwks?, refresh })
    }

    fn jwks_url(&self, url: &str) -> Result<Jwks, ConfigError> {
        let is_allowed = |url: &Url| {
            let is_encrypted = url.scheme() == "https" || (url.scheme() == "http" && http_client::is_loopback(url));
            is_encrypted && url.has_host() && url.username().is_empty() && url.password().is_none()
        };
        Url::parse(url).ok().filter(is_allowed).map(Jwks::Url).ok_or_else(|| {
            let fault = Fault::new("invalid JWKS URL")
                .fix("write an https URL without user, such as \"https://login.example.com/.well-known/jwks.json\"");
            self.error("identity.jwks.url", fault)
        })
    }

    fn jwks_file(&self, path: &Path) -> Result<Jwks, ConfigError> {
        let FileRead { path, contents } = self.read_file(path);
        let error = |failure: &str| {
            let fault = Fault::new(format!("the file {} {failure}", path.display()))
                .fix("write the path of the provider's JSON Web Key Set");
            self.error("identity.jwks.file", fault)
        };
        let document = contents.map_err(|cause| error(&format!("cannot be read: {cause}")))?;
        let keys = KeySet::parse(&document).map_err(|cause| error(&format!("is {cause}")))?;
        if keys.is_empty() {
            return Err(error("contains no key that can verify a token"));
        }
        Ok(Jwks::File { path, keys })
    }
}
