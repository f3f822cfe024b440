//! Vendor calls of one connection: admission, queue, breaker, send, retries.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::SharedClock,
    domain::priority::Priority,
    shared::ProbeLease,
    vendors::{RefusalKind, VendorError, VendorRequest, VendorResponse},
};

use super::{
    BreakerState, Budget, BudgetState, Bulkheads, CallError, CallerShare, Endpoint, Reply, Reservation, SendError,
    UpstreamMetrics, VendorWait, Waiters,
    attempt::{Attempts, Call},
    breaker::{Breaker, CallOutcome},
    bulkhead::Bulkhead,
    probe::Probe,
    retry::Retries,
};

/// Client of one connection's vendor.
pub struct Upstream {
    bulkhead: Bulkhead,
    breaker: Breaker,
    probe: Probe,
    retries: Retries,
    attempts: Attempts,
}

impl Upstream {
    /// Returns a client with a closed breaker. The attempts of a call take at
    /// most `timeout`, without the time in the queue.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        budget: Budget,
        timeout: Duration,
        bulkheads: &Bulkheads,
        metrics: UpstreamMetrics,
        clock: SharedClock,
    ) -> Self {
        let breaker = Breaker::new(Arc::clone(&clock));
        let attempts = Attempts { endpoint, budget, timeout, latency: Arc::default(), clock, metrics };
        Self { bulkhead: bulkheads.bulkhead(), breaker, probe: Probe::default(), retries: Retries::new(), attempts }
    }

    /// Sets the lease that lets one replica at a time send a probe.
    #[must_use]
    pub fn with_probe_lease(self, lease: Option<Arc<dyn ProbeLease>>) -> Self {
        Self { probe: Probe::new(lease), ..self }
    }

    /// Creates a reservation for calls that must be answered by `deadline`, on
    /// the gateway's clock.
    #[must_use]
    pub fn reservation(&self, caller: CallerShare, priority: Priority, deadline: Duration) -> Reservation {
        let Attempts { budget, latency, .. } = &self.attempts;
        Reservation::new(budget.clone(), caller, priority, deadline, Arc::clone(latency))
    }

    /// Counts a request that waits for the vendor from now on. Fails if too many
    /// requests wait. Background refreshes do not count.
    pub fn enter(&self, priority: Priority) -> Result<Option<VendorWait>, SendError> {
        match priority {
            Priority::Refresh => Ok(None),
            _ => self.bulkhead.enter().map(Some).ok_or(SendError::TooManyWaiting),
        }
    }

    /// Admits a call: rejects it at once if it cannot be answered in time, and
    /// charges it to the caller's share. A rejected call is not charged, and
    /// retries are free.
    pub async fn admit(&self, reservation: &Reservation) -> Result<(), SendError> {
        if let BreakerState::Open(retry_after) = self.breaker.state() {
            return Err(SendError::BreakerOpen { retry_after });
        }
        let admitted = async {
            reservation.check()?;
            reservation.charge().await?;
            reservation.admit()
        };
        let admitted = admitted.await;
        if matches!(admitted, Err(SendError::BudgetSpent { .. } | SendError::Paused { .. })) {
            self.attempts.metrics.record_rejection(reservation.priority());
        }
        admitted
    }

    /// Sends a request and reads the response, on behalf of the waiters. If none
    /// waits any more before the request is sent, it is not sent.
    ///
    /// `read` classifies the response. Its result alone decides about retries,
    /// the budget and the breaker.
    pub async fn send<T, R>(&self, request: &VendorRequest, waiters: &Waiters, read: R) -> Result<Reply<T>, CallError>
    where
        R: Fn(&VendorResponse) -> Result<T, VendorError>,
    {
        let call = Call { request, waiters, read };
        let slot = tokio::select! {
            biased;
            retry_after = self.breaker.opened() => return Err(SendError::BreakerOpen { retry_after }.into()),
            slot = self.attempts.acquire(&call) => slot?,
        };
        let permit = match self.breaker.permit(self.attempts.hang_limit()) {
            Ok(permit) => permit,
            Err(retry_after) => {
                slot.cancel();
                return Err(SendError::BreakerOpen { retry_after }.into());
            }
        };
        let sent = if permit.is_probe() {
            let _probing = match self.probe.start(self.attempts.timeout).await {
                Ok(probing) => probing,
                Err(retry_after) => {
                    slot.cancel();
                    return Err(SendError::BreakerOpen { retry_after }.into());
                }
            };
            // The open connections may be the reason of the failures.
            self.attempts.endpoint.renew_connections();
            self.attempts.send(&call, slot, self.attempts.timeout, 0).await
        } else {
            self.retries.send(&self.attempts, &call, slot, &permit).await
        };
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

    /// Returns the calls that a caller's share allows now. `None` if the caller
    /// may use the whole budget.
    #[must_use]
    pub fn share_remaining(&self, caller: &CallerShare) -> Option<u32> {
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
