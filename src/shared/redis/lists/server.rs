//! State that the stored lists of all accounts have in common.

use std::{sync::Arc, time::Duration};

use ::redis::Script;
use metrics::Counter;

use crate::{
    shared::{Seal, Unavailable},
    telemetry::metrics::Registry,
};

use super::super::{link::Link, page_server::PageServer};

/// Longest time of an operation. No request waits for it, and values are large.
pub(in crate::shared::redis) const TIMEOUT: Duration = Duration::from_secs(2);

/// State that the stored lists of all accounts have in common.
pub(in crate::shared::redis) struct ListServer {
    /// Connection of the lists only, because their values are large.
    pub(super) link: Link,
    /// The purges, and the identity of this process.
    pub(super) pages: Arc<PageServer>,
    pub(super) seal: Seal,
    pub(super) metrics: ListMetrics,
    pub(super) poll: Script,
    pub(super) load: Script,
    pub(super) publish: Script,
}

/// Metrics of the shared lists.
pub(super) struct ListMetrics {
    loaded: Counter,
    unreadable: Counter,
    published: Counter,
    rejected: Counter,
    unavailable: Counter,
}

impl ListServer {
    pub(in crate::shared::redis) fn new(link: Link, pages: Arc<PageServer>, registry: &Registry) -> Self {
        let counter = |outcome| {
            let help = "Operations on stored lists that replicas share, by outcome.";
            registry.counter("gateway_shared_lists_total", help, &[("outcome", outcome)])
        };
        let metrics = ListMetrics {
            loaded: counter("loaded"),
            unreadable: counter("unreadable"),
            published: counter("published"),
            rejected: counter("rejected"),
            unavailable: counter("unavailable"),
        };
        Self {
            link,
            seal: Seal::new(&pages.key, "customer-gateway 2026-11 shared lists"),
            pages,
            metrics,
            poll: Script::new(include_str!("poll.lua")),
            load: Script::new(include_str!("load.lua")),
            publish: Script::new(include_str!("publish.lua")),
        }
    }
}

impl ListMetrics {
    /// Counts a loaded head, or bytes that are none.
    pub(super) fn count_load(&self, is_head: bool) {
        if is_head { &self.loaded } else { &self.unreadable }.increment(1);
    }

    /// Counts a published head, or a head that the server has rejected.
    pub(super) fn count_publication(&self, is_published: bool) {
        if is_published { &self.published } else { &self.rejected }.increment(1);
    }

    /// Counts a failed operation.
    pub(super) fn count_error<T>(&self, result: Result<T, Unavailable>) -> Result<T, Unavailable> {
        if result.is_err() {
            self.unavailable.increment(1);
        }
        result
    }
}
