//! Why the directory has no answer. Knows no HTTP: `api` decides what each
//! means to a caller.

use crate::{
    cache::FlightLost,
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
    /// The gateway itself failed on the way.
    #[error("the call was lost inside the gateway")]
    Lost,
}

impl From<FlightLost> for SourceError {
    fn from(_: FlightLost) -> Self {
        Self::Lost
    }
}
