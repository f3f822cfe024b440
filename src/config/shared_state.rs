//! `[shared]`: state that several replicas share.

use std::{num::NonZeroU32, time::Duration};

use crate::shared::{OnLoss, RedisUrl, Settings, SharedKey};

use super::{
    ConfigError,
    error::Fault,
    file::{self, Secret},
    reader::Reader,
};

/// Default time that a request waits for one response of the server.
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(25);
/// Longest time that a request waits for one response of the server. A replica that
/// needs longer for its beats would be missing.
const MAX_TIMEOUT: Duration = Duration::from_millis(500);
/// Default first part of every key.
const DEFAULT_PREFIX: &str = "customer-gateway";
/// Longest first part of a key, in characters.
const MAX_PREFIX: usize = 64;

impl Reader<'_> {
    /// Reads the section. All replicas derive the key of the shared state from
    /// `paging.cursor_key`.
    pub(super) fn shared(&self, section: file::Shared, cursor_key: Option<&Secret>) -> Option<Settings> {
        let key = self.keep(self.shared_key(cursor_key));
        let url = self.required("shared", "url", section.url);
        let url = url.and_then(|url| self.keep(self.redis_url("shared.url", &url)));
        let state_url = section.state_url.map(|url| self.keep(self.redis_url("shared.state_url", &url)));
        let prefix = self.keep(self.prefix(section.prefix));
        let timeout = section.timeout.map_or(DEFAULT_TIMEOUT, |it| it.0);
        if timeout > MAX_TIMEOUT {
            let fault = Fault::new("the timeout is above 500 ms, and requests would wait for a lost server")
                .fix("write at most \"500ms\"");
            self.keep::<()>(Err(self.error("shared.timeout", fault)));
        }
        Some(Settings {
            url: url?,
            state_url: state_url.map_or(Some(None), |url| url.map(Some))?,
            prefix: prefix?,
            timeout,
            replicas: section.replicas.unwrap_or(NonZeroU32::MIN),
            on_loss: section.on_loss.map_or(OnLoss::Share, |it| it.0),
            cache: section.cache,
            limits: section.limits,
            leases: section.leases,
            quotas: section.quotas,
            key: key?,
        })
    }

    fn shared_key(&self, cursor_key: Option<&Secret>) -> Result<SharedKey, ConfigError> {
        let Some(cursor_key) = cursor_key else {
            let fault = Fault::new("[shared] requires `paging.cursor_key`").fix(
                "write cursor_key = { env = \"VARIABLE\" } or { file = \"path\" } into [paging], equal for all replicas",
            );
            return Err(self.error("shared", fault));
        };
        self.secret("paging.cursor_key", cursor_key).map(|secret| SharedKey::derive(secret.as_bytes()))
    }

    fn prefix(&self, prefix: Option<String>) -> Result<String, ConfigError> {
        let prefix = prefix.unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        let is_prefix = (1..=MAX_PREFIX).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'));
        if is_prefix {
            return Ok(prefix);
        }
        let fault = Fault::new("invalid prefix").fix(format!(
            "write 1 to {MAX_PREFIX} letters, digits, `-`, `_`, `.` or `:`, such as \"{DEFAULT_PREFIX}\""
        ));
        Err(self.error("shared.prefix", fault))
    }

    fn redis_url(&self, at: &str, secret: &Secret) -> Result<RedisUrl, ConfigError> {
        let text = self.secret(at, secret)?;
        RedisUrl::parse(&text).map_err(|error| {
            let fault = Fault::new(error.to_string()).fix(
                "write redis://host:6379, rediss://user:password@host or redis+sentinel://host:26379,host/service into the variable or file",
            );
            self.error(at, fault)
        })
    }
}
