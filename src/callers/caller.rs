//! Configured callers and their keys.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    domain::{connection::ConnectionName, field_policy::FieldPolicy},
    identity::Claims,
    upstream::{CallerShare, Share},
};

use super::Quota;

/// An app that may send requests.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Name, also in logs and metrics.
    pub name: Arc<str>,
    /// Keys; two during a rotation.
    pub keys: Vec<CallerKey>,
    /// Token claims that identify the caller; empty if tokens are not used.
    pub claims: Claims,
    /// Connections that the caller may use.
    pub connections: BTreeSet<ConnectionName>,
    /// Fields that the caller may not see.
    pub fields: FieldPolicy,
    /// Permission to request the vendors' own objects. Not effective if a field
    /// is hidden.
    pub may_see_raw: bool,
    /// Permission to purge cached pages of its connections.
    pub may_purge: bool,
    /// Request quota; unlimited if absent.
    pub quota: Option<Quota>,
    /// Share of each credential's rate limit; the whole limit if absent.
    pub share: Option<Share>,
}

/// A caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerKey {
    /// BLAKE3 digest of the key. The key cannot be derived from it.
    pub digest: blake3::Hash,
    /// Time from which the key is rejected.
    pub expires: Option<jiff::Timestamp>,
}

impl Caller {
    /// Returns the caller as vendor budgets identify it.
    #[must_use]
    pub fn caller_share(&self) -> CallerShare {
        CallerShare { name: Arc::clone(&self.name), share: self.share }
    }
}

impl CallerKey {
    /// Creates a key that does not expire.
    #[must_use]
    pub fn permanent(digest: blake3::Hash) -> Self {
        Self { digest, expires: None }
    }
}
