//! Failures of vendor calls.

use std::time::Duration;

use crate::{clock::ceil_seconds, http_client::BodyError};

/// Failure of a vendor call without a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The budget has no slot in time, or the vendor blocks the credential.
    #[error("the vendor's rate limit is exhausted; retry in {} s", ceil_seconds(*.retry_after))]
    BudgetSpent {
        /// Time until a slot is free.
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
    /// The call reached its deadline.
    #[error("no response within {0:?}")]
    TimedOut(Duration),
    /// The request failed before a response arrived.
    #[error("the vendor cannot be reached: {0}")]
    Unreachable(String),
    /// The response body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl SendError {
    /// Returns the `error.type` of a span.
    pub(super) fn kind(&self) -> &'static str {
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
