//! Outcome of a list at each source.

use crate::{domain::connection::ConnectionName, vendors::plan::PlanError};

use super::DirectoryError;

/// Outcome of a page at one source.
#[derive(Debug)]
pub struct SourceReport {
    /// Name of the connection.
    pub connection: ConnectionName,
    /// Kind of vendor.
    pub vendor: &'static str,
    /// Outcome at the connection.
    pub outcome: SourceOutcome,
}

/// Contribution of a source to a page.
#[derive(Debug)]
pub enum SourceOutcome {
    /// The source contributed.
    Answered {
        /// True if the call budget ran out before the source was exhausted.
        is_partial: bool,
        /// The vendor's count of the query, if it is exactly known.
        total: Option<u64>,
        /// Fetch time of the oldest vendor page; `None` if the call budget ran
        /// out before the first vendor page.
        fetched_at: Option<jiff::Timestamp>,
    },
    /// The page required no rows of the source.
    NotAsked,
    /// The source failed and was skipped. The cursor keeps its position.
    Failed(DirectoryError),
    /// The source was skipped, because it does not support the query.
    Skipped(PlanError),
}

impl SourceOutcome {
    /// Returns the source's count of the query, if it is exactly known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Answered { total, .. } => *total,
            // A source without such a list has no rows.
            Self::Skipped(PlanError::NoSuchOperation) => Some(0),
            Self::NotAsked | Self::Failed(_) | Self::Skipped(_) => None,
        }
    }
}
