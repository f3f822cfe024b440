//! The one way out to a vendor: breaker → deadline → retry → budget → send.
//!
//! Only this module knows the HTTP client; [`Fetcher`] fetches with it what is
//! no vendor's. Bodies are bounded, redirects are not followed, and the
//! credential is in no error and no debug print. The breaker stands first, since
//! a vendor that is down should cost neither time nor a place in the budget;
//! each attempt takes a place of its own, since the vendor counts retries too.

mod breaker;
mod budget;
mod credential;
mod endpoint;
mod limiter;
mod metrics;
mod retry_after;
mod share;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::{
    clock::{SharedClock, ceil_seconds},
    domain::priority::Priority,
    http_client::BodyError,
    vendors::VendorRequest,
};
use breaker::CallOutcome;
pub use breaker::{Breaker, BreakerState};
pub use budget::{Budget, BudgetRegistry, BudgetState, RateLimit};
pub use credential::Credential;
pub use endpoint::{Endpoint, Reply};
pub use metrics::UpstreamMetrics;
pub use share::{CallerShare, Share};

/// A call is tried so many times at most.
const MOST_ATTEMPTS: usize = 3;
/// Over this length the retry budget is kept; it lets a fifth of the calls be
/// tried again, and one a second in any case.
const RETRY_BUDGET_SPAN: Duration = Duration::from_secs(10);
const RETRY_SHARE: f32 = 0.2;

/// How one connection reaches its vendor.
pub struct Upstream {
    endpoint: Endpoint,
    budget: Budget,
    breaker: Breaker,
    retries: TpsBudget,
    timeout: Duration,
    clock: SharedClock,
    metrics: UpstreamMetrics,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The budget has no place for the call in time, or the vendor has stopped
    /// the credential.
    #[error("the credential's budget is spent, or the vendor has stopped it: there is room again in {} s", ceil_seconds(*.retry_after))]
    BudgetSpent {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The payer's share of the budget has no place for the call in time.
    #[error("the caller's share of the vendor calls is spent: there is room again in {} s", ceil_seconds(*.retry_after))]
    ShareSpent {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The vendor has failed so often that it is left alone for a while.
    #[error("the vendor fails, and is asked again in {} s", ceil_seconds(*.retry_after))]
    BreakerOpen {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The deadline passed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The vendor cannot be reached.
    #[error("the vendor cannot be reached: {0}")]
    Unreachable(String),
    /// The response body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl SendError {
    /// Its kind in a word.
    fn kind(&self) -> &'static str {
        match self {
            Self::BudgetSpent { .. } => "budget_spent",
            Self::ShareSpent { .. } => "share_spent",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::TimedOut(_) => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Body(BodyError::Interrupted(_)) => "body_error",
            Self::Body(BodyError::TooLarge(_)) => "too_large",
        }
    }
}

/// An attempt that may pass if it is made again.
enum AttemptError {
    /// The vendor answered so; this is what comes of it if no retry helps.
    RetryableResponse(Reply),
    /// The call failed.
    Retryable(SendError),
    /// The call failed in a way that no retry mends.
    Permanent(SendError),
}

impl Upstream {
    /// The way to an endpoint, each of whose calls may take so long: from the
    /// moment it is asked for to the last byte of its body.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        budget: Budget,
        timeout: Duration,
        metrics: UpstreamMetrics,
        clock: SharedClock,
    ) -> Self {
        let (breaker, retries) = (Breaker::new(clock.clone()), TpsBudget::new(RETRY_BUDGET_SPAN, 1, RETRY_SHARE));
        Self { endpoint, budget, breaker, retries, timeout, clock, metrics }
    }

    /// Charges a call to a payer's share of the budget, before anybody waits for
    /// the call. What would not be made anyway is not charged; retries are not
    /// charged either.
    pub async fn charge(&self, caller_share: &CallerShare, priority: Priority) -> Result<(), SendError> {
        if let BreakerState::Open(retry_after) = self.breaker.state() {
            return Err(SendError::BreakerOpen { retry_after });
        }
        self.budget.charge(caller_share, priority).await
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: &VendorRequest, priority: Priority) -> Result<Reply, SendError> {
        let permit = self.breaker.permit().map_err(|retry_after| SendError::BreakerOpen { retry_after })?;
        let sending = async {
            if permit.is_probe() {
                return self.attempt(request, priority, self.timeout, 0).await.or_else(AttemptError::into_outcome);
            }
            self.send_again(request, priority).await
        };
        let sent = tokio::time::timeout(self.timeout, sending).await.unwrap_or(Err(SendError::TimedOut(self.timeout)));
        permit.settle(match &sent {
            Ok(reply) if reply.response.status >= 500 => CallOutcome::Failed,
            Ok(_) | Err(SendError::Body(BodyError::TooLarge(_))) => CallOutcome::Succeeded,
            Err(SendError::BudgetSpent { .. } | SendError::ShareSpent { .. } | SendError::BreakerOpen { .. }) => {
                CallOutcome::Unknown
            }
            Err(_) => CallOutcome::Failed,
        });
        sent
    }

    /// Where a request goes. The credential is in no URL.
    #[must_use]
    pub fn url(&self, request: &VendorRequest) -> String {
        self.endpoint.url(request)
    }

    /// Text of the vendor's without the credential, should it repeat it.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.endpoint.redact(text)
    }

