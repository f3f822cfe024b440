//! State that several replicas of the gateway share, on Redis or Valkey.
//!
//! The layers above know the traits of this module. Only `redis/` knows the
//! server. Without `[shared]`, a process keeps all state to itself, and no code of
//! this module runs. `docs/REPLICAS.md` describes the design for operators.

mod fingerprint;
mod key;
mod limits;
mod probe;
mod redis;
mod settings;
mod unavailable;

pub use fingerprint::Fingerprint;
pub use key::SharedKey;
pub use limits::{BlockEvent, Peers, ServerTime, SharedBlock, SharedLimit, Slot, SlotReply, SlotRequest, SlotWindow};
pub use probe::ProbeLease;
pub use redis::{Shared, SharedError};
pub use settings::{InvalidUrl, OnLoss, RedisUrl, Settings};
pub use unavailable::Unavailable;
