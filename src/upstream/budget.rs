//! How often a credential may call: GCRA, shared by all connections that hold
//! the same secret for the same host, first come first served.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use parking_lot::Mutex;

use crate::clock::{SharedClock, Ticks};

use super::{Credential, SendError};

/// How long the first 429 that names no time stops a credential.
const UNNAMED_STOP: Duration = Duration::from_secs(1);
/// The longest that one 429 stops a credential, whatever it says.
const LONGEST_STOP: Duration = Duration::from_hours(1);

/// A vendor's limit: so many requests in any period of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests.
    pub requests: NonZeroU32,
    /// In how long a period.
    pub per: Duration,
    /// How long a call waits for its place at most.
    pub max_wait: Duration,
}

/// Who a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A caller waits for it.
    Caller,
    /// Nobody waits: it gives way to whoever does.
    Background,
}

/// One credential's share of calls. Clones share it.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

/// What a budget has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetState {
    /// How many calls would be let pass at once.
    pub left: u32,
    /// How many calls wait for a place.
    pub waiting: u32,
    /// For how long the vendor has stopped the credential, if it has.
    pub stopped: Option<Duration>,
}

/// The budgets of all credentials.
#[derive(Debug, Default)]
pub struct Budgets {
    known: Vec<Account>,
    /// Those that there were before.
    before: Vec<Account>,
}

/// A credential's budget at a host.
#[derive(Debug, Clone)]
struct Account {
    credential: Credential,
    host: String,
    limit: RateLimit,
    budget: Budget,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

struct Shared {
    limiter: Limiter,
    /// Held by the call that is next: a fair lock, so that calls pass in the
    /// order in which they came.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    /// Until when the vendor's 429 stops the credential, by the clock.
    stopped_until: Mutex<Duration>,
    /// How many calls in a row the vendor has refused as too many.
    refusals: AtomicU32,
    /// How many places were left after the last call, and when that was.
    left: Mutex<(u32, Duration)>,
    burst: u32,
    interval: Duration,
    max_wait: Duration,
    clock: SharedClock,
}

impl Budget {
    /// A budget of its own.
    ///
    /// GCRA lets `burst + rate × period` calls pass in the worst period. So
    /// that no period sees more than the limit, counted where the vendor
    /// counts, a tenth of it may come at once and four fifths are spread. The
    /// last tenth is for calls that take longer on their way than those behind
    /// them, as the first do that must connect.
    #[must_use]
    pub fn new(limit: RateLimit, clock: SharedClock) -> Self {
        let requests = limit.requests.get();
        let burst = NonZeroU32::new(requests / 10).unwrap_or(NonZeroU32::MIN);
        let spread = u32::try_from(u64::from(requests) * 4 / 5).unwrap_or(requests).max(1);
        let interval = (limit.per / spread).max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(limit.requests)).allow_burst(burst);
        Self(Arc::new(Shared {
            limiter: RateLimiter::direct_with_clock(quota, Ticks::of(&clock)).with_middleware(),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            stopped_until: Mutex::new(Duration::ZERO),
            refusals: AtomicU32::new(0),
            left: Mutex::new((burst.get(), Duration::ZERO)),
            burst: burst.get(),
            interval,
            max_wait: limit.max_wait,
            clock,
        }))
    }

    /// Waits for a place, if there will be one within the caller's patience
    /// and the configured bound.
    pub(super) async fn admit(&self, priority: Priority, patience: Duration) -> Result<(), SendError> {
        let budget = &*self.0;
        let patience = match priority {
            Priority::Caller => patience.min(budget.max_wait),
            Priority::Background => Duration::ZERO,
        };
        let start = budget.clock.elapsed();
        let place = Place::take(&budget.waiting);
        let queue = budget.next_place() + budget.interval * place.ahead;
        if queue > patience {
            return Err(SendError::BudgetSpent { retry_after: queue });
        }
        let _turn = budget.turn.lock().await;
        loop {
            let Err(wait) = budget.try_take() else { return Ok(()) };
            let waited = budget.clock.elapsed().saturating_sub(start);
            if waited + wait > patience {
                return Err(SendError::BudgetSpent { retry_after: wait });
            }
            budget.clock.sleep(wait).await;
        }
    }

