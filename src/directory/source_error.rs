//! Errors of a source.

use std::time::Duration;

use crate::{
    cache::{FetchAborted, FetchFailure, NotCached},
    upstream::{CallError, SendError},
    vendors::{RefusalKind, VendorError},
};

use super::shared_failure::SharedFailure;

/// Failure of a call to a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The vendor responded without rows.
    #[error("{error}")]
    Vendor {
        /// Classification of the response.
        error: VendorError,
        /// HTTP status of the response. `None` if no request was made.
        status: Option<u16>,
        /// Wait before the next call, if known.
        retry_after: Option<Duration>,
    },
    /// The vendor did not respond.
    #[error(transparent)]
    Send(#[from] SendError),
    /// No entry is cached, and `only-if-cached` forbids a vendor call.
    #[error("not cached, and `only-if-cached` forbids a vendor call")]
    NotCached,
    /// A panic in the gateway ended the call.
    #[error("an internal failure ended the vendor call")]
    Aborted,
}

impl SourceError {
    /// Returns true if a later call may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.allows_stale()
    }

    /// Returns the wait before the next call, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Vendor { retry_after, .. } => *retry_after,
            Self::Send(
                SendError::BudgetSpent { retry_after }
                | SendError::ShareSpent { retry_after }
                | SendError::Paused { retry_after },
            ) => Some(*retry_after),
            Self::Send(_) | Self::NotCached | Self::Aborted => None,
        }
    }

    /// Returns true if a call was not sent, because no slot is free in time.
    pub(super) fn is_too_late(&self) -> bool {
        matches!(
            self,
            Self::Send(SendError::BudgetSpent { .. } | SendError::ShareSpent { .. } | SendError::Paused { .. })
        )
    }
}

impl FetchFailure for SourceError {
    fn allows_stale(&self) -> bool {
        match self {
            Self::Vendor { error: VendorError::Unreadable(_), .. } | Self::Send(_) => true,
            Self::Vendor { error, .. } => {
                matches!(error.kind(), Some(RefusalKind::Failed { .. } | RefusalKind::RateLimited))
            }
            Self::NotCached | Self::Aborted => false,
        }
    }

    fn is_not_found(&self) -> bool {
        matches!(self, Self::Vendor { error: VendorError::NotFound, .. })
    }

    fn is_abandoned(&self) -> bool {
        *self == Self::Send(SendError::Abandoned)
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Vendor { status, .. } => *status,
            Self::Send(_) | Self::NotCached | Self::Aborted => None,
        }
    }

    fn to_shared(&self) -> Option<Vec<u8>> {
        SharedFailure::new(self).map(|failure| failure.to_bytes())
    }

    fn from_shared(bytes: &[u8]) -> Option<Self> {
        SharedFailure::from_bytes(bytes).map(Into::into)
    }
}

impl From<CallError> for SourceError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Send(error) => Self::Send(error),
            CallError::Vendor { error, status, retry_after } => {
                Self::Vendor { error, status: Some(status), retry_after }
            }
        }
    }
}

/// Errors of requests that no vendor received, and of cached "not found"
/// entries.
impl From<VendorError> for SourceError {
    fn from(error: VendorError) -> Self {
        Self::Vendor { error, status: None, retry_after: None }
    }
}

impl From<NotCached> for SourceError {
    fn from(_: NotCached) -> Self {
        Self::NotCached
    }
}

impl From<FetchAborted> for SourceError {
    fn from(_: FetchAborted) -> Self {
        Self::Aborted
    }
}
