//! Stored lists that replicas share: one replica walks, and the others read its list.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Unavailable;

/// Time after which the lease of a replica that walks lapses.
pub const LIST_LEASE: Duration = Duration::from_secs(5);

/// Stored list of one resource of an account.
#[async_trait]
pub trait SharedList: Send + Sync + Debug {
    /// Takes or renews the lease of the walks unless another replica has it, and returns
    /// the state of the list. The state has the rows that were purged after `basis`.
    async fn poll(&self, basis: Option<PurgeCount>) -> Result<ListState, Unavailable>;

    /// Leaves a request for the replica that walks.
    async fn request(&self, request: ListRequest) -> Result<(), Unavailable>;

    /// Loads the head of a list that no purge of the account covers.
    async fn load(&self) -> Result<Option<LoadedHead>, Unavailable>;

    /// Loads a block of a head. `None` if the server has lost it.
    async fn load_block(&self, block: Block) -> Result<Option<Vec<u8>>, Unavailable>;

    /// Stores a block. Equal blocks have equal ids.
    async fn store_block(&self, id: [u8; 16], bytes: &[u8], lifetime: Duration) -> Result<Block, Unavailable>;

    /// Sets the remaining lifetime of blocks. Returns the ids of the blocks that the
    /// server has lost.
    async fn keep_blocks(&self, blocks: &[Block], lifetime: Duration) -> Result<Vec<[u8; 16]>, Unavailable>;

    /// Replaces the head, whose blocks are stored. `None` if this replica has lost the
    /// lease, or if a purge covers the list.
    async fn publish(&self, head: Head, rest: &Publication) -> Result<Option<ListVersion>, Unavailable>;
}

/// Number of purges of an account, as the server counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PurgeCount(pub(super) u64);

/// Identity of a published list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListVersion(pub(super) Arc<str>);

/// State of a list on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListState {
    /// True if this replica has the lease.
    pub is_holder: bool,
    /// The published list, unless a purge of the account covers it.
    pub version: Option<ListVersion>,
    /// Number of purges.
    pub purges: PurgeCount,
    /// Rows that were purged after the basis, each with the number of its purge. `None`
    /// without a basis, and if a purge of the account covers the basis.
    pub purged: Option<Vec<(String, PurgeCount)>>,
    /// Requests for this replica, which has the lease.
    pub requests: Vec<ListRequest>,
}

/// Request for the replica that walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListRequest {
    /// A caller requested a walk.
    Walk,
    /// The published list cannot be read.
    Publish,
}

/// Immutable part of a list, by the digest of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Digest of the content.
    pub id: [u8; 16],
    /// Number of values on the server.
    pub(super) parts: u16,
}

/// Head of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Start of the walk that the list rests on, on the clock of the replica that walked.
    pub synced_at: Timestamp,
    /// Everything but the blocks.
    pub manifest: Vec<u8>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// Properties of a published list that the server checks and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Number of purges that the list rests on.
    pub basis: PurgeCount,
    /// Time since the start of the walk.
    pub age: Duration,
    /// Remaining lifetime of the head.
    pub lifetime: Duration,
}

/// Head from the server.
#[derive(Debug)]
pub struct LoadedHead {
    /// The head.
    pub head: Head,
    /// Version of the list.
    pub version: ListVersion,
    /// Time since the start of the walk, when the server answered.
    pub age: Duration,
    /// Number of purges that the list rests on.
    pub basis: PurgeCount,
    /// Rows that were purged after the basis.
    pub purged: Vec<String>,
}
