//! What the cache counts, per connection.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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
    kept: AtomicUsize,
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
            kept: AtomicUsize::new(0),
            entries: registry.gauge("gateway_cache_entries", "Entries kept.", of_connection),
            bytes: registry.gauge("gateway_cache_bytes", "Bytes that the kept entries occupy.", of_connection),
        }
    }

    /// How many entries are kept.
    pub fn kept(&self) -> usize {
        self.kept.load(Relaxed)
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn inserted(&self, bytes: usize) {
        self.kept.fetch_add(1, Relaxed);
        self.entries.increment(1.0);
        self.bytes.increment(bytes as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; entries weigh far less than 2^52 bytes")]
    pub(super) fn removed(&self, bytes: usize, evicted: bool) {
        self.kept.fetch_sub(1, Relaxed);
        self.entries.decrement(1.0);
        self.bytes.decrement(bytes as f64);
        self.evictions.increment(u64::from(evicted));
    }
}
