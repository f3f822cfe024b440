//! Why the directory has no answer. Knows no HTTP: `api` decides what each
//! means to a caller.

use crate::{
    cache::{FetchError, FlightLost, NotCached},
    domain::{connection::ConnectionName, cursor::CursorError},
    upstream::SendError,
    vendors::{VendorError, plan::PlanError},
};

/// Why a question has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryError {
    /// There is no connection of this name.
    #[error("there is no connection `{0}`")]
    UnknownConnection(String),
    /// The question is to several connections at once.
    #[error("several connections at once are not supported yet")]
    SeveralConnections(Vec<ConnectionName>),
    /// The question cannot be put to the connection's vendor.
    #[error("{1}")]
    Plan(ConnectionName, PlanError),
    /// The cursor is not for this question.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The vendor no longer knows the place that the cursor names.
    #[error("the vendor no longer knows the place that the cursor names")]
    CursorExpired(ConnectionName),
    /// The vendor's own cursor is too long for one of ours.
    #[error("the vendor's cursor is too long to be passed on")]
    CursorTooLong(ConnectionName),
    /// The vendor's cursors lead back to where the walk has been.
    #[error("the vendor's paging goes round in circles")]
    Circular(ConnectionName),
    /// There is no such row.
    #[error("there is no such row")]
    NotFound,
    /// The connection's vendor did not answer with rows.
    #[error("{1}")]
    Source(ConnectionName, SourceError),
}

/// Why a vendor did not answer with rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It answered with something else.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// It did not answer.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The caller wanted what is kept and nothing else, and nothing is kept.
    #[error("nothing is kept of this, and `only-if-cached` allows no vendor call")]
    NotCached,
    /// The gateway itself failed on the way.
    #[error("the call was lost inside the gateway")]
    Lost,
}

impl FetchError for SourceError {
    fn allows_stale(&self) -> bool {
        match self {
            Self::Vendor(error) => {
                matches!(error, VendorError::Failed(_) | VendorError::RateLimited(_) | VendorError::Unreadable(_))
            }
            Self::Send(_) => true,
            Self::NotCached | Self::Lost => false,
        }
    }

    fn is_not_found(&self) -> bool {
        *self == Self::Vendor(VendorError::NotFound)
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Vendor(VendorError::NotFound) => Some(404),
            Self::Vendor(
                VendorError::CursorRefused(refusal)
                | VendorError::ValueRefused(_, refusal)
                | VendorError::Rejected(refusal)
                | VendorError::Unauthorized(refusal)
                | VendorError::RateLimited(refusal)
                | VendorError::Failed(refusal),
            ) => Some(refusal.status),
            Self::Vendor(VendorError::Unreadable(_)) => Some(200),
            Self::Send(SendError::BudgetSpent { refused: true, .. }) => Some(429),
            Self::Send(_) | Self::NotCached | Self::Lost => None,
        }
    }
}

impl From<NotCached> for SourceError {
    fn from(_: NotCached) -> Self {
        Self::NotCached
    }
}

impl From<FlightLost> for SourceError {
    fn from(_: FlightLost) -> Self {
        Self::Lost
    }
}
