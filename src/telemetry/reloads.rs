//! What is counted of loading files anew.

use metrics::{Counter, Gauge};

use super::metrics::Registry;

/// How loading the configuration and the certificate anew has gone.
#[derive(Clone)]
pub struct Reloads {
    /// Of the configuration.
    pub configuration: Reload,
    /// Of the certificate alone.
    pub certificate: Reload,
}

/// How loading one of them anew has gone.
#[derive(Clone)]
pub struct Reload {
    succeeded: Counter,
    failed: Counter,
    is_failed: Gauge,
}

impl Reloads {
    /// None yet.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let reload = |what| {
            let total = |outcome| {
                let help = "Loads of changed files, by what they hold and how it went.";
                registry.counter("gateway_reloads_total", help, &[("what", what), ("outcome", outcome)])
            };
            let help = "Whether the files hold what cannot be loaded, and what was there before is in use.";
            let is_failed = registry.gauge("gateway_reload_failed", help, &[("what", what)]);
            Reload { succeeded: total("ok"), failed: total("failed"), is_failed }
        };
        Self { configuration: reload("configuration"), certificate: reload("certificate") }
    }
}

impl Reload {
    /// Counts a load.
    pub fn note(&self, has_succeeded: bool) {
        let counter = if has_succeeded { &self.succeeded } else { &self.failed };
        counter.increment(1);
        self.is_failed.set(if has_succeeded { 0.0 } else { 1.0 });
    }

    /// Takes back that a load failed: another has loaded what this one could
    /// not.
    pub fn clear_failure(&self) {
        self.is_failed.set(0.0);
    }
}
