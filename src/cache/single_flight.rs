//! Request coalescing: one fetch for concurrent lookups of the same key.

use std::sync::Arc;

use opentelemetry::context::FutureExt;

use crate::domain::priority::Priority;

use super::{Entry, FetchAborted, FetchFailure, Key, Lookup, PageCache, PageFetch};

/// Key of a fetch in flight. Lookups share a fetch if all fields are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FetchKey {
    key: Key,
    /// Background fetches yield to callers, so a caller joins none.
    is_background: bool,
    /// Lookups with `no-store` do not join a fetch that is stored.
    is_stored: bool,
    /// Lookups after a purge do not join a fetch from before it.
    epoch: u64,
}

/// Outcome of a shared fetch.
pub(super) struct Fetched<E> {
    pub(super) result: Result<Arc<Entry>, E>,
    /// True if the fetch of another lookup supplied the result.
    pub(super) is_collapsed: bool,
}

impl PageCache {
    /// Joins the in-flight fetch for this key or starts one. The fetch runs in
    /// its own task and survives cancellation of this future.
    ///
    /// `observed` is the entry that the lookup found. An entry stored since
    /// then is returned without a fetch.
    pub(super) async fn fetch_shared<F: PageFetch>(
        &self,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        priority: Priority,
        fetch: F,
    ) -> Fetched<F::Error> {
        let (cache, lookup) = (self.clone(), lookup.clone());
        let task = async move { cache.join_or_fetch(&lookup, observed, priority, fetch).await };
        let task = tokio::spawn(task.with_current_context());
        task.await.unwrap_or_else(|_| Fetched { result: Err(FetchAborted.into()), is_collapsed: false })
    }

    async fn join_or_fetch<F: PageFetch>(
        &self,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        priority: Priority,
        fetch: F,
    ) -> Fetched<F::Error> {
        let key = FetchKey {
            key: lookup.key.clone(),
            is_background: priority == Priority::Background,
            is_stored: !lookup.directives.no_store,
            epoch: self.store.epoch(),
        };
        // moka polls `leader` for one of the lookups that share the key.
        let mut is_collapsed = true;
        let leader = async {
            if let Some(newer) = self.stored_since(observed.as_ref(), &lookup.key).await {
                return Ok(newer);
            }
            is_collapsed = false;
            let entry = self.fetch_entry(lookup, priority, fetch).await?;
            if key.is_stored {
                self.store.insert(&lookup.key, &entry, &lookup.policy, key.epoch).await;
            }
            Ok(entry)
        };
        let result = self.fetches.try_get_with_by_ref(&key, leader).await;
        self.fetches.invalidate(&key).await;
        Fetched { result: result.map_err(|error: Arc<F::Error>| (*error).clone()), is_collapsed }
    }

    /// Returns the entry of a key, unless it is the observed entry.
    async fn stored_since(&self, observed: Option<&Arc<Entry>>, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.store.get(key).await?;
        let is_newer = observed.is_none_or(|observed| !Arc::ptr_eq(&entry, observed));
        is_newer.then_some(entry)
    }

    async fn fetch_entry<F: PageFetch>(
        &self,
        lookup: &Lookup,
        priority: Priority,
        fetch: F,
    ) -> Result<Arc<Entry>, F::Error> {
        let page = match fetch.fetch(priority).await {
            Ok(page) => Some(page),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        Ok(Arc::new(Entry::new(page, &self.clock, Arc::clone(&lookup.metrics))))
    }
}
