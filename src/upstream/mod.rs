//! The one way out to a vendor: deadline → retry → breaker → budget → send.
//!
//! Only this module knows the HTTP client. Bodies are bounded, redirects are
//! not followed, and the credential is in no error and no debug print. Each
//! attempt asks the breaker before the budget, since a vendor that is down
//! should cost no place, and takes a place of its own, since the vendor counts
//! retries too.

mod breaker;
mod budget;
mod credential;
mod retry_after;
mod send;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use reqwest::Client;
use tower::retry::budget::{Budget as _, TpsBudget};
use url::Url;

use crate::{
    clock::SharedClock,
    vendors::{VendorRequest, VendorResponse},
};
pub use breaker::{Breaker, BreakerState};
pub use budget::{Budget, BudgetState, Budgets, Priority, RateLimit};
pub use credential::Credential;
pub use send::client;
use send::{Endpoint, Reply};

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
}

/// What bounds one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the moment it is asked for to the last byte of its body.
    pub timeout: Duration,
    /// The largest body, decompressed, in bytes.
    pub max_body: usize,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The budget has no place for the call in time, or the vendor has stopped
    /// the credential.
    #[error("the credential's budget is spent; there is room again in {retry_after:?}")]
    BudgetSpent {
        /// When to ask again.
        retry_after: Duration,
        /// Whether it was this call that the vendor refused as one too many.
        refused: bool,
    },
    /// The vendor has failed so often that it is left alone for a while.
    #[error("the vendor fails, and is asked again in {retry_after:?}")]
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
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// The body is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// An attempt that may pass if it is made again.
enum Passing {
    /// The vendor answered so; this is what comes of it if no retry helps.
    Answered(VendorResponse, Option<Duration>),
    /// The call failed.
    Failed(SendError),
    /// The call failed in a way that no retry mends.
    Final(SendError),
}

impl Upstream {
    /// The way to the vendor at `base_url`, with or without its last slash.
    #[must_use]
    pub fn new(
        client: Client,
        base_url: &Url,
        credential: Credential,
        budget: Budget,
        limits: Limits,
        clock: SharedClock,
    ) -> Self {
        Self {
            endpoint: Endpoint::new(client, base_url, credential, limits.max_body),
            budget,
            breaker: Breaker::new(clock.clone()),
            retries: TpsBudget::new(RETRY_BUDGET_SPAN, 1, RETRY_SHARE),
            timeout: limits.timeout,
            clock,
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: &VendorRequest, priority: Priority) -> Result<VendorResponse, SendError> {
        self.retries.deposit();
        let start = self.clock.elapsed();
        let mut refused = false;
        let attempts = (|| self.attempt(request, priority))
            .retry(backoff())
            .when(|passing| passing.may_pass() && self.retries.withdraw())
            .adjust(|passing, delay| {
                let delay = delay?.max(passing.named_wait());
                let spent = self.clock.elapsed().saturating_sub(start);
                (spent + delay < self.timeout).then_some(delay)
            })
            .notify(|passing, _| refused |= passing.is_refusal());
        match tokio::time::timeout(self.timeout, attempts).await {
            Ok(Ok(response) | Err(Passing::Answered(response, _))) => Ok(response),
            Ok(Err(Passing::Final(SendError::BudgetSpent { retry_after, .. }))) => {
                Err(SendError::BudgetSpent { retry_after, refused })
            }
            Ok(Err(Passing::Failed(error) | Passing::Final(error))) => Err(error),
            Err(_) => Err(SendError::TimedOut(self.timeout)),
        }
    }

    /// Text of the vendor's without the credential, should it repeat it.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.endpoint.redact(text)
    }

    /// What the connection's budget has to give.
    #[must_use]
    pub fn budget(&self) -> BudgetState {
        self.budget.state()
    }

    /// What the connection's breaker shows.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    async fn attempt(&self, request: &VendorRequest, priority: Priority) -> Result<VendorResponse, Passing> {
        if let BreakerState::Open(retry_after) = self.breaker.state() {
            return Err(Passing::Final(SendError::BreakerOpen { retry_after }));
        }
        self.budget.admit(priority, self.timeout).await.map_err(Passing::Final)?;
        let permit =
            self.breaker.permit().map_err(|retry_after| Passing::Final(SendError::BreakerOpen { retry_after }))?;
        match self.endpoint.send(request, self.clock.now()).await {
            Ok(Reply { response, named_wait }) => {
                let status = response.status;
                if status >= 500 {
                    permit.failed();
                } else {
                    permit.succeeded();
                }
                if status == 429 {
                    self.budget.refused(named_wait);
                } else {
                    self.budget.accepted();
                }
                match status {
                    408 | 429 | 500 | 502 | 503 | 504 => Err(Passing::Answered(response, named_wait)),
                    _ => Ok(response),
                }
            }
            Err(error @ SendError::TooLarge(_)) => {
                permit.succeeded();
                Err(Passing::Final(error))
            }
            Err(error) => {
                permit.failed();
                Err(Passing::Failed(error))
            }
        }
    }
}

impl Passing {
    fn may_pass(&self) -> bool {
        !matches!(self, Self::Final(_))
    }

    fn is_refusal(&self) -> bool {
        matches!(self, Self::Answered(response, _) if response.status == 429)
    }

    /// The wait that the vendor names. After a 429 the budget sees to it.
    fn named_wait(&self) -> Duration {
        match self {
            Self::Answered(response, Some(wait)) if response.status != 429 => *wait,
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

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("endpoint", &self.endpoint)
            .field("budget", &self.budget)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
