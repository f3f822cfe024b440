//! What the cache counts, per connection.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use metrics::{Counter, Gauge};

use crate::telemetry::metrics::Registry;

/// One connection's figures, registered once.
#[derive(Debug)]
pub struct CacheMetrics {
    pub(super) hit: Counter,
    pub(super) stale: Counter,
    pub(super) miss: Counter,
    pub(super) collapsed: Counter,
    pub(super) failed: Counter,
    evictions: Counter,
    /// How many entries are kept, but for "no such row".
    found: AtomicUsize,
    /// Until when the last of them may be used by its policy, in nanoseconds of
    /// the clock that never goes back.
    usable_until: AtomicU64,
    entries: Gauge,
    bytes: Gauge,
}

impl CacheMetrics {
    /// The figures of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str) -> Self {
        let lookups = |outcome| {
            registry.counter(
                "gateway_cache_lookups_total",
                "Lookups in the cache, by outcome.",
                &[("connection", connection), ("outcome", outcome)],
            )
        };
        let of_connection = &[("connection", connection)];
        Self {
            hit: lookups("hit"),
            stale: lookups("stale"),
            miss: lookups("miss"),
            collapsed: lookups("collapsed"),
            failed: lookups("failed"),
            evictions: registry.counter(
                "gateway_cache_evictions_total",
                "Entries that made way for others.",
                of_connection,
            ),
            found: AtomicUsize::new(0),
            usable_until: AtomicU64::new(0),
            entries: registry.gauge("gateway_cache_entries", "Entries kept.", of_connection),
            bytes: registry.gauge("gateway_cache_bytes", "Bytes that the kept entries occupy.", of_connection),
        }
    }

    /// Whether anything is kept that may be used at a time of the clock that
    /// never goes back. Where the last that came was evicted, those left may be
    /// older than this says.
    pub fn has_usable_entry(&self, now: Duration) -> bool {
        self.found.load(Relaxed) > 0 && now < Duration::from_nanos(self.usable_until.load(Relaxed))
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn inserted(&self, bytes: usize, usable_until: Option<Duration>) {
        if let Some(until) = usable_until {
            self.found.fetch_add(1, Relaxed);
            self.usable_until.fetch_max(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
        self.entries.increment(1.0);
        self.bytes.increment(bytes as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn removed(&self, bytes: usize, found: bool, evicted: bool) {
        self.found.fetch_sub(usize::from(found), Relaxed);
        self.entries.decrement(1.0);
        self.bytes.decrement(bytes as f64);
        self.evictions.increment(u64::from(evicted));
    }
}
