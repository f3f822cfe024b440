//! Outcome of a list at each source.

use crate::{
    domain::{connection::ConnectionName, progress::Shortfall},
    vendors::plan::PlanError,
};

use super::DirectoryError;

/// Outcome of a list or of a batch at one source.
#[derive(Debug)]
pub struct SourceReport {
    /// Name of the connection.
    pub connection: ConnectionName,
    /// Kind of vendor.
    pub vendor: &'static str,
    /// Outcome at the connection.
    pub outcome: SourceOutcome,
    /// Gateway ids of a batch that the vendor does not have; `None` for a list.
    pub not_found: Option<Vec<String>>,
}

/// Rows that the vendor sent and a list cannot contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnservedRows {
    /// Number of null rows. They have no content.
    pub null: u32,
    /// Number of rows that are not objects, have no id or have an unreadable
    /// account.
    pub unreadable: u32,
    /// Number of rows with an unreadable value that a filter requires.
    pub undecided: u32,
}

impl UnservedRows {
    /// Returns true if rows with content are missing from the list.
    #[must_use]
    pub fn has_content(self) -> bool {
        self.unreadable > 0 || self.undecided > 0
    }
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
        /// Rows that the vendor sent and the list does not contain.
        unserved: UnservedRows,
        /// Shortfall of a list that ended before the vendor's row count.
        shortfall: Option<Shortfall>,
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

    /// Returns the rows that the vendor sent and the list does not contain.
    #[must_use]
    pub fn unserved(&self) -> UnservedRows {
        match self {
            Self::Answered { unserved, .. } => *unserved,
            Self::NotAsked | Self::Failed(_) | Self::Skipped(_) => UnservedRows::default(),
        }
    }
}
