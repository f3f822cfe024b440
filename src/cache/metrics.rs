//! Cache metrics of a connection.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use metrics::{Counter, Gauge};

use crate::telemetry::metrics::Registry;

/// Cache metrics of one connection, registered once.
#[derive(Debug)]
pub struct CacheMetrics {
    pub(super) hit: Counter,
    pub(super) stale: Counter,
    pub(super) miss: Counter,
    pub(super) collapsed: Counter,
    pub(super) failed: Counter,
    evictions: Counter,
    /// Number of entries, without "not found" entries.
    found: AtomicUsize,
    /// Latest time at which the policy allows one of these entries, in
    /// nanoseconds of the monotonic clock.
    usable_until: AtomicU64,
    entries: Gauge,
    bytes: Gauge,
}

impl CacheMetrics {
    /// Registers the metrics of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str) -> Self {
        let lookups = |outcome| {
            registry.counter(
                "gateway_cache_lookups_total",
                "Cache lookups, by outcome.",
                &[("connection", connection), ("outcome", outcome)],
            )
        };
        let labels = &[("connection", connection)];
        Self {
            hit: lookups("hit"),
            stale: lookups("stale"),
            miss: lookups("miss"),
            collapsed: lookups("collapsed"),
            failed: lookups("failed"),
            evictions: registry.counter("gateway_cache_evictions_total", "Entries evicted to free space.", labels),
            found: AtomicUsize::new(0),
            usable_until: AtomicU64::new(0),
            entries: registry.gauge("gateway_cache_entries", "Cached entries.", labels),
            bytes: registry.gauge("gateway_cache_bytes", "Bytes occupied by cached entries.", labels),
        }
    }

    /// Returns true if an entry may be usable at `now` of the monotonic clock.
    ///
    /// The result may be wrong after the newest entry was evicted, because the
    /// remaining entries are older.
    pub fn has_usable_entry(&self, now: Duration) -> bool {
        self.found.load(Relaxed) > 0 && now < Duration::from_nanos(self.usable_until.load(Relaxed))
    }

    /// Counts a stored entry. `usable_until` is `None` for a "not found" entry.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn record_insert(&self, bytes: usize, usable_until: Option<Duration>) {
        if let Some(usable_until) = usable_until {
            self.found.fetch_add(1, Relaxed);
            self.usable_until.fetch_max(u64::try_from(usable_until.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
        self.entries.increment(1.0);
        self.bytes.increment(bytes as f64);
    }

    /// Counts a removed entry.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn record_removal(&self, bytes: usize, found: bool, evicted: bool) {
        self.found.fetch_sub(usize::from(found), Relaxed);
        self.entries.decrement(1.0);
        self.bytes.decrement(bytes as f64);
        self.evictions.increment(u64::from(evicted));
    }
}
