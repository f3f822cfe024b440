//! Rate limit of a credential, shared by all connections with the same secret
//! and host.

mod limiter;
mod registry;
mod shares;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::{clock::SharedClock, domain::priority::Priority, rate::Rate};

use super::{CallerShare, SendError};
use limiter::{Block, Limiter};
pub use registry::BudgetRegistry;
use shares::Shares;

/// Shortest block after a rate limit: the first one without a named time.
const MIN_BLOCK: Duration = Duration::from_secs(1);

/// Vendor's rate limit: at most `requests` in any window of length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Maximum number of requests per window.
    pub requests: NonZeroU32,
    /// Length of the window.
    pub per: Duration,
    /// Maximum time a call waits for a slot.
    pub max_wait: Duration,
}

/// Budget of one credential. Clones share the state.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

/// Snapshot of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetState {
    /// Free slots.
    pub remaining: u32,
    /// Waiting calls.
    pub waiting: u32,
    /// Time until the vendor accepts the credential again, after a rate limit or
    /// a requested pause.
    pub blocked_for: Option<Duration>,
}

struct Shared {
    limiter: Limiter,
    shares: Shares,
    /// Consecutive responses with a rate limit.
    rejections: AtomicU32,
    max_wait: Duration,
}

impl RateLimit {
    /// Returns the rate that keeps the limit in every window.
    ///
    /// GCRA admits up to `burst + rate × per` calls in a window. A tenth of the
    /// limit is the burst, and four fifths are spread over the window. The last
    /// tenth absorbs differences in latency: a call that must connect first
    /// arrives later than the calls after it.
    fn rate(self) -> Rate {
        let requests = self.requests.get();
        let burst = NonZeroU32::new(requests / 10).unwrap_or(NonZeroU32::MIN);
        let spread = u32::try_from(u64::from(requests) * 4 / 5).unwrap_or(requests).max(1);
        Rate::new(burst, self.per / spread)
    }
}

impl Budget {
    /// Returns a budget with all slots free.
    #[must_use]
    pub fn new(limit: RateLimit, clock: SharedClock) -> Self {
        let rate = limit.rate();
        Self(Arc::new(Shared {
            limiter: Limiter::new(rate, Arc::clone(&clock)),
            shares: Shares::new(rate, clock),
            rejections: AtomicU32::new(0),
            max_wait: limit.max_wait,
        }))
    }

    /// Returns a snapshot of the budget.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        let limiter = &self.0.limiter;
        BudgetState { remaining: limiter.remaining(), waiting: limiter.waiting(), blocked_for: limiter.blocked_for() }
    }

    /// Waits for a slot, for at most `remaining` and the configured `max_wait`.
    pub(super) async fn admit(&self, priority: Priority, remaining: Duration) -> Result<(), SendError> {
        let max_wait = remaining.min(self.max_wait_for(priority));
        let admitted = self.0.limiter.admit(max_wait).await;
        admitted.map_err(|retry_after| self.rejection(retry_after))
    }

    /// Charges a call to a caller's share, and waits for at most `max_wait`. The
    /// wait is separate from the budget's queue. A call that the budget would
    /// reject is not charged.
    pub(super) async fn charge(&self, caller: &CallerShare, priority: Priority) -> Result<(), SendError> {
        let max_wait = self.max_wait_for(priority);
        let queue = self.0.limiter.queue();
        if queue > max_wait {
            return Err(self.rejection(queue));
        }
        let charged = self.0.shares.get_or_create(caller).admit(max_wait).await;
        charged.map_err(|retry_after| SendError::ShareSpent { retry_after })
    }

    /// Blocks the credential after a rate limit: for the requested time, or with
    /// exponential backoff if the vendor names no time. The block is never
    /// shorter than [`MIN_BLOCK`].
    pub(super) fn on_rejected(&self, requested: Option<Duration>) {
        let earlier = self.0.rejections.fetch_add(1, Ordering::Relaxed);
        let wait = requested.unwrap_or_else(|| {
            let doubled = MIN_BLOCK * 2_u32.saturating_pow(earlier.min(5));
            // Jitter of up to 50% keeps replicas from retrying in step.
            doubled.mul_f64(1.0 + fastrand::f64() / 2.0)
        });
        self.0.limiter.block(wait.max(MIN_BLOCK), Block::RateLimit);
    }

    /// Blocks the credential after a failure for which the vendor requested a
    /// pause (RFC 9110, section 10.2.3).
    pub(super) fn pause(&self, requested: Duration) {
        self.0.limiter.block(requested, Block::Pause);
    }

    /// Copies the block of another budget for the same credential.
    fn inherit_block(&self, other: &Self) {
        if let Some((remaining, block)) = other.0.limiter.block_state() {
            self.0.limiter.block(remaining, block);
        }
    }

    /// Resets the backoff after a response without a rate limit.
    pub(super) fn on_success(&self) {
        self.0.rejections.store(0, Ordering::Relaxed);
    }

    /// Returns the maximum time a call waits for a slot.
    pub(super) fn max_wait(&self) -> Duration {
        self.0.max_wait
    }

    /// Returns the time until a slot is free, without the queue.
    pub(super) fn next_slot(&self) -> Duration {
        self.0.limiter.next_slot()
    }

    /// Returns the remaining time of a vendor block, or zero.
    pub(super) fn blocked_for(&self) -> Duration {
        self.0.limiter.blocked_for().unwrap_or_default()
    }

    /// Returns whether both handles share one budget.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the free slots of a caller's share.
    pub(super) fn share_remaining(&self, caller: &CallerShare) -> u32 {
        self.0.shares.get_or_create(caller).remaining()
    }

    /// Returns the free slots of each configured caller that has made a call.
    pub(super) fn shares_remaining(&self) -> Vec<(Arc<str>, u32)> {
        self.0.shares.remaining()
    }

    fn rejection(&self, retry_after: Duration) -> SendError {
        match self.0.limiter.block_state() {
            Some((_, Block::Pause)) => SendError::Paused { retry_after },
            _ => SendError::BudgetSpent { retry_after },
        }
    }

    fn share_among(&self, shares: &[CallerShare]) {
        self.0.shares.configure(shares);
    }

    fn max_wait_for(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Caller => self.0.max_wait,
            Priority::Background => Duration::ZERO,
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Budget").field(&self.state()).finish()
    }
}