    /// Whether the connection's calls are taken out of this budget.
    #[must_use]
    pub fn draws_on(&self, budget: &Budget) -> bool {
        self.budget.same_as(budget)
    }

    /// What the connection's budget has to give.
    #[must_use]
    pub fn budget(&self) -> BudgetState {
        self.budget.state()
    }

    /// How many calls a payer's share of that would let pass at once.
    #[must_use]
    pub fn share_remaining(&self, caller_share: &CallerShare) -> u32 {
        self.budget.share_remaining(caller_share)
    }

    /// The same of each payer that has asked, by its name.
    #[must_use]
    pub fn shares_remaining(&self) -> Vec<(Arc<str>, u32)> {
        self.budget.shares_remaining()
    }

    /// What the connection's breaker shows.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Sends a request, again where that may help and the deadline allows.
    async fn send_again(&self, request: &VendorRequest, priority: Priority) -> Result<Reply, SendError> {
        self.retries.deposit();
        let start = self.clock.elapsed();
        let left = || self.timeout.saturating_sub(self.clock.elapsed().saturating_sub(start));
        let sends = AtomicU32::new(0);
        let sent = (|| self.attempt(request, priority, left(), sends.fetch_add(1, Relaxed)))
            .retry(backoff())
            .when(|passing: &AttemptError| passing.may_pass() && self.retries.withdraw())
            .adjust(|passing, delay| {
                let mut wait = delay?.max(passing.named_wait());
                if priority == Priority::Background {
                    // It has no place in the queue; to be refused one would
                    // hide what the vendor answered.
                    wait = wait.max(self.budget.next_place());
                }
                let stop = self.stopped();
                (stop <= self.budget.max_wait() && wait + stop < left()).then_some(wait)
            })
            .notify(|_, _| self.metrics.note_retry())
            .await;
        sent.or_else(AttemptError::into_outcome)
    }

    async fn attempt(
        &self,
        request: &VendorRequest,
        priority: Priority,
        left: Duration,
        resends: u32,
    ) -> Result<Reply, AttemptError> {
        self.take_place(priority, left).await.map_err(AttemptError::Permanent)?;
        let mut reply = self.endpoint.send(request, self.clock.now(), resends).await.map_err(|error| match error {
            SendError::Body(BodyError::TooLarge(_)) => AttemptError::Permanent(error),
            error => AttemptError::Retryable(error),
        })?;
        match reply.response.status {
            429 => {
                self.budget.on_rejected(reply.retry_after);
                reply.retry_after = Some(self.stopped());
                Err(AttemptError::RetryableResponse(reply))
            }
            408 | 500 | 502 | 503 | 504 => Err(AttemptError::RetryableResponse(reply)),
            _ => {
                self.budget.on_success();
                Ok(reply)
            }
        }
    }

    /// Waits for a place in the budget.
    async fn take_place(&self, priority: Priority, left: Duration) -> Result<(), SendError> {
        let start = self.clock.elapsed();
        let admitted = self.budget.admit(priority, left).await;
        match &admitted {
            Ok(()) => self.metrics.note_place(priority, self.clock.elapsed().saturating_sub(start)),
            Err(_) => self.metrics.note_refusal(priority),
        }
        admitted
    }

    /// For how long the vendor's 429 still stops the credential.
    fn stopped(&self) -> Duration {
        self.budget.state().blocked_for.unwrap_or_default()
    }
}

impl AttemptError {
    /// What comes of it if it is not tried again.
    fn into_outcome(self) -> Result<Reply, SendError> {
        match self {
            Self::RetryableResponse(reply) => Ok(reply),
            Self::Retryable(error) | Self::Permanent(error) => Err(error),
        }
    }

    fn may_pass(&self) -> bool {
        !matches!(self, Self::Permanent(_))
    }

    /// The wait that the vendor names; after a 429 the budget sees to it.
    fn named_wait(&self) -> Duration {
        match self {
            Self::RetryableResponse(reply) if reply.response.status != 429 => reply.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

/// The waits between attempts: jittered, and short beside any deadline, which
/// the caller of this cuts them to.
fn backoff() -> impl BackoffBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(1))
        .with_max_times(MOST_ATTEMPTS - 1)
        .with_jitter()
}

/// A wait in whole seconds, rounded up: whoever comes back too early is refused
impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("endpoint", &self.endpoint)
            .field("budget", &self.budget)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
