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

use parking_lot::Mutex;

use crate::{clock::SharedClock, domain::priority::Priority};

use super::{CallerShare, Credential, SendError, limiter::Limiter};

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

/// One credential's share of calls. Clones share it.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

/// What a budget has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetState {
    /// How many calls would be let pass at once.
    pub remaining: u32,
    /// How many calls wait for a place.
    pub waiting: u32,
    /// For how long the vendor has stopped the credential, if it has.
    pub blocked_for: Option<Duration>,
}

/// The budgets of all credentials.
#[derive(Debug, Default)]
pub struct BudgetRegistry {
    known: Vec<BudgetEntry>,
    /// Those that there were before.
    before: Vec<BudgetEntry>,
}

/// A credential's budget at a host.
#[derive(Debug, Clone)]
struct BudgetEntry {
    credential: Credential,
    host: String,
    limit: RateLimit,
    budget: Budget,
}

struct Shared {
    limiter: Limiter,
    /// How many calls in a row the vendor has refused as too many.
    refusals: AtomicU32,
    shares: Mutex<Shares>,
    burst: u32,
    interval: Duration,
    max_wait: Duration,
    clock: SharedClock,
}

/// What payers may take of a budget.
#[derive(Default)]
struct Shares {
    /// The payers that there are.
    payers: Vec<CallerShare>,
    /// The share that is in force for each, by its name: one, whichever share a
    /// call under way still has from before.
    taken: Vec<(CallerShare, Arc<Limiter>)>,
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
        let interval = limit.per / spread;
        Self(Arc::new(Shared {
            limiter: Limiter::new(burst, interval, Arc::clone(&clock)),
            refusals: AtomicU32::new(0),
            shares: Mutex::default(),
            burst: burst.get(),
            interval,
            max_wait: limit.max_wait,
            clock,
        }))
    }

    /// Waits for a place, if there will be one within the caller's patience
    /// and the configured bound.
    pub(super) async fn admit(&self, priority: Priority, patience: Duration) -> Result<(), SendError> {
        let patience = patience.min(self.patience(priority));
        let admitted = self.0.limiter.admit(patience).await;
        admitted.map_err(|retry_after| SendError::BudgetSpent { retry_after })
    }

    /// Charges a call to a payer's share, and waits for that as long as for a
    /// place: beside the queue, and not in it. What would find no place is not
    /// charged.
    pub(super) async fn charge(&self, caller_share: &CallerShare, priority: Priority) -> Result<(), SendError> {
        let patience = self.patience(priority);
        let queue = self.0.limiter.queue();
        if queue > patience {
            return Err(SendError::BudgetSpent { retry_after: queue });
        }
        let charged = self.share(caller_share).admit(patience).await;
        charged.map_err(|retry_after| SendError::ShareSpent { retry_after })
    }

    /// The vendor refused a call as one too many: the credential stops for as
    /// long as it says, or for a while that doubles as long as it says nothing.
    pub(super) fn on_rejected(&self, named: Option<Duration>) {
        let before = self.0.refusals.fetch_add(1, Ordering::Relaxed);
        let wait = named.unwrap_or_else(|| {
            let doubled = UNNAMED_STOP * 2_u32.saturating_pow(before.min(5));
            // Up to half as long again, so that replicas do not come back in step.
            doubled.mul_f64(1.0 + fastrand::f64() / 2.0)
        });
        self.0.limiter.stop(wait.min(LONGEST_STOP));
    }

    /// The vendor did not refuse a call as one too many.
    pub(super) fn on_success(&self) {
        self.0.refusals.store(0, Ordering::Relaxed);
    }

    /// How long a call waits for its place at most.
    pub(super) fn max_wait(&self) -> Duration {
        self.0.max_wait
    }

    /// How long until there is a place for a call that nobody waits for.
    pub(super) fn next_place(&self) -> Duration {
        self.0.limiter.next_place()
    }

    /// Whether both are one.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the budget has to give at this moment. Asking takes nothing.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        let limiter = &self.0.limiter;
        BudgetState { remaining: limiter.left(), waiting: limiter.waiting(), blocked_for: limiter.stopped() }
    }

    /// How many calls a payer's share would let pass at once.
    pub(super) fn share_remaining(&self, caller_share: &CallerShare) -> u32 {
        self.share(caller_share).left()
    }

    /// What is left to each payer that there is and that has asked.
    pub(super) fn shares_remaining(&self) -> Vec<(Arc<str>, u32)> {
        let shares = self.0.shares.lock();
        let there_are = shares.taken.iter().filter(|(caller_share, _)| shares.payers.contains(caller_share));
        there_are.map(|(caller_share, share)| (Arc::clone(&caller_share.name), share.left())).collect()
    }

    /// Shares it among these payers from now on. A share that is another than
    /// before has nothing to give at once, so that nobody gets a burst by it.
    fn share_among(&self, payers: &[CallerShare]) {
        let mut shares = self.0.shares.lock();
        shares.payers = payers.to_vec();
        shares.taken.retain_mut(|(taken, limiter)| {
            let Some(caller_share) = payers.iter().find(|caller_share| caller_share.name == taken.name) else {
                return false;
            };
            if caller_share != taken {
                let (burst, interval) = caller_share.share.of(self.0.burst, self.0.interval);
                *limiter = Arc::new(Limiter::spent(burst, interval, Arc::clone(&self.0.clock)));
                *taken = caller_share.clone();
            }
            true
        });
    }

    fn share(&self, caller_share: &CallerShare) -> Arc<Limiter> {
        let budget = &*self.0;
        let mut shares = budget.shares.lock();
        if let Some((_, share)) = shares.taken.iter().find(|(taken, _)| taken.name == caller_share.name) {
            return Arc::clone(share);
        }
        // One that is gone asks to the end of its request.
        let caller_share =
            shares.payers.iter().find(|known| known.name == caller_share.name).unwrap_or(caller_share).clone();
        let (burst, interval) = caller_share.share.of(budget.burst, budget.interval);
        let share = Arc::new(Limiter::new(burst, interval, Arc::clone(&budget.clock)));
        shares.taken.push((caller_share, Arc::clone(&share)));
        share
    }

    fn patience(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Caller => self.0.max_wait,
            Priority::Background => Duration::ZERO,
        }
    }
}

