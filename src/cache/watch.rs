//! State of entries, for responses that repeat their pages.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::CacheMetrics;

/// Mark of an entry that was replaced, removed or dropped.
#[derive(Debug, Default)]
pub(super) struct SupersededMark(Arc<AtomicBool>);

/// State of an entry. Does not keep the page in memory.
#[derive(Debug, Clone)]
pub struct EntryWatch {
    superseded: Arc<AtomicBool>,
    metrics: Arc<CacheMetrics>,
}

impl SupersededMark {
    /// Returns true if the mark is set.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Sets the mark.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Drop for SupersededMark {
    fn drop(&mut self) {
        self.set();
    }
}

impl EntryWatch {
    /// Watches the mark of an entry.
    pub(super) fn new(mark: &SupersededMark, metrics: Arc<CacheMetrics>) -> Self {
        Self { superseded: Arc::clone(&mark.0), metrics }
    }

    /// Returns true if the entry was replaced, removed or dropped.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Counts a cache hit that bypassed the lookup.
    pub fn count_hit(&self) {
        self.metrics.hit.increment(1);
    }
}
