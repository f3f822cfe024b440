//! Metrics of vendor calls: waits, rejections and retries.

use std::time::Duration;

use metrics::Counter;

use crate::{
    domain::priority::Priority,
    telemetry::metrics::{Histogram, Registry},
};

/// Metrics of one connection.
pub struct UpstreamMetrics {
    wait: Histogram,
    rejected_caller: Counter,
    rejected_background: Counter,
    abandoned: Counter,
    retries: Counter,
}

impl UpstreamMetrics {
    /// Registers the metrics of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str) -> Self {
        let labels = &[("connection", connection)];
        let rejected = |priority| {
            registry.counter(
                "gateway_budget_refused_total",
                "Attempts rejected by the rate limiter, by priority.",
                &[("connection", connection), ("priority", priority)],
            )
        };
        Self {
            wait: registry.histogram(
                "gateway_budget_wait_seconds",
                "Time caller-initiated attempts waited for the rate limiter.",
                labels,
            ),
            rejected_caller: rejected("caller"),
            rejected_background: rejected("background"),
            abandoned: registry.counter(
                "gateway_budget_abandoned_total",
                "Queued attempts that were not sent, because no request waited for them any more.",
                labels,
            ),
            retries: registry.counter("gateway_vendor_retries_total", "Retries of vendor calls.", labels),
        }
    }

    /// Records the wait for a slot of a call that a caller waits for.
    pub(super) fn record_wait(&self, priority: Priority, waited: Duration) {
        if priority == Priority::Caller {
            self.wait.record(waited);
        }
    }

    /// Records an attempt without a slot.
    pub(super) fn record_rejection(&self, priority: Priority) {
        match priority {
            Priority::Caller => self.rejected_caller.increment(1),
            Priority::Refresh | Priority::Export => self.rejected_background.increment(1),
        }
    }

    /// Records a queued attempt that was not sent.
    pub(super) fn record_abandoned(&self) {
        self.abandoned.increment(1);
    }

    /// Records a retry.
    pub(super) fn record_retry(&self) {
        self.retries.increment(1);
    }
}
