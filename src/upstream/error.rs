//! Failures of vendor calls.

use std::time::Duration;

use crate::{
    clock::ceil_seconds,
    http_client::BodyError,
    vendors::{RefusalKind, VendorError},
};

/// Failure of a vendor call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The call has no response.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The response has no records.
    #[error("{error}")]
    Vendor {
        /// Classification of the response.
        error: VendorError,
        /// HTTP status of the response.
        status: u16,
        /// Wait that the vendor requested; after a rate limit, the remaining
        /// block of the budget.
        retry_after: Option<Duration>,
    },
}

/// Failure of a vendor call without a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The budget has no slot in time, or the vendor blocks the credential.
    #[error("the vendor's rate limit is exhausted; retry in {} s", ceil_seconds(*.retry_after))]
    BudgetSpent {
        /// Time until a slot is free.
        retry_after: Duration,
    },
    /// The vendor failed and requested a pause.
    #[error("the vendor has requested a pause; retry in {} s", ceil_seconds(*.retry_after))]
    Paused {
        /// Time until the pause ends.
        retry_after: Duration,
    },
    /// The caller's share of the budget has no slot in time.
    #[error("the caller's share of the vendor's rate limit is exhausted; retry in {} s", ceil_seconds(*.retry_after))]
    ShareSpent {
        /// Time until a slot is free.
        retry_after: Duration,
    },
    /// The circuit breaker rejects the call.
    #[error("the vendor's circuit breaker is open; retry in {} s", ceil_seconds(*.retry_after))]
    BreakerOpen {
        /// Time until the breaker allows a probe.
        retry_after: Duration,
    },
    /// Too many requests wait for the vendor already. The call was not sent.
    #[error("too many requests wait for the vendor; retry later")]
    TooManyWaiting,
    /// No request waits for the call any more. The call was not sent.
    #[error("no request waits for the vendor call")]
    Abandoned,
    /// The vendor did not respond in time.
    #[error("no response within {0:?}")]
    TimedOut(Duration),
    /// The request failed before a response arrived.
    #[error("the vendor cannot be reached: {0}")]
    Unreachable(String),
    /// This machine lacks a resource for the request, such as a file descriptor.
    /// The vendor is not at fault.
    #[error("the gateway's machine lacks a resource for the vendor call: {0}; retry later")]
    Local(String),
    /// The response body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl CallError {
    /// Returns whether another attempt can help.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Send(SendError::Unreachable(_)) => true,
            Self::Send(SendError::Body(error)) => error.is_interruption(),
            Self::Send(_) => false,
            Self::Vendor { error, .. } => {
                matches!(error.kind(), Some(RefusalKind::RateLimited | RefusalKind::Failed { retryable: true }))
            }
        }
    }

    /// Returns whether no request was sent, or this machine could not read the
    /// response. The vendor is not at fault.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Send(error) if error.is_unsent())
    }
}

impl SendError {
    /// Returns whether no request was sent, or this machine could not read the
    /// response. The vendor is not at fault.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::BudgetSpent { .. }
            | Self::Paused { .. }
            | Self::ShareSpent { .. }
            | Self::BreakerOpen { .. }
            | Self::TooManyWaiting
            | Self::Abandoned
            | Self::Local(_) => true,
            Self::Body(error) => error.is_local(),
            Self::TimedOut(_) | Self::Unreachable(_) => false,
        }
    }

    /// Returns the `error.type` of a span.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::BudgetSpent { .. } => "budget_spent",
            Self::Paused { .. } => "paused",
            Self::ShareSpent { .. } => "share_spent",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::TooManyWaiting => "too_many_waiting",
            Self::Abandoned => "abandoned",
            Self::TimedOut(_) => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Body(BodyError::Interrupted(_)) => "body_error",
            Self::Body(BodyError::TooLarge(_)) => "too_large",
            Self::Local(_) | Self::Body(BodyError::MemoryLimit(_) | BodyError::Local(_)) => "local",
            Self::Body(BodyError::UnknownCoding(_) | BodyError::Undecodable(_)) => "undecodable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_errors_are_not_the_vendors() {
        for error in [
            SendError::Local("descriptors".to_owned()),
            SendError::Body(BodyError::Local("buffers".to_owned())),
            SendError::Body(BodyError::MemoryLimit(1)),
        ] {
            assert!(error.is_unsent() && error.kind() == "local", "{error}");
            assert!(!CallError::Send(error).is_retryable());
        }
    }
}
