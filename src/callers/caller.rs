//! Configured callers and their keys.

use std::sync::Arc;

use crate::{
    domain::connection::ConnectionName,
    identity::Claims,
    upstream::{CallerShare, Share},
};

use super::Quota;

/// An app that may send requests.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its name, in logs and metrics too.
    pub name: Arc<str>,
    /// Its keys; two of them during a rotation.
    pub keys: Vec<CallerKey>,
    /// Token claims that identify the caller; empty if it has none.
    pub claims: Claims,
    /// Connections that it may use.
    pub connections: Vec<ConnectionName>,
    /// Whether it may request the vendors' own objects.
    pub may_see_raw: bool,
    /// Whether it may purge cached pages of its connections.
    pub may_purge: bool,
    /// Its request quota; unlimited if absent.
    pub quota: Option<Quota>,
    /// Its share of each credential's rate limit; all of it if absent.
    pub share: Option<Share>,
}

/// A caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerKey {
    /// BLAKE3 digest of the key. The key cannot be derived from it.
    pub digest: blake3::Hash,
    /// Expiry; the key is unknown from then on.
    pub expires: Option<jiff::Timestamp>,
}

impl Caller {
    /// Returns the share that its vendor calls are charged to, if any.
    #[must_use]
    pub fn caller_share(&self) -> Option<CallerShare> {
        self.share.map(|share| CallerShare { name: Arc::clone(&self.name), share })
    }
}

impl CallerKey {
    /// Creates a key that does not expire.
    #[must_use]
    pub fn permanent(digest: blake3::Hash) -> Self {
        Self { digest, expires: None }
    }
}
