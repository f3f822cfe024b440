//! Vendor calls of one connection: breaker, deadline, retries, budget, send.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::SharedClock,
    domain::priority::Priority,
    vendors::{RefusalKind, VendorError, VendorRequest, VendorResponse},
};

use super::{
    BreakerState, Budget, BudgetState, CallError, CallerShare, Endpoint, Reply, SendError, UpstreamMetrics,
    attempt::{Attempts, Call},
    breaker::{Breaker, CallOutcome},
    retry::Retries,
};

/// Client of one connection's vendor.
pub struct Upstream {
    breaker: Breaker,
    retries: Retries,
    attempts: Attempts,
    /// Maximum time of a call, from the first attempt to the last byte of the body.
    timeout: Duration,
}

impl Upstream {
    /// Returns a client with a closed breaker. A call takes at most `timeout`.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        budget: Budget,
        timeout: Duration,
        metrics: UpstreamMetrics,
        clock: SharedClock,
    ) -> Self {
        let breaker = Breaker::new(Arc::clone(&clock));
        Self { breaker, retries: Retries::new(), attempts: Attempts { endpoint, budget, clock, metrics }, timeout }
    }

    /// Charges a call to a caller's share, before the call is made or joined. A
    /// call that the breaker or the budget would reject is not charged. Retries
    /// are free.
    pub async fn charge(&self, caller: &CallerShare, priority: Priority) -> Result<(), SendError> {
        if let BreakerState::Open(retry_after) = self.breaker.state() {
            return Err(SendError::BreakerOpen { retry_after });
        }
        self.attempts.budget.charge(caller, priority).await
    }

    /// Sends a request and reads the response.
    ///
    /// `read` classifies the response. Its result alone decides about retries,
    /// the budget and the breaker.
    pub async fn send<T, R>(&self, request: &VendorRequest, priority: Priority, read: R) -> Result<Reply<T>, CallError>
    where
        R: Fn(&VendorResponse) -> Result<T, VendorError>,
    {
        let permit = self.breaker.permit().map_err(|retry_after| SendError::BreakerOpen { retry_after })?;
        let deadline = self.attempts.clock.elapsed().saturating_add(self.timeout);
        let call = Call { request, priority, deadline, read };
        let sending = async {
            if permit.is_probe() {
                return self.attempts.send(&call, 0).await;
            }
            self.retries.send(&self.attempts, &call).await
        };
        let timed_out = || Err(SendError::TimedOut(self.timeout).into());
        let sent = tokio::time::timeout(self.timeout, sending).await.unwrap_or_else(|_| timed_out());
        permit.settle(call_outcome(&sent));
        sent
    }

    /// Returns the URL of a request. The URL never contains the credential.
    #[must_use]
    pub fn url(&self, request: &VendorRequest) -> String {
        self.attempts.endpoint.url(request)
    }

    /// Removes the credential from vendor text.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.attempts.endpoint.redact(text)
    }

    /// Returns whether calls use slots of `budget`.
    #[must_use]
    pub fn draws_on(&self, budget: &Budget) -> bool {
        self.attempts.budget.same_as(budget)
    }

    /// Returns a snapshot of the budget.
    #[must_use]
    pub fn budget(&self) -> BudgetState {
        self.attempts.budget.state()
    }

    /// Returns the free slots of a caller's share.
    #[must_use]
    pub fn share_remaining(&self, caller: &CallerShare) -> u32 {
        self.attempts.budget.share_remaining(caller)
    }

    /// Returns the free slots of each configured caller that has made a call.
    #[must_use]
    pub fn shares_remaining(&self) -> Vec<(Arc<str>, u32)> {
        self.attempts.budget.shares_remaining()
    }

    /// Returns the state of the breaker.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }
}

/// Returns the outcome that a call has for the breaker. A rejection or an
/// unreadable response shows that the vendor works.
fn call_outcome<T>(sent: &Result<Reply<T>, CallError>) -> CallOutcome {
    match sent {
        Ok(_) => CallOutcome::Succeeded,
        Err(error) if error.is_unsent() => CallOutcome::Unknown,
        Err(CallError::Vendor { error, .. }) if !matches!(error.kind(), Some(RefusalKind::Failed { .. })) => {
            CallOutcome::Succeeded
        }
        Err(CallError::Send(SendError::Body(error))) if !error.is_interruption() => CallOutcome::Succeeded,
        Err(_) => CallOutcome::Failed,
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("endpoint", &self.attempts.endpoint)
            .field("budget", &self.attempts.budget)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
