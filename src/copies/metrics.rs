//! Metrics of the walks of a stored list.

use std::fmt;

use metrics::Counter;

use crate::{domain::query::Resource, telemetry::metrics::Registry};

use super::Changes;

/// End of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkOutcome {
    /// The list is complete.
    Complete,
    /// The walk did not prove a complete list, because the vendor contradicted itself.
    Incomplete,
    /// The list exceeds `max_bytes`.
    TooLarge,
    /// A vendor call failed.
    Failed,
}

/// Metrics of the walks of one list.
pub struct SyncMetrics {
    calls: Counter,
    complete: Counter,
    incomplete: Counter,
    too_large: Counter,
    failed: Counter,
    created: Counter,
    updated: Counter,
    deleted: Counter,
}

impl SyncMetrics {
    /// Registers the metrics of the list of a connection. The counters start at zero.
    #[must_use]
    pub fn new(registry: &Registry, connection: &str, resource: Resource) -> Self {
        let labels = [("connection", connection), ("resource", resource.name())];
        let walks = |outcome| {
            let labels = [labels[0], labels[1], ("outcome", outcome)];
            registry.counter("gateway_sync_walks_total", "Walks of stored lists, by their end.", &labels)
        };
        let changes = |kind| {
            let labels = [labels[0], labels[1], ("kind", kind)];
            registry.counter("gateway_sync_changes_total", "Rows that changed between two walks.", &labels)
        };
        Self {
            calls: registry.counter("gateway_sync_calls_total", "Vendor calls for stored lists.", &labels),
            complete: walks("complete"),
            incomplete: walks("incomplete"),
            too_large: walks("too_large"),
            failed: walks("failed"),
            created: changes("created"),
            updated: changes("updated"),
            deleted: changes("deleted"),
        }
    }

    /// Counts a vendor call, of a walk or for the newest rows.
    pub fn record_call(&self) {
        self.calls.increment(1);
    }

    /// Counts a walk that has ended.
    pub fn record_walk(&self, outcome: WalkOutcome) {
        let walks = match outcome {
            WalkOutcome::Complete => &self.complete,
            WalkOutcome::Incomplete => &self.incomplete,
            WalkOutcome::TooLarge => &self.too_large,
            WalkOutcome::Failed => &self.failed,
        };
        walks.increment(1);
    }

    /// Counts the rows that changed since the walk before.
    pub fn record_changes(&self, changes: &Changes) {
        self.created.increment(changes.created);
        self.updated.increment(changes.updated);
        self.deleted.increment(changes.deleted);
    }
}

/// Counters without a registry.
impl Default for SyncMetrics {
    fn default() -> Self {
        let none = Counter::noop;
        Self {
            calls: none(),
            complete: none(),
            incomplete: none(),
            too_large: none(),
            failed: none(),
            created: none(),
            updated: none(),
            deleted: none(),
        }
    }
}

impl fmt::Debug for SyncMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SyncMetrics")
    }
}
