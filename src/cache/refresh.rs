//! Background refresh of stale entries (RFC 5861, section 3).

use std::{sync::Arc, time::Duration};

use opentelemetry::context::FutureExt;

use crate::shared::Claim;

use super::{
    Entry, Lookup, PageCache, PageFetch,
    second_tier::{Loaded, shared_pages},
    single_flight::Fetched,
};

/// Pause after a failed refresh of an entry before the next one may start.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl PageCache {
    /// Refreshes an entry in the background, one refresh at a time. Skipped
    /// without permission to call the vendor, such as a spent share.
    pub(super) fn refresh<F: PageFetch>(&self, entry: &Arc<Entry>, lookup: &Lookup, fetch: &F) {
        if !entry.claim_refresh() {
            return;
        }
        let (cache, lookup, entry, fetch) = (self.clone(), lookup.clone(), Arc::clone(entry), fetch.refresh());
        let refresh = async move {
            let taken = cache.take_refreshed(&entry, &lookup, &fetch).await;
            let observed = Some(Arc::clone(&entry));
            let fetched = match taken {
                Some(result) => Fetched { result, is_collapsed: true, is_admitted: true },
                None => cache.fetch_shared(&lookup, observed, fetch).await,
            };
            if fetched.is_admitted && fetched.result.is_err() {
                lookup.metrics.failed.increment(1);
                cache.clock.sleep(RETRY_PAUSE).await;
            }
            entry.release_refresh();
        };
        tokio::spawn(refresh.with_current_context());
    }

    /// Returns the result of another replica's refresh, if there is one.
    async fn take_refreshed<F: PageFetch>(
        &self,
        entry: &Arc<Entry>,
        lookup: &Lookup,
        fetch: &F,
    ) -> Option<Result<Arc<Entry>, F::Error>> {
        let pages = shared_pages(&lookup.directives, fetch)?;
        let Loaded { entry: loaded, lease } = self.load(&**pages, lookup).await;
        if let Some(loaded) = loaded.filter(|loaded| !Arc::ptr_eq(loaded, entry)) {
            return Some(Ok(loaded));
        }
        self.wait_for_fetch(&**pages, lookup, Some(entry), &lease?, Claim::Refresh).await
    }
}
