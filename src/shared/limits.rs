//! Rate limits that the replicas count together.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{OnLoss, Unavailable};

/// One rate limit, counted across replicas. Methods without a result work in the
/// background.
#[async_trait]
pub trait SharedLimit: Send + Sync {
    /// Takes a slot for one call, or a place in the queue of the replicas. A second
    /// request with the same `entry` replaces the first one.
    async fn take(&self, request: &SlotRequest) -> Result<SlotReply, Unavailable>;

    /// Enters sent calls that the server may not know, each with its time since the
    /// send. The limit counts from now on if the server does not know it. Returns the
    /// calls of all replicas in each period.
    async fn restore(&self, calls: &[(u64, Duration)], periods: &[Duration]) -> Result<Restored, Unavailable>;

    /// Applies a response of the vendor to the block of the credential.
    async fn block(&self, event: BlockEvent) -> Result<SharedBlock, Unavailable>;

    /// Leaves the queue of the replicas.
    fn leave(&self);

    /// Gives back the slot of a call that is not sent.
    fn give_back(&self, entry: u64);

    /// Changes the send time of a call. Only a final correction makes it earlier.
    fn correct(&self, entry: u64, at: ServerTime, is_final: bool);

    /// Returns the limit of one caller's share.
    fn share(&self, caller: &str) -> Arc<dyn SharedLimit>;

    /// Returns a receiver of the connection's state: true while it works.
    fn connection(&self) -> watch::Receiver<bool>;

    /// Returns the replicas at the last beat of this replica.
    fn peers(&self) -> Peers;

    /// Returns the use of the limit while the connection is lost.
    fn on_loss(&self) -> OnLoss;

    /// Returns the longest time until the other replicas miss this one.
    fn missed_after(&self) -> Duration;

    /// Returns the longest time that an operation takes.
    fn timeout(&self) -> Duration;

    /// Records that this replica uses its part of the limit, or the shared limit
    /// again.
    fn record_scope(&self, is_part: bool);
}

/// Request for the slot of one call.
#[derive(Debug, Clone)]
pub struct SlotRequest {
    /// Number of the call, unique within this replica and limit.
    pub entry: u64,
    /// Windows of the limit; all apply.
    pub windows: Vec<SlotWindow>,
    /// Time between two calls beyond the period of a window.
    pub margin: Duration,
    /// Time after the slot at which the call may still be sent, beyond the part of
    /// the margin for it.
    pub lateness: Duration,
    /// Time between two calls while not all waiting calls have a free slot.
    pub pace: Duration,
    /// Number of calls that wait.
    pub demand: u32,
    /// True if the calls of all other replicas go first.
    pub is_background: bool,
    /// True if a limit that the server does not know has no free slots.
    pub starts_exhausted: bool,
}

/// Window of a shared limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotWindow {
    /// Maximum number of calls per period.
    pub requests: NonZeroU32,
    /// Length of the period.
    pub per: Duration,
}

/// Response to a request for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotReply {
    /// The slot, or the wait.
    pub slot: Slot,
    /// Calls of other replicas since the last reply.
    pub others: u32,
    /// True if the server has lost the calls before.
    pub is_reset: bool,
    /// Block of the credential.
    pub block: SharedBlock,
}

/// Response to [`SharedLimit::restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// True if the server has lost earlier calls since the last operation.
    pub is_reset: bool,
    /// Calls of all replicas in each period until now.
    pub used: Vec<u32>,
}

/// Slot of a call, or the wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The call is sent after `wait`.
    Granted {
        /// Time until the slot, from the reply on.
        wait: Duration,
        /// Recorded send time, with the lateness of the request.
        at: ServerTime,
    },
    /// The replica requests again after this time.
    Wait(Duration),
}

/// Instant on the server's clock, which no replica compares with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerTime(pub(super) u64);

impl ServerTime {
    /// Returns the instant after a duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

/// Response of the vendor that concerns the block of a credential.
#[derive(Debug, Clone, Copy)]
pub enum BlockEvent {
    /// The vendor's rate limit is exceeded.
    RateLimited {
        /// Time since the call was sent.
        age: Duration,
        /// Time that the vendor named.
        requested: Duration,
        /// Factor of the backoff, at least 1.
        jitter: f64,
    },
    /// The vendor failed and requested a pause.
    Pause {
        /// Length of the pause.
        requested: Duration,
    },
    /// The vendor answered without a rate limit.
    Succeeded {
        /// Time since the call was sent.
        age: Duration,
    },
}

/// Block of a credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedBlock {
    /// Remaining time; zero without a block.
    pub remaining: Duration,
    /// True if the vendor has requested a pause.
    pub is_pause: bool,
    /// Consecutive blocks after a rate limit.
    pub rate_limits: u32,
}

/// Replicas that share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// Number of parts into which a lost replica divides the limit.
    pub parts: u32,
    /// Replicas whose parts the others leave to them.
    pub missing: u32,
    /// Time since the last successful beat was sent, or since the start.
    pub since_beat: Duration,
}

/// Returns whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
