//! What is counted of the way out: waits, refusals and retries.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::telemetry::metrics::Registry;

/// One connection's figures, registered once.
pub struct UpstreamMetrics {
    registry: Registry,
    wait: Histogram,
    refused: Counter,
    retries: Counter,
}

impl UpstreamMetrics {
    /// The figures of a connection.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str) -> Self {
        let labels = &[("connection", connection)];
        Self {
            registry: registry.clone(),
            wait: registry.histogram(
                "gateway_budget_wait_seconds",
                "How long attempts waited for their place in the credential's budget.",
                labels,
            ),
            refused: registry.counter(
                "gateway_budget_refused_total",
                "Attempts for which the credential's budget had no place in time.",
                labels,
            ),
            retries: registry.counter("gateway_vendor_retries_total", "How often calls were tried again.", labels),
        }
    }

    /// Notes that an attempt got its place after a wait.
    pub(super) fn note_place(&self, waited: Duration) {
        self.registry.record(&self.wait, waited.as_secs_f64());
    }

    /// Notes that an attempt got no place.
    pub(super) fn note_refusal(&self) {
        self.refused.increment(1);
    }

    /// Notes that a call is tried again.
    pub(super) fn note_retry(&self) {
        self.retries.increment(1);
    }
}