impl BudgetRegistry {
    /// No budgets yet; those that there are now are taken over as they are asked
    /// for.
    #[must_use]
    pub fn reconfigured(&self) -> Self {
        Self { known: Vec::new(), before: self.known.clone() }
    }

    /// The budget of a credential at a host, made where it is new or has another
    /// limit. The first connection's limit counts.
    pub fn of(&mut self, credential: &Credential, host: &str, limit: RateLimit, clock: &SharedClock) -> Budget {
        let is_it = |account: &&BudgetEntry| account.host == host && account.credential == *credential;
        if let Some(account) = self.known.iter().find(is_it) {
            return account.budget.clone();
        }
        let budget = match self.before.iter().find(is_it) {
            Some(before) if before.limit == limit => before.budget.clone(),
            before => {
                let budget = Budget::new(limit, Arc::clone(clock));
                // What the vendor has stopped is stopped, whatever the limit.
                if let Some(stop) = before.and_then(|before| before.budget.state().blocked_for) {
                    budget.on_rejected(Some(stop));
                }
                budget
            }
        };
        let (credential, host) = (credential.clone(), host.to_owned());
        self.known.push(BudgetEntry { credential, host, limit, budget: budget.clone() });
        budget
    }

    /// Shares them among these payers from now on.
    pub fn share_among(&self, payers: &[CallerShare]) {
        for account in &self.known {
            account.budget.share_among(payers);
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Budget").field(&self.state()).finish()
    }
}
