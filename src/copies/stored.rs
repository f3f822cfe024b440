//! Complete list with the time of its walk.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use jiff::Timestamp;
use moka::sync::Cache;

use super::{Question, Selection, StoredList};

/// Work above which a question is answered on a thread of its own, in units of about
/// 100 ns.
const LONG_WORK: usize = 2000;

/// Divisor of a list's memory for the answers to recent questions.
const SELECTIONS_DIVISOR: u64 = 16;

/// Complete list, with the time of its walk.
#[derive(Debug)]
pub struct Stored {
    /// The rows.
    pub list: Arc<StoredList>,
    /// Start of the walk that the list rests on.
    pub synced_at: Timestamp,
    /// The same instant on the clock of the process.
    pub synced: Duration,
    /// Answers to recent questions, so the pages of one walk are selected once.
    selections: Cache<Question, Arc<Selection>>,
    superseded: AtomicBool,
}

impl Stored {
    /// Creates a list that rests on a walk of this start.
    #[must_use]
    pub fn new(list: Arc<StoredList>, synced_at: Timestamp, synced: Duration) -> Self {
        let max_bytes = (list.bytes() / SELECTIONS_DIVISOR).max(1 << 20);
        let weigh = |_: &Question, selection: &Arc<Selection>| {
            u32::try_from(size_of::<Question>() + selection.bytes()).unwrap_or(u32::MAX)
        };
        let selections = Cache::builder().weigher(weigh).max_capacity(max_bytes).build();
        Self { list, synced_at, synced, selections, superseded: AtomicBool::new(false) }
    }

    /// Returns the same walk with changed rows.
    #[must_use]
    pub fn with_list(&self, list: StoredList) -> Self {
        Self::new(Arc::new(list), self.synced_at, self.synced)
    }

    /// Returns the rows that answer a question. A long search runs on a thread of its
    /// own, so other requests are not delayed. `None` if that thread ended early,
    /// because of a defect or while the process stops.
    pub async fn select(&self, question: &Question) -> Option<Arc<Selection>> {
        if let Some(known) = self.selections.get(question) {
            return Some(known);
        }
        let selection = if self.list.work(question) < LONG_WORK {
            self.list.select(question)
        } else {
            let (list, question) = (Arc::clone(&self.list), question.clone());
            tokio::task::spawn_blocking(move || list.select(&question)).await.ok()?
        };
        let selection = Arc::new(selection);
        self.selections.insert(question.clone(), Arc::clone(&selection));
        Some(selection)
    }

    /// Returns true if another list has replaced this one, or a purge concerns it.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Relaxed)
    }

    pub(super) fn mark_superseded(&self) {
        self.superseded.store(true, Relaxed);
    }
}
