//! State that several replicas of the gateway share, on Redis or Valkey.
//!
//! The layers above know the traits of this module. Only `redis/` knows the
//! server. Without `[shared]`, a process keeps all state to itself, and no code of
//! this module runs. `docs/REPLICAS.md` describes the design for operators.

mod fingerprint;
mod key;
mod limits;
mod lists;
mod pages;
mod probe;
mod purges;
mod quotas;
mod redis;
mod seal;
mod settings;
mod unavailable;
mod values;

pub use fingerprint::Fingerprint;
pub use key::SharedKey;
use limits::micros;
pub use limits::{
    BlockEvent, Peers, Restored, ServerTime, SharedBlock, SharedLimit, Slot, SlotReply, SlotRequest, SlotWindow,
};
pub use lists::{
    Block, Head, LIST_LEASE, ListRequest, ListState, ListVersion, LoadedHead, Publication, PurgeCount, SharedList,
};
pub use pages::{
    Begun, Claim, FetchState, FetchedPage, Lease, LoadedPage, PageName, REFRESH_PATIENCE, SharedFetch, SharedPages,
    StoredPage, Version,
};
pub use probe::ProbeLease;
pub use purges::{Announced, Confirmations, Purge, PurgeFeed, ReceivedPurges, SharedPurges};
pub use quotas::{QuotaReport, Quotas};
pub use redis::{ServerFault, ServerReport, ServerState, Shared, SharedError, check};
pub use seal::Seal;
pub use settings::{InvalidUrl, OnLoss, RedisUrl, Settings};
pub use unavailable::Unavailable;
pub use values::{VALUE_LIFETIME, ValueKind, Values};
