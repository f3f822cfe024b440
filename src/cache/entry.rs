//! A vendor's answer, kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use moka::notification::RemovalCause;

use crate::{clock::SharedClock, domain::page::RecordPage};

use super::{CacheMetrics, Key, Policy};

/// An answer as it was fetched.
#[derive(Debug)]
pub struct Entry {
    /// The records.
    pub page: RecordPage,
    /// Whether there are any to have: the vendor may have answered that there
    /// is no such row.
    pub found: bool,
    /// When the answer had come, in the time of day.
    pub fetched_at: Timestamp,
    /// The same by the clock that never goes back.
    fetched: Duration,
    digest: [u8; 16],
    superseded: AtomicBool,
    refreshing: AtomicBool,
    metrics: Arc<CacheMetrics>,
}

impl Entry {
    pub(super) fn new(page: Option<RecordPage>, clock: &SharedClock, metrics: Arc<CacheMetrics>) -> Self {
        let found = page.is_some();
        let page = page.unwrap_or_default();
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(page.json_of(&(0..page.len()))).as_bytes()[..16]);
        Self {
            page,
            found,
            fetched_at: clock.now(),
            fetched: clock.elapsed(),
            digest,
            superseded: AtomicBool::new(false),
            refreshing: AtomicBool::new(false),
            metrics,
        }
    }

    /// A digest of the records, to make entity tags of.
    #[must_use]
    pub fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    /// How old the answer is.
    pub(super) fn age(&self, clock: &SharedClock) -> Duration {
        clock.elapsed().saturating_sub(self.fetched)
    }

    /// Counts an answer that was given out again without looking it up.
    pub fn count_hit(&self) {
        self.metrics.hit.increment(1);
    }

    /// The HTTP status that the vendor answered with.
    pub(super) fn status(&self) -> u16 {
        if self.found { 200 } else { 404 }
    }

    /// How long the answer is fresh.
    pub(super) fn lifetime(&self, policy: &Policy) -> Duration {
        if self.found { policy.fresh } else { policy.not_found }
    }

    /// Whether a newer answer has taken its place, or it was removed.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    pub(super) fn supersede(&self) {
        self.superseded.store(true, Ordering::Release);
    }

    /// Whether somebody refreshes the entry.
    pub(super) fn is_refreshing(&self) -> bool {
        self.refreshing.load(Ordering::Acquire)
    }

    /// Whether nobody refreshes the entry yet: then the asker does.
    pub(super) fn start_refresh(&self) -> bool {
        !self.refreshing.swap(true, Ordering::AcqRel)
    }

    pub(super) fn end_refresh(&self) {
        self.refreshing.store(false, Ordering::Release);
    }

    /// The bytes that the entry occupies in the store.
    pub(super) fn weight(&self, key: &Key) -> usize {
        size_of::<Self>() - size_of::<RecordPage>() + self.page.weight() + size_of::<Key>() + key.target.len()
    }

    pub(super) fn inserted(&self, key: &Key, policy: &Policy) {
        let usable_for = policy.fresh.saturating_add(policy.stale());
        let usable_until = self.found.then(|| self.fetched.saturating_add(usable_for));
        self.metrics.inserted(self.weight(key), usable_until);
    }

    pub(super) fn removed(&self, key: &Key, cause: RemovalCause) {
        self.supersede();
        self.metrics.removed(self.weight(key), self.found, cause == RemovalCause::Size);
    }
}
