//! State of a stored list, as operators see it.

use std::time::Duration;

use jiff::Timestamp;

/// State of a stored list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncState {
    /// No list is stored, and no walk runs.
    #[default]
    Off,
    /// The first walk runs.
    Walking,
    /// A complete list is stored.
    Complete,
    /// The last walk did not prove a complete list, and no list is stored.
    Incomplete,
    /// The list exceeds `max_bytes`, and no list is stored.
    TooLarge,
}

impl SyncState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Off, Self::Walking, Self::Complete, Self::Incomplete, Self::TooLarge];

    /// Returns the name of the state.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Walking => "walking",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::TooLarge => "too_large",
        }
    }
}

/// Status of a stored list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncStatus {
    /// The state.
    pub state: SyncState,
    /// True while a walk runs.
    pub is_walking: bool,
    /// Number of rows of the stored list.
    pub rows: u64,
    /// Memory of the stored list, in bytes.
    pub bytes: u64,
    /// Start of the walk that the stored list rests on.
    pub synced_at: Option<Timestamp>,
    /// The last complete walk of this process.
    pub last_walk: Option<WalkReport>,
    /// Reason why the last walk ended without a complete list.
    pub failure: Option<String>,
}

/// Report of a complete walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WalkReport {
    /// Duration of the walk.
    pub duration: Duration,
    /// Number of vendor calls.
    pub calls: u64,
    /// Changes since the walk before.
    pub changes: Changes,
}

/// Numbers of rows that differ between two walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Rows that the walk before did not have.
    pub created: u64,
    /// Rows with other content.
    pub updated: u64,
    /// Rows that only the walk before had.
    pub deleted: u64,
}

impl Changes {
    /// Returns the sum of two numbers of changes.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            deleted: self.deleted + other.deleted,
        }
    }

    /// Returns true if nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
