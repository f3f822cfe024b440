//! Work for the job of a stored list.

use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::domain::page::RecordPage;

/// Work for the job of a list.
#[derive(Debug, Default)]
pub struct Inbox {
    /// True if a caller requested a walk.
    pub is_walk_requested: bool,
    /// True if all rows were purged. The walk in progress is not used.
    pub is_purged: bool,
    /// Purged rows, by their ids at the vendor. The list answers no question until the
    /// job has fetched them.
    pub purged: HashSet<Box<str>>,
    /// Rows that were purged again since, and therefore have to be read again.
    pub(super) purged_again: HashSet<Box<str>>,
    /// Number of purges of all rows.
    pub(super) whole_purges: u64,
    /// Pages that other requests fetched.
    pub fetched: Vec<Fetched>,
}

/// Page that a request fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The page.
    pub page: Arc<RecordPage>,
    /// Start of the fetch, on the clock of the process.
    pub started: Duration,
    /// Number of purges of the list before the start.
    pub purges: u64,
}

impl Inbox {
    /// Takes the work, except for purged rows. `None` if there is no work.
    pub(super) fn take(&mut self, reads_rows: bool) -> Option<Self> {
        let has_rows = reads_rows && !self.purged.is_empty();
        let has_work = self.is_walk_requested || self.is_purged || has_rows || !self.fetched.is_empty();
        has_work.then(|| Self {
            is_walk_requested: std::mem::take(&mut self.is_walk_requested),
            is_purged: std::mem::take(&mut self.is_purged),
            purged: if has_rows { self.purged.clone() } else { HashSet::new() },
            fetched: std::mem::take(&mut self.fetched),
            purged_again: HashSet::new(),
            whole_purges: self.whole_purges,
        })
    }
}
