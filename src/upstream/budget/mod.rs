//! Rate limit of a credential, shared by all connections with the same secret
//! and host, for the life of the process.

mod flow;
mod forecast;
mod queue;
mod rate_limit;
mod registry;
mod reservation;
mod schedule;
mod send_log;
mod share_limiter;
mod shares;
mod vendor_block;
mod waiters;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::clock::SharedClock;

use super::{CallerShare, SendError};
use queue::Queue;
pub(super) use queue::SendSlot;
pub use rate_limit::{RateLimit, Window};
pub use registry::BudgetRegistry;
pub use reservation::Reservation;
use schedule::{Claim, Schedule};
use send_log::SendLog;
use shares::Shares;
use vendor_block::BlockReason;
pub use waiters::{Waiter, Waiters};

/// Time between two calls beyond the period of a window. Absorbs the jitter
/// between the gateway's send time and the vendor's arrival time.
const MARGIN: Duration = Duration::from_millis(30);

/// Budget of one credential. Clones share the state.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

/// Snapshot of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetState {
    /// Calls that may be sent now.
    pub remaining: u32,
    /// Waiting calls.
    pub waiting: u32,
    /// Time until the vendor accepts the credential again, after a rate limit or
    /// a requested pause.
    pub blocked_for: Option<Duration>,
}

struct Shared {
    queue: Queue,
    shares: Shares,
    max_wait: Mutex<Duration>,
    clock: SharedClock,
}

impl Budget {
    /// Returns a budget with all slots free.
    #[must_use]
    pub fn new(limit: &RateLimit, clock: SharedClock) -> Self {
        let schedule = Schedule::new(SendLog::new(limit.windows.clone(), MARGIN));
        Self(Arc::new(Shared {
            queue: Queue::new(schedule, Arc::clone(&clock)),
            shares: Shares::new(limit.windows.clone(), Arc::clone(&clock)),
            max_wait: Mutex::new(limit.max_wait),
            clock,
        }))
    }

    /// Changes the limit. The calls already sent count for the new limit.
    pub fn set_limit(&self, limit: &RateLimit) {
        *self.0.max_wait.lock() = limit.max_wait;
        self.0.queue.update(|schedule| schedule.log.set_windows(limit.windows.clone()));
        self.0.shares.set_windows(limit.windows.clone());
    }

    /// Returns a snapshot of the budget.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        let now = self.0.clock.elapsed();
        self.0.queue.read(|schedule| {
            let blocked_for = schedule.block.state(now).map(|(remaining, _)| remaining);
            let remaining = if blocked_for.is_some() { 0 } else { schedule.log.remaining(now) };
            BudgetState { remaining, waiting: u32::try_from(schedule.waiting()).unwrap_or(u32::MAX), blocked_for }
        })
    }

    /// Waits until a call for these waiters may be sent.
    pub(super) async fn acquire(&self, waiters: &Waiters) -> Result<SendSlot, SendError> {
        self.0.queue.acquire(waiters).await.map_err(|error| self.with_reason(error))
    }

    /// Charges a call to a caller's share, and waits for at most `max_wait`. The
    /// wait is separate from the budget's queue.
    pub(super) async fn charge(&self, caller: &CallerShare) -> Result<(), SendError> {
        let Some(limiter) = self.0.shares.get_or_create(caller) else { return Ok(()) };
        limiter.admit(self.max_wait()).await.map_err(|retry_after| SendError::ShareSpent { retry_after })
    }

    /// Charges a call to a caller's share without a wait.
    fn charge_now(&self, caller: &CallerShare) -> Result<(), SendError> {
        let Some(limiter) = self.0.shares.get_or_create(caller) else { return Ok(()) };
        limiter.try_take().map_err(|retry_after| SendError::ShareSpent { retry_after })
    }

    /// Blocks the credential after a rate limit, for the longer of the requested
    /// time and an exponential backoff. `sent` is the send time of the call.
    pub(super) fn on_rate_limited(&self, sent: Duration, requested: Option<Duration>) {
        let now = self.0.clock.elapsed();
        self.0.queue.update(|schedule| schedule.block.on_rate_limited(sent, requested, now));
    }

    /// Blocks the credential after a failure for which the vendor requested a
    /// pause (RFC 9110, section 10.2.3).
    pub(super) fn pause(&self, requested: Duration) {
        let now = self.0.clock.elapsed();
        self.0.queue.update(|schedule| schedule.block.pause(requested, now));
    }

    /// Resets the backoff after a response without a rate limit.
    pub(super) fn on_success(&self, sent: Duration) {
        self.0.queue.update(|schedule| schedule.block.on_success(sent));
    }

    /// Returns the maximum time a call waits for a slot.
    pub(super) fn max_wait(&self) -> Duration {
        *self.0.max_wait.lock()
    }

    /// Returns the remaining time of a vendor block, or zero.
    pub(super) fn blocked_for(&self) -> Duration {
        self.state_of_block().map_or(Duration::ZERO, |(remaining, _)| remaining)
    }

    /// Returns whether both handles share one budget.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the calls that a caller's share allows now. `None` if the caller
    /// may use the whole budget.
    pub(super) fn share_remaining(&self, caller: &CallerShare) -> Option<u32> {
        self.0.shares.get_or_create(caller).map(|limiter| limiter.remaining())
    }

    /// Returns the free slots of each configured caller that has made a call.
    pub(super) fn shares_remaining(&self) -> Vec<(Arc<str>, u32)> {
        self.0.shares.remaining()
    }

    fn check(&self, claim: &Claim) -> Result<(), SendError> {
        let now = self.0.clock.elapsed();
        let checked = self.0.queue.read(|schedule| schedule.check(claim, now));
        checked.map(drop).map_err(|retry_after| self.with_reason(SendError::BudgetSpent { retry_after }))
    }

    /// Replaces the reason of a rejection if the vendor has requested a pause.
    fn with_reason(&self, error: SendError) -> SendError {
        match (error, self.state_of_block()) {
            (SendError::BudgetSpent { retry_after }, Some((_, BlockReason::Pause))) => {
                SendError::Paused { retry_after }
            }
            (error, _) => error,
        }
    }

    fn state_of_block(&self) -> Option<(Duration, BlockReason)> {
        let now = self.0.clock.elapsed();
        self.0.queue.read(|schedule| schedule.block.state(now))
    }

    fn share_among(&self, shares: &[CallerShare]) {
        self.0.shares.configure(shares);
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Budget").field(&self.state()).finish()
    }
}
