//! Single attempts of a vendor call: budget slot, send, classification.

use std::time::Duration;

use crate::{
    clock::SharedClock,
    domain::priority::Priority,
    vendors::{RefusalKind, VendorError, VendorRequest, VendorResponse},
};

use super::{Budget, CallError, Endpoint, Reply, SendError, UpstreamMetrics, endpoint::Received};

/// Vendor call with its deadline and the reader of its response.
pub(super) struct Call<'r, R> {
    pub(super) request: &'r VendorRequest,
    pub(super) priority: Priority,
    /// Instant at which the call ends, on the gateway's clock.
    pub(super) deadline: Duration,
    /// Reader that classifies the response.
    pub(super) read: R,
}

/// Sender of single attempts.
pub(super) struct Attempts {
    pub(super) endpoint: Endpoint,
    pub(super) budget: Budget,
    pub(super) clock: SharedClock,
    pub(super) metrics: UpstreamMetrics,
}

impl Attempts {
    /// Makes one attempt. Each attempt takes a slot, because vendors count
    /// retries too.
    pub(super) async fn send<T, R>(&self, call: &Call<'_, R>, resends: u32) -> Result<Reply<T>, CallError>
    where
        R: Fn(&VendorResponse) -> Result<T, VendorError>,
    {
        self.acquire_slot(call).await?;
        let Received { response, retry_after } = self.endpoint.send(call.request, self.clock.now(), resends).await?;
        match (call.read)(&response) {
            Ok(value) => {
                self.budget.on_success();
                Ok(Reply { value, response })
            }
            Err(error) => {
                let retry_after = self.react(&error, retry_after);
                Err(CallError::Vendor { error, status: response.status, retry_after })
            }
        }
    }

    /// Returns the time until the deadline of a call.
    pub(super) fn remaining<R>(&self, call: &Call<'_, R>) -> Duration {
        call.deadline.saturating_sub(self.clock.elapsed())
    }

    /// Applies a response without records to the budget. Returns the wait for
    /// the caller.
    fn react(&self, error: &VendorError, requested: Option<Duration>) -> Option<Duration> {
        match error.kind() {
            Some(RefusalKind::RateLimited) => {
                self.budget.on_rejected(requested);
                Some(self.budget.blocked_for())
            }
            Some(RefusalKind::Failed { .. }) => {
                if let Some(wait) = requested {
                    self.budget.pause(wait);
                }
                requested
            }
            _ => {
                self.budget.on_success();
                None
            }
        }
    }

    async fn acquire_slot<R>(&self, call: &Call<'_, R>) -> Result<(), SendError> {
        let start = self.clock.elapsed();
        let admitted = self.budget.admit(call.priority, self.remaining(call)).await;
        match &admitted {
            Ok(()) => self.metrics.record_wait(call.priority, self.clock.elapsed().saturating_sub(start)),
            Err(_) => self.metrics.record_rejection(call.priority),
        }
        admitted
    }
}
