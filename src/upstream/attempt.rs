//! Single attempts of a vendor call: budget slot, send, classification.

use std::time::Duration;

use crate::{clock::SharedClock, domain::priority::Priority, http_client::BodyError, vendors::VendorRequest};

use super::{Budget, Endpoint, Reply, SendError, UpstreamMetrics};

/// Vendor call with its deadline.
#[derive(Clone, Copy)]
pub(super) struct Call<'r> {
    pub(super) request: &'r VendorRequest,
    pub(super) priority: Priority,
    /// Instant at which the call ends, on the gateway's clock.
    pub(super) deadline: Duration,
}

/// Sender of single attempts.
pub(super) struct Attempts {
    pub(super) endpoint: Endpoint,
    pub(super) budget: Budget,
    pub(super) clock: SharedClock,
    pub(super) metrics: UpstreamMetrics,
}

/// Result of a failed attempt, by whether a retry can help.
pub(super) enum AttemptError {
    /// Response that a retry may replace. It is returned if no retry is made.
    RetryableResponse(Reply),
    /// Failure that a retry may resolve.
    Retryable(SendError),
    /// Failure that a retry cannot resolve.
    Permanent(SendError),
}

impl Attempts {
    /// Makes one attempt. Each attempt takes a slot, because vendors count
    /// retries too.
    pub(super) async fn send(&self, call: Call<'_>, resends: u32) -> Result<Reply, AttemptError> {
        self.acquire_slot(call).await.map_err(AttemptError::Permanent)?;
        let sent = self.endpoint.send(call.request, self.clock.now(), resends).await;
        let mut reply = sent.map_err(|error| match error {
            SendError::Body(BodyError::TooLarge(_)) => AttemptError::Permanent(error),
            error => AttemptError::Retryable(error),
        })?;
        match reply.response.status {
            429 => {
                self.budget.on_rejected(reply.retry_after);
                reply.retry_after = Some(self.budget.blocked_for());
                Err(AttemptError::RetryableResponse(reply))
            }
            408 | 500 | 502 | 503 | 504 => Err(AttemptError::RetryableResponse(reply)),
            _ => {
                self.budget.on_success();
                Ok(reply)
            }
        }
    }

    /// Returns the time until the deadline of a call.
    pub(super) fn remaining(&self, call: Call<'_>) -> Duration {
        call.deadline.saturating_sub(self.clock.elapsed())
    }

    async fn acquire_slot(&self, call: Call<'_>) -> Result<(), SendError> {
        let start = self.clock.elapsed();
        let admitted = self.budget.admit(call.priority, self.remaining(call)).await;
        match &admitted {
            Ok(()) => self.metrics.record_wait(call.priority, self.clock.elapsed().saturating_sub(start)),
            Err(_) => self.metrics.record_rejection(call.priority),
        }
        admitted
    }
}

impl AttemptError {
    /// Converts the failure to the result of the call.
    pub(super) fn into_result(self) -> Result<Reply, SendError> {
        match self {
            Self::RetryableResponse(reply) => Ok(reply),
            Self::Retryable(error) | Self::Permanent(error) => Err(error),
        }
    }

    pub(super) fn is_retryable(&self) -> bool {
        !matches!(self, Self::Permanent(_))
    }

    /// Returns the wait requested by the vendor. After a 429, the budget
    /// enforces the wait.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::RetryableResponse(reply) if reply.response.status != 429 => reply.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}
