//! Settings of the stored lists of a connection.

use std::{path::PathBuf, time::Duration};

use crate::domain::query::Resource;

/// Settings of the stored lists of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncSettings {
    /// Time from the start of one walk of a list to the start of the next.
    pub every: Duration,
    /// Time between two requests for the newest rows; `None` without such requests.
    /// Used for vendors that list the newest rows first.
    pub newest: Option<Duration>,
    /// Maximum part of the rate limit that walks use, from 0 to 1.
    pub budget: f64,
    /// Age of a list from which on the vendor answers. Older lists are served only
    /// while the vendor fails.
    pub max_age: Duration,
    /// Maximum memory of one list, in bytes.
    pub max_bytes: u64,
    /// Resources whose lists are stored.
    pub resources: Vec<Resource>,
    /// File that keeps the lists across restarts, if any.
    pub snapshot: Option<PathBuf>,
}

impl SyncSettings {
    /// Default time between two walks.
    pub const DEFAULT_EVERY: Duration = Duration::from_mins(15);
    /// Default time between two requests for the newest rows.
    pub const DEFAULT_NEWEST: Duration = Duration::from_secs(30);
    /// Default part of the rate limit.
    pub const DEFAULT_BUDGET: f64 = 0.5;
    /// Default maximum memory of one list, in bytes.
    pub const DEFAULT_MAX_BYTES: u64 = 512 << 20;

    /// Returns the default age from which on the vendor answers.
    #[must_use]
    pub fn default_max_age(every: Duration) -> Duration {
        every.saturating_mul(4)
    }
}