    /// The vendor refused a call as one too many: the credential stops for as
    /// long as it says, or for a while that doubles as long as it says nothing.
    pub(super) fn refused(&self, named: Option<Duration>) {
        let before = self.0.refusals.fetch_add(1, Ordering::Relaxed);
        let wait = named.unwrap_or_else(|| {
            let doubled = UNNAMED_STOP * 2_u32.saturating_pow(before.min(5));
            // Up to half as long again, so that replicas do not come back in step.
            doubled.mul_f64(1.0 + fastrand::f64() / 2.0)
        });
        let until = self.0.clock.elapsed() + wait.min(LONGEST_STOP);
        let mut stopped_until = self.0.stopped_until.lock();
        *stopped_until = until.max(*stopped_until);
    }

    /// The vendor did not refuse a call as one too many.
    pub(super) fn accepted(&self) {
        self.0.refusals.store(0, Ordering::Relaxed);
    }

    /// How long a call waits for its place at most.
    pub(super) fn max_wait(&self) -> Duration {
        self.0.max_wait
    }

    /// How long until there is a place for a call that nobody waits for.
    pub(super) fn next_place(&self) -> Duration {
        self.0.next_place()
    }

    /// Whether both are one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the budget has to give at this moment. Asking takes nothing.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        let budget = &*self.0;
        let (left, at) = *budget.left.lock();
        let since = budget.clock.elapsed().saturating_sub(at);
        let regained = since.as_nanos() / budget.interval.as_nanos().max(1);
        let left = left.saturating_add(u32::try_from(regained).unwrap_or(u32::MAX)).min(budget.burst);
        BudgetState { left, waiting: budget.waiting.load(Ordering::Relaxed), stopped: budget.stopped() }
    }
}

impl Shared {
    /// For how long the vendor's 429 still stops the credential.
    fn stopped(&self) -> Option<Duration> {
        self.stopped_until.lock().checked_sub(self.clock.elapsed()).filter(|left| !left.is_zero())
    }

    /// How long until there is a place, if nobody waits for it.
    fn next_place(&self) -> Duration {
        let (left, at) = *self.left.lock();
        let since = self.clock.elapsed().saturating_sub(at);
        let wait = if left > 0 { Duration::ZERO } else { self.interval.saturating_sub(since) };
        wait.max(self.stopped().unwrap_or_default())
    }

    /// Takes a place now, or says when there will be one.
    fn try_take(&self) -> Result<(), Duration> {
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        let now = self.clock.elapsed();
        let taken = self.limiter.check().map_err(|not_until| not_until.wait_time_from(now.into()))?;
        *self.left.lock() = (taken.remaining_burst_capacity(), now);
        Ok(())
    }
}

/// A call's place among those that wait.
struct Place<'b> {
    waiting: &'b AtomicU32,
    ahead: u32,
}

impl<'b> Place<'b> {
    fn take(waiting: &'b AtomicU32) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Budgets {
    /// No budgets yet; those that there are now are taken over as they are asked
    /// for.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self { known: Vec::new(), before: self.known.clone() }
    }

    /// The budget of a credential at a host, made where it is new or has another
    /// limit. The first connection's limit counts.
    pub fn of(&mut self, credential: &Credential, host: &str, limit: RateLimit, clock: &SharedClock) -> Budget {
        let is_it = |account: &&Account| account.host == host && account.credential == *credential;
        if let Some(account) = self.known.iter().find(is_it) {
            return account.budget.clone();
        }
        let budget = match self.before.iter().find(is_it) {
            Some(before) if before.limit == limit => before.budget.clone(),
            before => {
                let budget = Budget::new(limit, Arc::clone(clock));
                // What the vendor has stopped is stopped, whatever the limit.
                if let Some(stop) = before.and_then(|before| before.budget.state().stopped) {
                    budget.refused(Some(stop));
                }
                budget
            }
        };
        let (credential, host) = (credential.clone(), host.to_owned());
        self.known.push(Account { credential, host, limit, budget: budget.clone() });
        budget
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Budget").field(&self.state()).finish()
    }
}
