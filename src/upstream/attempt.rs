//! Single attempts of a vendor call: send, classification, reaction.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::SharedClock,
    vendors::{RefusalKind, VendorError, VendorRequest, VendorResponse},
};

use super::{
    Budget, CallError, Endpoint, Latency, Reply, SendError, UpstreamMetrics, Waiters, budget::SendSlot,
    endpoint::Received,
};

/// Multiple of the recent latency after which a call may hang.
const HANG_FACTOR: u32 = 4;

/// Vendor call with the requests that wait for it and the reader of its response.
pub(super) struct Call<'r, R> {
    pub(super) request: &'r VendorRequest,
    pub(super) waiters: &'r Waiters,
    /// Reader that classifies the response.
    pub(super) read: R,
}

/// Sender of single attempts.
pub(super) struct Attempts {
    pub(super) endpoint: Endpoint,
    pub(super) budget: Budget,
    /// Maximum time of all attempts of a call, without the time in the queue.
    pub(super) timeout: Duration,
    pub(super) latency: Arc<Latency>,
    pub(super) clock: SharedClock,
    pub(super) metrics: UpstreamMetrics,
}

impl Attempts {
    /// Waits for a slot. Each attempt takes a slot, because vendors count
    /// retries too.
    pub(super) async fn acquire<R>(&self, call: &Call<'_, R>) -> Result<SendSlot, SendError> {
        let start = self.clock.elapsed();
        let priority = call.waiters.priority();
        let acquired = self.budget.acquire(call.waiters).await;
        match (&acquired, priority) {
            (Ok(_), Some(priority)) => self.metrics.record_wait(priority, self.clock.elapsed().saturating_sub(start)),
            (Err(SendError::Abandoned), _) => self.metrics.record_abandoned(),
            (Err(_), Some(priority)) => self.metrics.record_rejection(priority),
            (_, None) => {}
        }
        acquired
    }

    /// Returns the time after which a call in flight hangs: half of the time limit,
    /// and much longer than recent calls took. `None` without recent calls.
    pub(super) fn hang_limit(&self) -> Option<Duration> {
        let recent = self.latency.high()?;
        Some((self.timeout / 2).max(recent.saturating_mul(HANG_FACTOR)))
    }

    /// Sends a call in its slot, and reads the response for at most `timeout`.
    pub(super) async fn send<T, R>(
        &self,
        call: &Call<'_, R>,
        slot: SendSlot,
        timeout: Duration,
        resends: u32,
    ) -> Result<Reply<T>, CallError>
    where
        R: Fn(&VendorResponse) -> Result<T, VendorError>,
    {
        let sent = slot.sent();
        let sending = self.endpoint.send(call.request, self.clock.now(), resends);
        let received = tokio::time::timeout(timeout, sending).await;
        let duration = self.clock.elapsed().saturating_sub(sent);
        let received = received.unwrap_or(Err(SendError::TimedOut(self.timeout)));
        match &received {
            Ok(_) => {
                self.latency.record(duration);
                slot.answered();
            }
            Err(error) => {
                if matches!(error, SendError::TimedOut(_)) {
                    self.latency.record(duration);
                }
                drop(slot);
            }
        }
        let Received { response, retry_after } = received?;
        match (call.read)(&response) {
            Ok(value) => {
                self.budget.on_success(sent);
                Ok(Reply { value, response })
            }
            Err(error) => {
                let retry_after = self.react(&error, sent, retry_after);
                Err(CallError::Vendor { error, status: response.status, retry_after })
            }
        }
    }

    /// Applies a response without records to the budget. Returns the wait for
    /// the caller.
    fn react(&self, error: &VendorError, sent: Duration, requested: Option<Duration>) -> Option<Duration> {
        match error.kind() {
            Some(RefusalKind::RateLimited) => {
                self.budget.on_rate_limited(sent, requested);
                Some(self.budget.blocked_for())
            }
            Some(RefusalKind::Failed { .. }) => {
                if let Some(wait) = requested {
                    self.budget.pause(wait);
                }
                requested
            }
            _ => {
                self.budget.on_success(sent);
                None
            }
        }
    }
}
