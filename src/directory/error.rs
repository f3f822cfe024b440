//! Why the directory has no answer. Knows no HTTP: `api` decides what each
//! means to a caller.

use std::time::Duration;

use crate::{
    cache::{FetchAborted, FetchFailure, NotCached},
    domain::{connection::ConnectionName, cursor::CursorError},
    upstream::SendError,
    vendors::{PAGE_SIZE, Refusal, RefusalKind, VendorError, plan::PlanError},
};

/// Why a question has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryError {
    /// There is no connection of this name.
    #[error("there is no connection `{0}`")]
    UnknownConnection(String),
    /// The question cannot be put to the connection's vendor.
    #[error("{1}")]
    Plan(ConnectionName, PlanError),
    /// The order would take more vendor calls than a request may make.
    #[error("{}", too_expensive(*.rows, *.allowed))]
    OrderTooExpensive {
        /// The connection whose vendor does not keep the order.
        connection: ConnectionName,
        /// How many rows it would have to be made of, by the vendor's count.
        rows: Option<u64>,
        /// How many vendor calls a request may make.
        allowed: u32,
        /// The parameters that the vendor applies itself.
        native: Vec<&'static str>,
    },
    /// To merge so many sources takes more vendor calls than a request may make.
    #[error("to merge {sources} connections takes at least {sources} vendor calls, and a request may make {allowed}")]
    MergeTooExpensive {
        /// How many sources there are.
        sources: usize,
        /// How many vendor calls a request may make.
        allowed: u32,
    },
    /// The cursor is not for this question.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The vendor no longer knows the place that the cursor names.
    #[error("the vendor no longer knows the place that the cursor names")]
    CursorExpired(ConnectionName),
    /// The vendor's own cursor is too long for one of ours.
    #[error("the vendor's cursor is too long to be passed on")]
    CursorTooLong(ConnectionName),
    /// The places in all sources do not fit into one cursor.
    #[error("the places in so many connections do not fit into one cursor")]
    TooManyConnections,
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

impl DirectoryError {
    /// The connection that it comes from, where it is one's.
    pub(super) fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::Plan(connection, _)
            | Self::OrderTooExpensive { connection, .. }
            | Self::CursorExpired(connection)
            | Self::CursorTooLong(connection)
            | Self::Circular(connection)
            | Self::Source(connection, _) => Some(connection),
            Self::UnknownConnection(_)
            | Self::MergeTooExpensive { .. }
            | Self::Cursor(_)
            | Self::TooManyConnections
            | Self::NotFound => None,
        }
    }
}

fn too_expensive(rows: Option<u64>, allowed: u32) -> String {
    let (cost, whose) = match rows.map(|rows| (rows, rows.div_ceil(PAGE_SIZE as u64))) {
        // The other connections have taken theirs.
        Some((rows, calls)) if calls <= u64::from(allowed) => {
            (format!("its {rows} rows takes {calls} vendor calls"), " for all its connections")
        }
        Some((rows, calls)) => (format!("its {rows} rows takes {calls} vendor calls"), ""),
        None => ("its rows takes more vendor calls".to_owned(), ""),
    };
    format!("the vendor keeps no order: to order {cost}, and this request may make {allowed}{whose}")
}

/// Why a vendor did not answer with rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It answered with something else.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// It is asked too often, and named a time to come back, if it did.
    #[error("{}", RefusalKind::RateLimited)]
    RateLimited {
        /// What it said.
        refusal: Refusal,
        /// When to ask again.
        retry_after: Option<Duration>,
    },
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

impl FetchFailure for SourceError {
    fn allows_stale(&self) -> bool {
        match self {
            Self::Vendor(VendorError::Refused { kind, .. }) => {
                matches!(kind, RefusalKind::Failed | RefusalKind::RateLimited)
            }
            Self::Vendor(error) => matches!(error, VendorError::Unreadable(_)),
            Self::RateLimited { .. } | Self::Send(_) => true,
            Self::NotCached | Self::Lost => false,
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
            Self::Send(_) | Self::NotCached | Self::Lost => None,
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
        Self::Lost
    }
}
