//! Settings of the shared state, and the URL of its server.

use std::{fmt, num::NonZeroU32, time::Duration};

use super::{SharedKey, redis::Address};
use secrecy::{ExposeSecret, SecretString};

/// Settings of the shared state.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each shared part has a switch")]
pub struct Settings {
    /// Server of the pages, leases, purges and values, and of all other state without
    /// `state_url`.
    pub url: RedisUrl,
    /// Server of the limits, quotas and beats.
    pub state_url: Option<RedisUrl>,
    /// First part of every key.
    pub prefix: String,
    /// Longest time that a request waits for one response of the server.
    pub timeout: Duration,
    /// Minimum number of replicas among which a limit is divided without the server.
    pub replicas: NonZeroU32,
    /// Use of the rate limits without the server.
    pub on_loss: OnLoss,
    /// True if pages are shared.
    pub cache: bool,
    /// True if rate limits are counted across replicas.
    pub limits: bool,
    /// True if one replica at a time fetches a page.
    pub leases: bool,
    /// True if the quotas of callers are counted across replicas.
    pub quotas: bool,
    /// Secret that all replicas have in common.
    pub key: SharedKey,
}

/// Use of a rate limit while the server is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLoss {
    /// Each replica uses an equal part of the limit.
    Share,
    /// Vendor calls are rejected.
    Reject,
}

/// URL of a Redis or Valkey server, which may contain a password:
/// `redis://`, `rediss://`, `valkey://`, `valkeys://`, `redis+sentinel://` or
/// `rediss+sentinel://`.
#[derive(Clone)]
pub struct RedisUrl(SecretString);

/// Text that is not the URL of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL of the Redis server is invalid")]
pub struct InvalidUrl;

impl RedisUrl {
    /// Validates a URL.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let url = Self(text.to_owned().into());
        Address::parse(&url).map(|_| url)
    }

    /// Returns the text, which may contain a password.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// Prints no part of the URL.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl([redacted])")
    }
}
