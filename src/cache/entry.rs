//! Cache entries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{clock::SharedClock, domain::page::RecordPage};

use super::{CacheMetrics, Key, Policy};

/// Cached vendor response.
#[derive(Debug)]
pub struct Entry {
    /// Records of the response; empty if the vendor has no such row.
    pub page: Arc<RecordPage>,
    /// False if the vendor responded that the row does not exist.
    pub found: bool,
    /// Wall-clock time of the response.
    pub fetched_at: Timestamp,
    /// Monotonic time of the response.
    pub(super) fetched: Duration,
    superseded: AtomicBool,
    refreshing: AtomicBool,
    metrics: Arc<CacheMetrics>,
}

impl Entry {
    /// Creates an entry of the current time. Without a page, the entry is a
    /// "not found" entry.
    pub(super) fn new(page: Option<RecordPage>, clock: &SharedClock, metrics: Arc<CacheMetrics>) -> Self {
        Self {
            found: page.is_some(),
            page: Arc::new(page.unwrap_or_default()),
            fetched_at: clock.now(),
            fetched: clock.elapsed(),
            superseded: AtomicBool::new(false),
            refreshing: AtomicBool::new(false),
            metrics,
        }
    }

    /// Counts a cache hit that bypassed the lookup.
    pub fn count_hit(&self) {
        self.metrics.hit.increment(1);
    }

    /// Returns true if the entry was replaced or removed.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Marks the entry as replaced or removed.
    pub(super) fn mark_superseded(&self) {
        self.superseded.store(true, Ordering::Release);
    }

    /// Returns the age of the entry.
    pub(super) fn age(&self, clock: &SharedClock) -> Duration {
        clock.elapsed().saturating_sub(self.fetched)
    }

    /// Returns the HTTP status of the vendor's response.
    pub(super) fn status(&self) -> u16 {
        if self.found { 200 } else { 404 }
    }

    /// Returns the freshness lifetime of the entry.
    pub(super) fn lifetime(&self, policy: &Policy) -> Duration {
        if self.found { policy.fresh } else { policy.not_found }
    }

    /// Returns true if a refresh of the entry is running.
    pub(super) fn is_refreshing(&self) -> bool {
        self.refreshing.load(Ordering::Acquire)
    }

    /// Claims the refresh. Returns false if one is already running.
    pub(super) fn claim_refresh(&self) -> bool {
        !self.refreshing.swap(true, Ordering::AcqRel)
    }

    /// Allows the next refresh.
    pub(super) fn release_refresh(&self) {
        self.refreshing.store(false, Ordering::Release);
    }

    /// Returns the bytes that the entry, its page and its key occupy.
    /// Reference counts and the store's own bookkeeping are not included.
    pub(super) fn weight(&self, key: &Key) -> usize {
        size_of::<Self>() + self.page.weight() + size_of::<Key>() + key.target.len()
    }

    /// Counts the entry as stored.
    pub(super) fn on_inserted(&self, key: &Key, policy: &Policy) {
        let usable_for = policy.fresh.saturating_add(policy.max_stale());
        let usable_until = self.found.then(|| self.fetched.saturating_add(usable_for));
        self.metrics.record_insert(self.weight(key), usable_until);
    }

    /// Marks the entry as superseded and counts the removal. `evicted` means
    /// that the store needed the space.
    pub(super) fn on_removed(&self, key: &Key, evicted: bool) {
        self.mark_superseded();
        self.metrics.record_removal(self.weight(key), self.found, evicted);
    }
}
