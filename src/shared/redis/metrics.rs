//! Metrics of the shared pages.

use metrics::Counter;

use crate::{shared::Unavailable, telemetry::metrics::Registry};

/// Metrics of the shared pages of all accounts.
pub(super) struct PageMetrics {
    hit: Counter,
    miss: Counter,
    unreadable: Counter,
    pub(super) stored: Counter,
    unavailable: Counter,
    pub(super) lease_taken: Counter,
    pub(super) lease_held: Counter,
    pub(super) purge_sent: Counter,
    pub(super) purge_applied: Counter,
    pub(super) purge_lost: Counter,
}

impl PageMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let counter = |name, help| move |outcome| registry.counter(name, help, &[("outcome", outcome)]);
        let pages = counter("gateway_shared_pages_total", "Operations on shared pages, by outcome.");
        let leases = counter("gateway_shared_leases_total", "Attempts to fetch a shared page, by outcome.");
        let purges = counter("gateway_shared_purges_total", "Purges of shared pages, by outcome.");
        Self {
            hit: pages("hit"),
            miss: pages("miss"),
            unreadable: pages("unreadable"),
            stored: pages("stored"),
            unavailable: pages("unavailable"),
            lease_taken: leases("taken"),
            lease_held: leases("held"),
            purge_sent: purges("sent"),
            purge_applied: purges("applied"),
            purge_lost: purges("lost"),
        }
    }

    /// Counts a loaded page, a missing page, or bytes that are not a page.
    pub(super) fn count_load(&self, is_page: bool, is_missing: bool) {
        let counter = match (is_page, is_missing) {
            (true, _) => &self.hit,
            (false, true) => &self.miss,
            (false, false) => &self.unreadable,
        };
        counter.increment(1);
    }

    /// Counts a failed operation.
    pub(super) fn count_error<T>(&self, result: Result<T, Unavailable>) -> Result<T, Unavailable> {
        if result.is_err() {
            self.unavailable.increment(1);
        }
        result
    }
}
