//! Purges that concern the caches of all replicas.

use async_trait::async_trait;

use super::Fingerprint;

/// Purges of all replicas.
#[async_trait]
pub trait SharedPurges: Send + Sync {
    /// Purges pages on the server and announces the purges to the other replicas.
    /// Purges that the server does not accept now are repeated until it does, and no
    /// page is loaded before.
    async fn announce(&self, purges: Vec<Purge>) -> Announced;

    /// Waits at most 1.5 seconds for the other replicas.
    async fn confirmations(&self, announced: Announced) -> Confirmations;

    /// Purges all pages of accounts on the server only.
    async fn forget(&self, accounts: Vec<Fingerprint>);
}

/// Purges of the other replicas, as one replica receives them.
#[async_trait]
pub trait PurgeFeed: Send {
    /// Waits for purges. The purges of the previous call count as applied, and are
    /// confirmed.
    async fn received(&mut self) -> ReceivedPurges;
}

/// Purge of pages of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// The account.
    pub account: Fingerprint,
    /// The purged customer. `None` if all pages are purged.
    pub customer: Option<String>,
}

/// Announced purges.
#[derive(Debug)]
pub struct Announced {
    /// Id of the announcement. `None` if there is none.
    pub(super) id: Option<String>,
}

/// Replicas that have applied a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmations {
    /// Number of known replicas, including this one.
    pub replicas: u32,
    /// Number of replicas that have confirmed the purge, including this one.
    pub confirmed: u32,
}

/// Purges of other replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedPurges {
    /// Purges, in order.
    Purges(Vec<Purge>),
    /// The replica reads the purges from now on. Earlier purges are unknown to it.
    Unknown,
    /// The server has lost purges. Its pages may be purged ones.
    Lost,
}
