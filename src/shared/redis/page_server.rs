//! State that the pages of all accounts have in common.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use ::redis::Script;

use crate::shared::{Fingerprint, Seal, SharedKey, Unavailable};

use super::{announcements::Announcements, link::Link, metrics::PageMetrics};

/// State that the pages of all accounts have in common.
pub(super) struct PageServer {
    pub(super) link: Link,
    pub(super) announcements: Announcements,
    pub(super) prefix: String,
    pub(super) key: SharedKey,
    /// Identity of this process.
    pub(super) id: Arc<str>,
    pub(super) metrics: PageMetrics,
    /// False while purges may be missing on the server.
    pub(super) is_current: Arc<AtomicBool>,
    /// Number of leases that this process has claimed.
    pub(super) claims: AtomicU64,
    pub(super) seal: Seal,
    pub(super) load: Script,
    pub(super) begin: Script,
    pub(super) store: Script,
    pub(super) release: Script,
    pub(super) renew: Script,
}

impl PageServer {
    pub(super) fn new(
        link: Link,
        announcements: Announcements,
        prefix: String,
        key: SharedKey,
        id: Arc<str>,
        metrics: PageMetrics,
    ) -> Self {
        Self {
            link,
            announcements,
            prefix,
            id,
            metrics,
            is_current: Arc::default(),
            claims: AtomicU64::new(0),
            seal: Seal::new(&key, "customer-gateway 2026-11 shared pages"),
            key,
            load: Script::new(include_str!("load.lua")),
            begin: Script::new(include_str!("begin.lua")),
            store: Script::new(include_str!("store.lua")),
            release: Script::new(include_str!("release.lua")),
            renew: Script::new(include_str!("renew.lua")),
        }
    }

    /// Returns the key of one kind of value of an account.
    pub(super) fn account_key(&self, account: Fingerprint, kind: &str) -> String {
        format!("{}:v1:{{{account}}}:{kind}", self.prefix)
    }

    /// Seals the id of a purged customer for the key of an account's purges.
    pub(super) fn seal_customer(&self, key: &str, id: &str) -> Vec<u8> {
        self.seal.seal(key, id.as_bytes())
    }

    /// Fails while purges may be missing on the server.
    pub(super) fn check(&self) -> Result<(), Unavailable> {
        if self.is_current.load(Relaxed) { Ok(()) } else { Err(Unavailable::Lost) }
    }
}
