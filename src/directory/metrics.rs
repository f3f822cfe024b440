//! What is counted of a source.

use std::{sync::Arc, time::Duration};

use metrics::{Counter, Histogram};

use crate::{
    cache::CacheMetrics,
    clock::SharedClock,
    domain::page::Anomalies,
    telemetry::{
        metrics::Registry,
        request::{self, NONE},
    },
};

/// The statuses whose calls are counted from the start: the most frequent, so
/// that they are looked up once, and those that alerts wait for, since a rise
/// is seen only of a series that was there before. `None` is no answer.
const COMMON: &[Option<u16>] = &[
    Some(200),
    None,
    Some(400),
    Some(401),
    Some(403),
    Some(404),
    Some(429),
    Some(500),
    Some(502),
    Some(503),
    Some(504),
];

/// One connection's figures.
pub struct SourceMetrics {
    /// What the cache counts.
    pub(super) cache: Arc<CacheMetrics>,
    pub(super) registry: Registry,
    pub(super) clock: SharedClock,
    connection: String,
    /// By status, the common ones from the start.
    calls: Vec<(Option<u16>, Counter)>,
    duration: Histogram,
    rows_dropped: Counter,
    values_unreadable: Counter,
}

impl SourceMetrics {
    /// The figures of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str, clock: SharedClock) -> Self {
        let labels = &[("connection", connection)];
        Self {
            cache: Arc::new(CacheMetrics::new(registry, connection)),
            duration: registry.histogram(
                "gateway_vendor_call_duration_seconds",
                "How long vendor calls took, with their waits and retries.",
                labels,
            ),
            rows_dropped: registry.counter(
                "gateway_rows_dropped_total",
                "Rows of another account than the connection's, which were not served.",
                labels,
            ),
            values_unreadable: registry.counter(
                "gateway_values_unreadable_total",
                "Values of vendors that could not be read, and were served as null.",
                labels,
            ),
            calls: COMMON.iter().map(|&status| (status, calls(registry, connection, status))).collect(),
            registry: registry.clone(),
            clock,
            connection: connection.to_owned(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Counts a vendor call that began at `start`, by the vendor's status if it
    /// answered, and by the caller whose request made it.
    pub(super) fn note_call(&self, status: Option<u16>, start: Duration) {
        match self.calls.iter().find(|(common, _)| *common == status) {
            Some((_, calls)) => calls.increment(1),
            None => calls(&self.registry, &self.connection, status).increment(1),
        }
        let caller = request::current_caller();
        let labels = &[("caller", caller.as_deref().unwrap_or(NONE))];
        let help = "Vendor calls, by the caller whose request made them.";
        self.registry.counter("gateway_caller_vendor_calls_total", help, labels).increment(1);
        let took = self.elapsed().saturating_sub(start);
        self.registry.record(&self.duration, took.as_secs_f64());
    }

    /// Counts a vendor call that a caller went without.
    pub(super) fn note_share_refused(&self, caller: &str) {
        let labels = &[("caller", caller), ("connection", &*self.connection)];
        let help = "Vendor calls that callers went without, since their share of the budget was spent.";
        self.registry.counter("gateway_caller_share_refused_total", help, labels).increment(1);
    }

    pub(super) fn note_oddities(&self, odd: &Anomalies) {
        self.rows_dropped.increment(odd.foreign_rows.into());
        self.values_unreadable.increment(odd.unreadable_values.into());
    }
}

/// The counter of a connection's calls that ended with a status.
fn calls(registry: &Registry, connection: &str, status: Option<u16>) -> Counter {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let help = "Vendor calls, by the vendor's last status; `none` where it did not answer.";
    registry.counter("gateway_vendor_calls_total", help, &[("connection", connection), ("status", &status)])
}
