//! Cache entries.

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    clock::SharedClock,
    domain::{anchor::Anchor, page::RecordPage},
    shared::Version,
};

use super::{
    CacheMetrics, Key, List, Policy,
    link::Links,
    purge_log::PurgeCount,
    row_index::{Place, ROW_BYTES},
    watch::{EntryWatch, SupersededMark},
};

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
    /// Purges of the connection before the fetch.
    pub(super) started: PurgeCount,
    /// Fetch of the page in the order of all replicas.
    pub(super) version: Version,
    superseded: SupersededMark,
    refreshing: AtomicBool,
    /// True if the page of a newer response has replaced the page.
    is_displaced: bool,
    /// Place of the page in the row index.
    place: OnceLock<Place>,
    pub(super) links: Links,
    metrics: Arc<CacheMetrics>,
}

impl Entry {
    /// Creates an entry of the current time, for a fetch that began after
    /// `started`. Without a page, the entry is a "not found" entry.
    pub(super) fn new(
        page: Option<RecordPage>,
        started: PurgeCount,
        version: Version,
        clock: &SharedClock,
        metrics: Arc<CacheMetrics>,
    ) -> Self {
        Self::fetched_at(clock.now(), clock.elapsed(), page, started, version, metrics)
    }

    /// Creates an entry of an earlier response.
    pub(super) fn fetched_at(
        fetched_at: Timestamp,
        fetched: Duration,
        page: Option<RecordPage>,
        started: PurgeCount,
        version: Version,
        metrics: Arc<CacheMetrics>,
    ) -> Self {
        Self {
            found: page.is_some(),
            page: Arc::new(page.unwrap_or_default()),
            fetched_at,
            fetched,
            started,
            version,
            superseded: SupersededMark::default(),
            refreshing: AtomicBool::new(false),
            is_displaced: false,
            place: OnceLock::new(),
            links: Links::default(),
            metrics,
        }
    }

    /// Returns a displaced entry of the same response.
    pub(super) fn displaced(&self) -> Self {
        Self {
            page: Arc::clone(&self.page),
            superseded: SupersededMark::default(),
            refreshing: AtomicBool::new(false),
            is_displaced: true,
            place: OnceLock::new(),
            links: Links::default(),
            metrics: Arc::clone(&self.metrics),
            ..*self
        }
    }

    /// Returns the state of the entry, for responses that repeat its page.
    #[must_use]
    pub fn watch(&self) -> EntryWatch {
        EntryWatch::new(&self.superseded, Arc::clone(&self.metrics))
    }

    /// Counts a cache hit that bypassed the lookup.
    pub fn count_hit(&self) {
        self.metrics.hit.increment(1);
    }

    /// Returns true if the entry was replaced or removed.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.superseded.is_set()
    }

    /// Marks the entry as replaced or removed.
    pub(super) fn mark_superseded(&self) {
        self.superseded.set();
    }

    /// Returns true if the entry serves only the rows that a newer page of the same
    /// request no longer contains.
    pub(super) fn is_displaced(&self) -> bool {
        self.is_displaced
    }

    /// Returns true if rows of the page are missing in a newer page, and the page is
    /// fresh at the newer page's time.
    pub(super) fn has_rows_beyond(&self, newer: &Self, policy: &Policy) -> bool {
        let age = newer.fetched.saturating_sub(self.fetched);
        if age >= policy.fresh || self.page.digest() == newer.page.digest() {
            return false;
        }
        let ids: HashSet<&str> = (0..newer.page.len()).map(|row| newer.page.id(row)).collect();
        (0..self.page.len()).any(|row| !ids.contains(self.page.id(row)))
    }

    /// Returns the monotonic time of the response.
    pub(super) fn fetched(&self) -> Duration {
        self.fetched
    }

    /// Returns true if the page is in the row index, hence was stored.
    pub(super) fn is_indexed(&self) -> bool {
        self.place.get().is_some()
    }

    /// Returns the anchor of the page in its list; `None` if the page was not
    /// stored.
    #[must_use]
    pub fn anchor(&self) -> Option<&Anchor> {
        self.place.get().map(|place| &place.anchor)
    }

    /// Returns true if the page was stored as a page of a list.
    pub(super) fn is_page_of(&self, list: &List) -> bool {
        self.place.get().is_some_and(|place| *place.list == *list)
    }

    /// Sets the place in the row index, once.
    pub(super) fn set_place(&self, place: Place) {
        // An entry is added to the index once.
        let _ = self.place.set(place);
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
        let indexed = if self.is_indexed() { self.page.len() * ROW_BYTES } else { 0 };
        size_of::<Self>() + self.page.weight() + indexed + size_of::<Key>() + key.target.len()
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
        if let Some(place) = self.place.get() {
            place.remove();
        }
        self.metrics.record_removal(self.weight(key), self.found, evicted);
    }
}
