//! Errors of a source.

use std::time::Duration;

use crate::{
    cache::{FetchAborted, FetchFailure, NotCached},
    upstream::SendError,
    vendors::{Refusal, RefusalKind, VendorError},
};

/// Failure of a call to a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The vendor responded without rows.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// The vendor responded with 429.
    #[error("{}", RefusalKind::RateLimited)]
    RateLimited {
        /// The vendor's response.
        refusal: Refusal,
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

impl FetchFailure for SourceError {
    fn allows_stale(&self) -> bool {
        match self {
            Self::Vendor(VendorError::Refused { kind, .. }) => {
                matches!(kind, RefusalKind::Failed | RefusalKind::RateLimited)
            }
            Self::Vendor(error) => matches!(error, VendorError::Unreadable(_)),
            Self::RateLimited { .. } | Self::Send(_) => true,
            Self::NotCached | Self::Aborted => false,
        }
    }

    fn is_not_found(&self) -> bool {
        *self == Self::Vendor(VendorError::NotFound)
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Vendor(VendorError::NotFound) => Some(404),
            Self::Vendor(VendorError::Refused { refusal, .. }) | Self::RateLimited { refusal, .. } => {
                Some(refusal.status)
            }
            Self::Vendor(VendorError::Unreadable(_)) => Some(200),
            Self::Send(_) | Self::NotCached | Self::Aborted => None,
        }
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
