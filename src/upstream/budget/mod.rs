//! Rate limit of a credential, shared by all connections with the same secret
//! and host, for the life of the process.

mod divided_limit;
mod flow;
mod forecast;
mod patience;
mod queue;
mod rate_limit;
mod registry;
mod remote_calls;
mod remote_load;
mod reservation;
mod schedule;
mod send_log;
mod share_limiter;
mod shared_calls;
mod shared_slots;
mod shares;
mod slot_source;
mod vendor_block;
mod waiters;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::{
    clock::SharedClock,
    shared::{BlockEvent, SharedLimit},
};

use super::{CallerShare, SendError};
use queue::Queue;
pub(super) use queue::SendSlot;
pub use rate_limit::{RateLimit, Window};
pub use registry::BudgetRegistry;
pub use reservation::Reservation;
use schedule::{Claim, Schedule};
use send_log::SendLog;
use shares::Shares;
pub use slot_source::BudgetScope;
use vendor_block::BlockReason;
pub use waiters::{Waiter, Waiters};

/// Time between two calls beyond the period of a window. Absorbs the jitter
/// between the gateway's send time and the vendor's arrival time.
const MARGIN: Duration = Duration::from_millis(30);

/// Attempts to report a block to the other replicas.
const REPORTS: u32 = 3;
/// Pause between two attempts.
const REPORT_PAUSE: Duration = Duration::from_millis(100);

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
    /// Calls that count for the limit.
    pub scope: BudgetScope,
}

struct Shared {
    queue: Queue,
    shares: Shares,
    max_wait: Mutex<Duration>,
    clock: SharedClock,
    /// Limit that the replicas share, if any.
    limit: Option<Arc<dyn SharedLimit>>,
}

impl Budget {
    /// Returns a budget with all slots free.
    #[must_use]
    pub fn new(limit: &RateLimit, clock: SharedClock) -> Self {
        let schedule = Schedule::new(SendLog::new(limit.windows.clone(), MARGIN));
        let queue = Queue::new(schedule, Arc::clone(&clock));
        Self::with_queue(queue, limit, None, clock)
    }

    /// Returns a budget whose slots the replicas share. Must be called within a
    /// runtime.
    #[must_use]
    pub fn shared(limit: &RateLimit, shared: Arc<dyn SharedLimit>, clock: SharedClock) -> Self {
        let schedule = Schedule::new(SendLog::new(limit.windows.clone(), MARGIN));
        let queue = Queue::shared(schedule, Arc::clone(&shared), Arc::clone(&clock));
        Self::with_queue(queue, limit, Some(shared), clock)
    }

    fn with_queue(queue: Queue, rate: &RateLimit, limit: Option<Arc<dyn SharedLimit>>, clock: SharedClock) -> Self {
        let shares = Shares::new(rate.windows.clone(), limit.clone(), Arc::clone(&clock));
        Self(Arc::new(Shared { queue, shares, max_wait: Mutex::new(rate.max_wait), clock, limit }))
    }

    /// Changes the limit. The calls already sent count for the new limit.
    pub fn set_limit(&self, limit: &RateLimit) {
        *self.0.max_wait.lock() = limit.max_wait;
        self.0.queue.set_windows(&limit.windows);
        self.0.shares.set_windows(limit.windows.clone());
    }

    /// Returns a snapshot of the budget.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        let Shared { queue, clock, .. } = &*self.0;
        let (blocked_for, waiting) = (self.state_of_block(), queue.read(Schedule::waiting));
        let blocked_for = blocked_for.map(|(remaining, _)| remaining);
        let remaining = if blocked_for.is_some() { 0 } else { queue.remaining(clock.elapsed()) };
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        BudgetState { remaining, waiting, blocked_for, scope: queue.scope() }
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
    async fn charge_now(&self, caller: &CallerShare) -> Result<(), SendError> {
        let Some(limiter) = self.0.shares.get_or_create(caller) else { return Ok(()) };
        limiter.try_take().await.map_err(|retry_after| SendError::ShareSpent { retry_after })
    }

    /// Blocks the credential after a rate limit, for the longer of the requested
    /// time and an exponential backoff. `sent` is the send time of the call.
    pub(super) fn on_rate_limited(&self, sent: Duration, requested: Option<Duration>) {
        let now = self.0.clock.elapsed();
        self.0.queue.update(|schedule| schedule.block.on_rate_limited(sent, requested, now));
        let (age, jitter) = (now.saturating_sub(sent), 1.0 + fastrand::f64() / 2.0);
        self.report(BlockEvent::RateLimited { age, requested: requested.unwrap_or_default(), jitter });
    }

    /// Blocks the credential after a failure for which the vendor requested a
    /// pause (RFC 9110, section 10.2.3).
    pub(super) fn pause(&self, requested: Duration) {
        let now = self.0.clock.elapsed();
        self.0.queue.update(|schedule| schedule.block.pause(requested, now));
        self.report(BlockEvent::Pause { requested });
    }

    /// Resets the backoff after a response without a rate limit.
    pub(super) fn on_success(&self, sent: Duration) {
        let has_backoff = self.0.queue.update(|schedule| {
            let has_backoff = schedule.block.has_backoff();
            schedule.block.on_success(sent);
            has_backoff
        });
        if has_backoff {
            self.report(BlockEvent::Succeeded { age: self.0.clock.elapsed().saturating_sub(sent) });
        }
    }

    /// Applies a response of the vendor to the block that the replicas share, in the
    /// background.
    fn report(&self, event: BlockEvent) {
        let Some(limit) = self.0.limit.clone() else { return };
        let (queue, clock) = (self.0.queue.clone(), Arc::clone(&self.0.clock));
        tokio::spawn(async move {
            for _ in 0..REPORTS {
                if let Ok(block) = limit.block(event).await {
                    return queue.update(|schedule| schedule.block.adopt(&block, clock.elapsed()));
                }
                clock.sleep(REPORT_PAUSE).await;
            }
            // Without the server, the block is this replica's.
        });
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
