//! What is counted of the way out: waits, refusals and retries.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::telemetry::metrics::Registry;

use super::Priority;

/// One connection's figures, registered once.
pub struct UpstreamMetrics {
    registry: Registry,
    wait: Histogram,
    refused_callers: Counter,
    refused_background: Counter,
    retries: Counter,
}

impl UpstreamMetrics {
    /// The figures of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str) -> Self {
        let labels = &[("connection", connection)];
        let refused = |priority| {
            registry.counter(
                "gateway_budget_refused_total",
                "Attempts for which the credential's budget had no place in time, by whom they were for.",
                &[("connection", connection), ("priority", priority)],
            )
        };
        Self {
            registry: registry.clone(),
            wait: registry.histogram(
                "gateway_budget_wait_seconds",
                "How long attempts that a caller waits for waited for their place in the credential's budget.",
                labels,
            ),
            refused_callers: refused("caller"),
            refused_background: refused("background"),
            retries: registry.counter("gateway_vendor_retries_total", "How often calls were tried again.", labels),
        }
    }

    /// Notes that an attempt got its place after a wait. One in the background
    /// never waits, which says nothing of the budget.
    pub(super) fn note_place(&self, priority: Priority, waited: Duration) {
        if priority == Priority::Caller {
            self.registry.record(&self.wait, waited.as_secs_f64());
        }
    }

    /// Notes that an attempt got no place.
    pub(super) fn note_refusal(&self, priority: Priority) {
        match priority {
            Priority::Caller => self.refused_callers.increment(1),
            Priority::Background => self.refused_background.increment(1),
        }
    }

    /// Notes that a call is tried again.
    pub(super) fn note_retry(&self) {
        self.retries.increment(1);
    }
}
