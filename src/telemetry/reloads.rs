//! Metrics of reloads.

use metrics::{Counter, Gauge};

use super::metrics::Registry;

/// Metrics of reloads, by subject.
#[derive(Clone)]
pub struct Reloads {
    /// Reloads of the whole configuration.
    pub configuration: ReloadMetrics,
    /// Reloads of the certificate alone.
    pub certificate: ReloadMetrics,
}

/// Metrics of one subject's reloads.
#[derive(Clone)]
pub struct ReloadMetrics {
    succeeded: Counter,
    failed: Counter,
    is_failed: Gauge,
}

impl Reloads {
    /// Registers the metrics.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let metrics = |what| {
            let total = |outcome| {
                let help = "Reloads of changed files, by subject and outcome: ok or failed.";
                registry.counter("gateway_reloads_total", help, &[("what", what), ("outcome", outcome)])
            };
            let help = "1 if the last reload failed and the previous version is in use.";
            let is_failed = registry.gauge("gateway_reload_failed", help, &[("what", what)]);
            ReloadMetrics { succeeded: total("ok"), failed: total("failed"), is_failed }
        };
        Self { configuration: metrics("configuration"), certificate: metrics("certificate") }
    }
}

impl ReloadMetrics {
    /// Records a reload.
    pub fn record(&self, has_succeeded: bool) {
        let counter = if has_succeeded { &self.succeeded } else { &self.failed };
        counter.increment(1);
        self.is_failed.set(if has_succeeded { 0.0 } else { 1.0 });
    }

    /// Clears the failure, after a reload of another subject has replaced the files
    /// of this subject too.
    pub fn clear_failure(&self) {
        self.is_failed.set(0.0);
    }
}
