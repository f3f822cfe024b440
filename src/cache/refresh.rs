//! Background refresh of stale entries (RFC 5861, section 3).

use std::{sync::Arc, time::Duration};

use opentelemetry::context::FutureExt;

use crate::domain::priority::Priority;

use super::{Entry, Lookup, PageCache, PageFetch};

/// Pause after a failed refresh of an entry before the next one may start.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl PageCache {
    /// Refreshes an entry in the background, one refresh at a time. Skipped if
    /// the caller's share is spent.
    pub(super) fn refresh<F: PageFetch>(&self, entry: &Arc<Entry>, lookup: &Lookup, fetch: F) {
        if !entry.claim_refresh() {
            return;
        }
        let (cache, lookup, entry) = (self.clone(), lookup.clone(), Arc::clone(entry));
        let refresh = async move {
            if fetch.admit(Priority::Background).await.is_ok() {
                let observed = Some(Arc::clone(&entry));
                let fetched = cache.fetch_shared(&lookup, observed, Priority::Background, fetch).await;
                if fetched.result.is_err() {
                    lookup.metrics.failed.increment(1);
                    cache.clock.sleep(RETRY_PAUSE).await;
                }
            }
            entry.release_refresh();
        };
        tokio::spawn(refresh.with_current_context());
    }
}
