//! Metrics of a source.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use metrics::Counter;

use crate::{
    cache::CacheMetrics,
    clock::SharedClock,
    domain::page::RecordPage,
    telemetry::{
        metrics::{Histogram, MetricCache, Registry},
        request::{self, NONE},
    },
};

/// Statuses whose counters are registered at startup; `None` is no response. An alert
/// on an increase requires a series that starts at zero.
const COMMON_STATUSES: &[Option<u16>] = &[
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

/// Metrics of one connection.
pub struct SourceMetrics {
    /// Cache metrics of the connection.
    pub(super) cache: Arc<CacheMetrics>,
    pub(super) registry: Registry,
    pub(super) clock: SharedClock,
    connection: String,
    /// Counters of vendor calls, by status.
    calls: MetricCache<Option<u16>, Counter>,
    /// Counters of vendor calls, by caller. All connections use the same counters.
    caller_calls: MetricCache<Option<Arc<str>>, Counter>,
    duration: Histogram,
    views_reused: Counter,
    views_sorted: Counter,
    rows_dropped: Counter,
    rows_unreadable: Counter,
    values_unreadable: Counter,
    ids_mismatched: Counter,
}

impl SourceMetrics {
    /// Registers the metrics of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str, clock: SharedClock) -> Self {
        let labels = &[("connection", connection)];
        let views = |outcome| {
            registry.counter(
                "gateway_sorted_views_total",
                "Sorted views of lists, by whether a cached view was used.",
                &[("connection", connection), ("outcome", outcome)],
            )
        };
        let calls = MetricCache::default();
        for status in COMMON_STATUSES {
            calls.get_or_register(status, || call_counter(registry, connection, *status)).increment(0);
        }
        Self {
            calls,
            cache: Arc::new(CacheMetrics::new(registry, connection)),
            duration: registry.histogram(
                "gateway_vendor_call_duration_seconds",
                "Duration of vendor calls, including rate limiter waits and retries.",
                labels,
            ),
            views_reused: views("hit"),
            views_sorted: views("miss"),
            rows_dropped: registry.counter("gateway_rows_dropped_total", "Rows of other accounts, not served.", labels),
            rows_unreadable: registry.counter(
                "gateway_rows_unreadable_total",
                "Vendor rows that cannot be read, not served.",
                labels,
            ),
            values_unreadable: registry.counter(
                "gateway_values_unreadable_total",
                "Unreadable vendor values, served as null or with U+FFFD.",
                labels,
            ),
            ids_mismatched: registry.counter(
                "gateway_ids_mismatched_total",
                "Customers that the vendor returned with another id.",
                labels,
            ),
            caller_calls: MetricCache::default(),
            registry: registry.clone(),
            clock,
            connection: connection.to_owned(),
        }
    }

    /// Returns the current monotonic time.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Counts a vendor call that started at `start`, by the status of the
    /// response and by the caller that caused the call.
    pub(super) fn record_call(&self, status: Option<u16>, start: Duration) {
        let register = || call_counter(&self.registry, &self.connection, status);
        self.calls.get_or_register(&status, register).increment(1);
        let caller = request::current_caller();
        let caller_calls = self.caller_calls.get_or_register(&caller, || {
            let labels = &[("caller", caller.as_deref().unwrap_or(NONE))];
            let help = "Vendor calls, by the caller that caused them.";
            self.registry.counter("gateway_caller_vendor_calls_total", help, labels)
        });
        caller_calls.increment(1);
        self.duration.record(self.elapsed().saturating_sub(start));
    }

    /// Counts a vendor call that was rejected because the caller's share was
    /// spent.
    pub(super) fn record_share_rejection(&self, caller: &str) {
        let labels = &[("caller", caller), ("connection", &*self.connection)];
        let help = "Vendor calls rejected because the caller's share was spent.";
        self.registry.counter("gateway_caller_share_refused_total", help, labels).increment(1);
    }

    /// Counts a sorted view, which was cached or is new.
    pub(super) fn record_view(&self, is_cached: bool) {
        let views = if is_cached { &self.views_reused } else { &self.views_sorted };
        views.increment(1);
    }

    /// Counts the anomalies of a vendor page.
    pub(super) fn record_anomalies(&self, page: &RecordPage) {
        let anomalies = &page.info().anomalies;
        self.rows_unreadable.increment(u64::from(anomalies.null_rows) + u64::from(anomalies.unreadable_rows));
        self.ids_mismatched.increment(page.alias().is_some().into());
        self.rows_dropped.increment(anomalies.foreign_rows.into());
        self.values_unreadable.increment(anomalies.unreadable_values.into());
    }
}

/// Returns the counter of a connection's calls with this final status. The statuses of a
/// class that are not registered (RFC 9110, section 16.2) have one counter, so a vendor
/// adds few series.
fn call_counter(registry: &Registry, connection: &str, status: Option<u16>) -> Counter {
    let is_registered = |status| StatusCode::from_u16(status).is_ok_and(|status| status.canonical_reason().is_some());
    let status = match status {
        Some(status) if is_registered(status) => status.to_string(),
        Some(status) => format!("{}xx", status / 100),
        None => "none".to_owned(),
    };
    let help = "Vendor calls by the status that the last response stands for. Unregistered statuses count by \
                class; no response is `none`.";
    registry.counter("gateway_vendor_calls_total", help, &[("connection", connection), ("status", &status)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn unregistered_statuses_share_a_counter() {
        let registry = Registry::default();
        let metrics = SourceMetrics::new(&registry, "odd", SystemClock::shared());
        for status in 100..600 {
            metrics.record_call(Some(status), Duration::ZERO);
        }
        let text = registry.render();
        let series: Vec<_> = text.lines().filter(|line| line.starts_with("gateway_vendor_calls_total{")).collect();
        assert!(series.len() < 80, "{series:#?}");
        let sample = |status| format!("gateway_vendor_calls_total{{connection=\"odd\",status=\"{status}\"}}");
        // Alerts select failures by `5..`.
        for status in ["none", "418", "503", "4xx", "5xx"] {
            assert!(series.iter().any(|line| line.starts_with(&sample(status))), "{status}");
        }
    }
}
