//! How often a credential may call: GCRA, shared by all connections that hold
//! the same secret for the same host.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, clock::Clock as _};

use super::{Credential, SendError};

/// A vendor's limit: so many requests in any period of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests.
    pub requests: NonZeroU32,
    /// In how long a period.
    pub per: Duration,
}

/// One credential's share of calls. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    limiter: Arc<DefaultDirectRateLimiter>,
}

/// The budgets of all credentials.
#[derive(Debug, Default)]
pub struct Budgets {
    known: Vec<(Credential, String, Budget)>,
}

impl RateLimit {
    /// A quota under which no period sees more than the limit, counted where
    /// the vendor counts. GCRA lets `burst + rate × period` pass in the worst
    /// period: a tenth of the limit may come at once and four fifths are
    /// spread. The last tenth is for calls that take longer on their way than
    /// those behind them, as the first do that must connect.
    fn quota(self) -> Option<Quota> {
        let requests = self.requests.get();
        let burst = (requests / 10).max(1);
        let spread = u32::try_from(u64::from(requests) * 4 / 5).unwrap_or(requests).max(1);
        let quota = Quota::with_period(self.per / spread)?;
        Some(quota.allow_burst(NonZeroU32::new(burst)?))
    }
}

impl Budget {
    /// A budget of its own; `None` for a limit over no time at all.
    #[must_use]
    pub fn new(limit: RateLimit) -> Option<Self> {
        Some(Self { limiter: Arc::new(DefaultDirectRateLimiter::direct(limit.quota()?)) })
    }

    /// Waits for a place, if there is one within `patience`.
    pub(super) async fn admit(&self, patience: Duration) -> Result<(), SendError> {
        let mut waited = Duration::ZERO;
        while let Err(not_until) = self.limiter.check() {
            let wait = not_until.wait_time_from(self.limiter.clock().now());
            waited += wait;
            if waited > patience {
                return Err(SendError::BudgetSpent { retry_after: wait });
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

impl Budgets {
    /// The budget of a credential at a host, made where it is new. The first
    /// connection's limit counts.
    pub fn of(&mut self, credential: &Credential, host: &str, limit: RateLimit) -> Option<Budget> {
        let known = self.known.iter().find(|(other, at, _)| at == host && other.is_same(credential));
        if let Some((_, _, budget)) = known {
            return Some(budget.clone());
        }
        let budget = Budget::new(limit)?;
        self.known.push((credential.clone(), host.to_owned(), budget.clone()));
        Some(budget)
    }
}
