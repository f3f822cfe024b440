//! Outcome of a list at each source.

use crate::{
    domain::{connection::ConnectionName, progress::Shortfall},
    vendors::plan::PlanError,
};

use super::{DirectoryError, Origin};

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

impl SourceReport {
    /// Adds the outcome of another walk of the same source.
    pub(super) fn merge(&mut self, other: Self) {
        let outcome = std::mem::replace(&mut self.outcome, SourceOutcome::NotAsked);
        self.outcome = outcome.merge(other.outcome);
    }
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
    /// Returns the rows of both counts.
    fn plus(self, other: Self) -> Self {
        Self {
            null: self.null.saturating_add(other.null),
            unreadable: self.unreadable.saturating_add(other.unreadable),
            undecided: self.undecided.saturating_add(other.undecided),
        }
    }

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
        /// Origin of the rows.
        origin: Origin,
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
    /// Returns the outcome of two walks of one source. A failure is the outcome of both.
    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (failed @ (Self::Failed(_) | Self::Skipped(_)), _) | (_, failed @ (Self::Failed(_) | Self::Skipped(_))) => {
                failed
            }
            (Self::NotAsked, Self::NotAsked) => Self::NotAsked,
            (Self::NotAsked, Self::Answered { origin, is_partial, fetched_at, unserved, shortfall, .. })
            | (Self::Answered { origin, is_partial, fetched_at, unserved, shortfall, .. }, Self::NotAsked) => {
                Self::Answered { origin, is_partial, total: None, fetched_at, unserved, shortfall }
            }
            (
                Self::Answered { origin, is_partial, total, fetched_at, unserved, shortfall },
                Self::Answered {
                    origin: other_origin,
                    is_partial: is_other_partial,
                    total: other_total,
                    fetched_at: other_fetched_at,
                    unserved: other_unserved,
                    shortfall: other_shortfall,
                },
            ) => Self::Answered {
                origin: origin.merge(other_origin),
                is_partial: is_partial || is_other_partial,
                total: total.zip(other_total).map(|(total, other)| total.saturating_add(other)),
                fetched_at: fetched_at.into_iter().chain(other_fetched_at).min(),
                unserved: unserved.plus(other_unserved),
                shortfall: shortfall.or(other_shortfall),
            },
        }
    }

    /// Returns the origin of the rows, if the source contributed.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Answered { origin, .. } => Some(*origin),
            Self::NotAsked | Self::Failed(_) | Self::Skipped(_) => None,
        }
    }

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
