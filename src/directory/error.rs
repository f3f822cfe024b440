//! Errors of the directory. The mapping to HTTP is in `api`.

use crate::{
    cache::FetchFailure,
    domain::{connection::ConnectionName, cursor::CursorError, progress::Shortfall},
    vendors::{RefusalKind, plan::PlanError},
};

use super::{SortLimit, SourceError};

/// Failure of a list, an explanation, an export or a retrieval.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryError {
    /// No connection has this name.
    #[error("there is no connection `{0}`")]
    UnknownConnection(String),
    /// The connection's vendor does not support the query.
    #[error("{1}")]
    Plan(ConnectionName, PlanError),
    /// Sorting exceeds the limit for rows or for vendor calls.
    #[error("the vendor cannot sort: {}", .limit.describe(*.rows))]
    OrderTooExpensive {
        /// Connection whose vendor cannot sort.
        connection: ConnectionName,
        /// Number of rows to sort, as reported by the vendor.
        rows: Option<u64>,
        /// The limit.
        limit: SortLimit,
        /// Parameters that the vendor applies itself.
        native: Vec<&'static str>,
    },
    /// Merging requires more vendor calls than the request may make.
    #[error("merging {sources} lists takes at least {sources} vendor calls, and this request may make {allowed}")]
    MergeTooExpensive {
        /// Number of lists: one for each connection and value.
        sources: usize,
        /// Number of vendor calls that the request may make.
        allowed: u32,
    },
    /// The cursor is not valid for this query.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The vendor rejects the cursor's position.
    #[error("the vendor no longer accepts this cursor's position")]
    CursorExpired(ConnectionName),
    /// The vendor's cursors lead back to a page already visited.
    #[error("the vendor's cursors form a cycle")]
    Circular(ConnectionName),
    /// The vendor ended the list before its own row count.
    #[error("the vendor ended the list after {} of {} rows", .1.rows, .1.total)]
    Truncated(ConnectionName, Shortfall),
    /// The vendor's response for one customer of a batch contains no customer.
    #[error("`{0}`: {1}")]
    Customer(String, Box<DirectoryError>),
    /// The vendor has no such row.
    #[error("there is no such row")]
    NotFound,
    /// The request's time is over before the first row.
    #[error("the vendors did not respond in time")]
    DeadlineExceeded,
    /// The connection's vendor returned no rows.
    #[error("{1}")]
    Source(ConnectionName, SourceError),
}

impl DirectoryError {
    /// Returns the connection that caused the error, if there is one.
    pub(super) fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::Plan(connection, _)
            | Self::OrderTooExpensive { connection, .. }
            | Self::CursorExpired(connection)
            | Self::Circular(connection)
            | Self::Truncated(connection, _)
            | Self::Source(connection, _) => Some(connection),
            Self::Customer(_, error) => error.connection(),
            Self::UnknownConnection(_)
            | Self::MergeTooExpensive { .. }
            | Self::Cursor(_)
            | Self::DeadlineExceeded
            | Self::NotFound => None,
        }
    }

    /// Returns true if older rows may be served instead (RFC 5861, section 4).
    pub(super) fn allows_stale(&self) -> bool {
        matches!(self, Self::Source(_, error) if error.allows_stale())
    }

    /// Returns true if the source failed and may recover. False if the request
    /// caused the error.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Circular(_) | Self::Truncated(..) => true,
            Self::Customer(_, error) => error.is_transient(),
            Self::Source(_, SourceError::Vendor { error, .. }) => {
                !matches!(error.kind(), Some(RefusalKind::ValueRejected(_)))
            }
            Self::Source(_, error) => *error != SourceError::Aborted,
            _ => false,
        }
    }
}
