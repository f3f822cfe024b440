//! `[[callers]]`: apps that may send requests.

use std::collections::BTreeMap;

use crate::{
    callers::{Caller, CallerKey, Quota},
    domain::{
        connection::ConnectionName,
        field_policy::{FieldPolicy, FieldPolicyError},
        projection::RAW,
    },
    identity::Claims,
    telemetry::request::NONE,
};

use super::{ConfigError, error::Fault, file, reader::Reader};

impl Reader<'_> {
    /// Reads the callers. `connections` are the names of all connections.
    pub(super) fn callers(&self, sections: Vec<file::Caller>, connections: &[ConnectionName]) -> Vec<Caller> {
        let mut callers = Vec::with_capacity(sections.len());
        for (index, section) in sections.into_iter().enumerate() {
            let caller = self.caller(&format!("callers.{index}"), section, connections, &callers);
            callers.extend(caller);
        }
        callers
    }

    /// Reads a caller. `previous` are the callers that precede it in the file.
    fn caller(
        &self,
        at: &str,
        section: file::Caller,
        connections: &[ConnectionName],
        previous: &[Caller],
    ) -> Option<Caller> {
        let name = self.required(at, "name", section.name.clone());
        let name = name.filter(|name| self.keep(self.check_name(at, name, previous)).is_some());
        let connection_names = self.required(at, "connections", section.connections.clone());
        let allowed =
            connection_names.filter(|names| self.keep(self.check_connections(at, names, connections)).is_some());
        let keys = self.keep(self.keys(at, &section, previous));
        let claims = self.keep(self.claims(at, section.claims, previous));
        let fields = self.keep(self.fields(at, &section.fields));
        let (keys, claims) = (keys?, claims?);
        if keys.is_empty() && claims.is_empty() {
            let fault = Fault::new("the caller has neither a key nor claims").fix(
                "write key_digest = \"blake3:…\", keys = [{ digest = \"blake3:…\", expires = \"…\" }], or claims = { … }",
            );
            return self.keep(Err(self.error(at, fault)));
        }
        Some(Caller {
            name: name?,
            keys,
            claims,
            connections: allowed?.into_iter().collect(),
            fields: fields?,
            may_see_raw: section.may_see_raw.unwrap_or(true),
            may_purge: section.may_purge,
            quota: section.quota.map(|quota| Quota { requests: quota.requests, per: quota.per.0 }),
            share: section.share.map(|it| it.0),
        })
    }

    fn check_name(&self, at: &str, name: &str, previous: &[Caller]) -> Result<(), ConfigError> {
        let fault = if name.is_empty() || name == NONE {
            Fault::new(format!("invalid caller name `{name}`"))
                .fix("write another name; in logs and metrics, `-` marks requests without a known caller")
        } else if previous.iter().any(|other| *other.name == *name) {
            Fault::new(format!("duplicate caller name `{name}`"))
                .fix("give each caller a unique name; list several keys of one caller in `keys`")
        } else {
            return Ok(());
        };
        Err(self.error(&format!("{at}.name"), fault))
    }

    fn check_connections(
        &self,
        at: &str,
        names: &[ConnectionName],
        connections: &[ConnectionName],
    ) -> Result<(), ConfigError> {
        let unknown = names.iter().find(|name| !connections.contains(name));
        let fault = match unknown {
            Some(unknown) => Fault::new(format!("unknown connection `{unknown}`")),
            None if names.is_empty() => Fault::new("`connections` must not be empty"),
            None => return Ok(()),
        };
        Err(self.error(&format!("{at}.connections"), fault.fix("list names of [[connections]] sections")))
    }

    fn fields(&self, at: &str, section: &file::CallerFields) -> Result<FieldPolicy, ConfigError> {
        let mut policy = FieldPolicy::default();
        for (index, selector) in section.deny.iter().enumerate() {
            let hidden = policy.deny(selector);
            hidden.map_err(|error| self.field_error(&format!("{at}.fields.deny.{index}"), selector, error))?;
        }
        for (index, selector) in section.mask.iter().enumerate() {
            let hidden = policy.mask(selector);
            hidden.map_err(|error| self.field_error(&format!("{at}.fields.mask.{index}"), selector, error))?;
        }
        Ok(policy)
    }

    fn field_error(&self, at: &str, selector: &str, error: FieldPolicyError) -> ConfigError {
        let remedy = match error {
            FieldPolicyError::Unknown if selector == RAW => {
                "write may_see_raw = false to deny the vendors' own objects"
            }
            FieldPolicyError::Unknown => "write a field of the API, such as \"email\", or an object, such as \"tax.*\"",
            FieldPolicyError::Exposed(_) => "remove the field",
            FieldPolicyError::NotText(_) => "deny the field instead, or list only text fields",
        };
        self.error(at, Fault::new(error.to_string()).fix(remedy))
    }

    fn keys(&self, at: &str, section: &file::Caller, previous: &[Caller]) -> Result<Vec<CallerKey>, ConfigError> {
        let mut keys = Vec::new();
        if let Some(digest) = &section.key_digest {
            keys.push(CallerKey::permanent(self.digest(&format!("{at}.key_digest"), digest)?));
        }
        for (index, key) in section.keys.iter().enumerate() {
            let digest = self.digest(&format!("{at}.keys.{index}.digest"), &key.digest)?;
            keys.push(CallerKey { digest, expires: key.expires.map(|it| it.0) });
        }
        let is_taken = |key: &CallerKey| previous.iter().flat_map(|it| &it.keys).any(|it| it.digest == key.digest);
        if keys.iter().any(is_taken) {
            let fault = Fault::new("another caller has the same key").fix("generate separate keys for each caller");
            return Err(self.error(at, fault));
        }
        Ok(keys)
    }

    fn digest(&self, at: &str, text: &str) -> Result<blake3::Hash, ConfigError> {
        let digest = text.strip_prefix("blake3:").and_then(|hex| blake3::Hash::from_hex(hex).ok());
        digest.ok_or_else(|| {
            let fault = Fault::new("invalid key digest")
                .fix("write \"blake3:\" and 64 hexadecimal digits, as printed by `customer-gateway key`");
            self.error(at, fault)
        })
    }

    /// Reads the claims of a caller. Rejects claims that a preceding caller always matches first.
    fn claims(
        &self,
        at: &str,
        section: Option<BTreeMap<String, String>>,
        previous: &[Caller],
    ) -> Result<Claims, ConfigError> {
        let Some(claims) = section.map(Claims::new) else { return Ok(Claims::default()) };
        let shadowing = previous.iter().find(|other| !other.claims.is_empty() && other.claims.is_subset(&claims));
        let fault = if claims.is_empty() {
            Fault::new("`claims` must not be empty, because every token would match")
                .fix("write claims = { azp = \"…\" }")
        } else if let Some(other) = shadowing {
            Fault::new(format!("every token with these claims matches the earlier caller `{}`", other.name))
                .fix("write claims that distinguish the callers, or move this section before the other")
        } else {
            return Ok(claims);
        };
        Err(self.error(&format!("{at}.claims"), fault))
    }
}
