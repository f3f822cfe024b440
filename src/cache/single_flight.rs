//! Request coalescing: one fetch for concurrent lookups of the same key.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
};

use futures_util::FutureExt;
use hashbrown::HashMap;
use opentelemetry::context::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::{domain::priority::Priority, shared::Version, upstream::Waiters};

use super::{
    Entry, FetchAborted, FetchFailure, Key, Lookup, PageCache, PageFetch,
    purge_log::PurgeCount,
    shared_fetch::{Running, Start},
    spawn_on_drop::SpawnOnDrop,
};

/// Key of a fetch in flight. Lookups share a fetch if all fields are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FetchKey {
    key: Key,
    /// Lookups with `no-store` do not join a fetch that is stored.
    is_stored: bool,
    /// Lookups after a purge of the connection do not join a fetch from before the
    /// purge.
    last_purge: PurgeCount,
}

/// Fetches in flight. Clones share them.
#[derive(Clone, Default)]
pub(super) struct InFlightFetches(Arc<Mutex<HashMap<FetchKey, Weak<InFlightFetch>>>>);

/// Fetch in flight. The lookups of its key share it, and one of them fetches.
#[derive(Default)]
struct InFlightFetch {
    waiters: Arc<Waiters>,
    result: OnceCell<Result<FetchedEntry, ErasedError>>,
}

/// Entry of a fetch.
#[derive(Clone)]
struct FetchedEntry {
    entry: Arc<Entry>,
    /// False for a page of `no-store`. Later purges do not mark its entry.
    is_stored: bool,
}

/// Error of a fetch. Its type is erased, because the cache is not generic over the fetch.
type ErasedError = Arc<dyn Any + Send + Sync>;

/// Outcome of a shared fetch.
pub(super) struct Fetched<E> {
    pub(super) result: Result<Arc<Entry>, E>,
    /// True if another fetch supplied the result.
    pub(super) is_collapsed: bool,
    /// False if the lookup had no permission to call the vendor.
    pub(super) is_admitted: bool,
}

impl PageCache {
    /// Joins the in-flight fetch for this key or starts one, after admission. A
    /// fetch that was sent survives cancellation of this future. A fetch that
    /// waits for a slot survives while another lookup waits for it.
    ///
    /// `observed` is the entry that the lookup found. An entry stored since
    /// then is returned without a fetch.
    pub(super) async fn fetch_shared<F: PageFetch>(
        &self,
        lookup: &Lookup,
        mut observed: Option<Arc<Entry>>,
        fetch: F,
    ) -> Fetched<F::Error> {
        let fetch = Arc::new(fetch);
        let (began, _) = self.store.purges.counts(&lookup.key.connection);
        loop {
            let key = self.fetch_key(lookup);
            let _permission = match fetch.admit(self.in_flight.contains(&key)).await {
                Ok(permission) => permission,
                Err(error) => return Fetched { result: Err(error), is_collapsed: false, is_admitted: false },
            };
            let shared = self.in_flight.join(&key);
            let waiter = shared.waiters.join(Arc::clone(fetch.reservation()));
            let (cache, lookup, old, fetch) = (self.clone(), lookup.clone(), observed.clone(), Arc::clone(&fetch));
            let priority = fetch.reservation().priority();
            let fetching = async move { cache.join_or_fetch(&key, &shared, &lookup, old, &*fetch).await };
            let fetching = fetching.with_current_context();
            let finished = match priority {
                // An export is polled only while its client reads. Other lookups of the key
                // must not wait for that client.
                Priority::Export => tokio::spawn(fetching).await.ok(),
                Priority::Caller | Priority::Refresh => {
                    SpawnOnDrop::new(AssertUnwindSafe(fetching).catch_unwind()).await.ok()
                }
            };
            let (result, is_collapsed) = finished.unwrap_or_else(|| (Err(FetchAborted.into()), false));
            waiter.answered();
            let result = match result {
                // The fetch was abandoned just before this lookup joined.
                Err(error) if error.is_abandoned() => continue,
                // The fetch began before a purge, and this lookup after it. The purge concerns
                // the page, or may concern it.
                Ok(FetchedEntry { entry, is_stored })
                    if entry.started < began && (entry.is_superseded() || !is_stored) =>
                {
                    observed = Some(entry);
                    continue;
                }
                result => result.map(|fetched| fetched.entry),
            };
            return Fetched { result, is_collapsed, is_admitted: true };
        }
    }

    /// Fetches the page, or waits for the lookup that fetches it. If that lookup panics,
    /// the next waiting one fetches. Returns true if another fetch supplied the result.
    async fn join_or_fetch<F: PageFetch>(
        &self,
        key: &FetchKey,
        shared: &InFlightFetch,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        fetch: &F,
    ) -> (Result<FetchedEntry, F::Error>, bool) {
        let mut is_collapsed = true;
        let mut run_fetch = async || {
            let result;
            (result, is_collapsed) = self.fetch_and_store(lookup, observed.as_ref(), fetch, &shared.waiters).await;
            // Before the result is set, so no lookup joins a fetch that has ended.
            self.in_flight.remove(key);
            result.map_err(|error| Arc::new(error) as ErasedError)
        };
        // A closure, and on the heap: only the lookup that fetches needs the 5 KB of the future.
        let result = shared.result.get_or_init(|| Box::pin(run_fetch())).await.clone();
        // All fetches of a cache have one error type.
        let other_type = || FetchAborted.into();
        (result.map_err(|error| error.downcast_ref::<F::Error>().cloned().unwrap_or_else(other_type)), is_collapsed)
    }

    /// Fetches and stores a page for all lookups of its key, unless another fetch has
    /// stored the page since the lookup. Returns true if another fetch supplied the result.
    async fn fetch_and_store<F: PageFetch>(
        &self,
        lookup: &Lookup,
        observed: Option<&Arc<Entry>>,
        fetch: &F,
        waiters: &Waiters,
    ) -> (Result<FetchedEntry, F::Error>, bool) {
        let flight = self.store.purges.begin(&lookup.key.connection);
        let started = flight.started;
        if let Some(newer) = self.stored_since(observed, &lookup.key).await {
            return (Ok(FetchedEntry { entry: newer, is_stored: true }), true);
        }
        let running = match self.begin_shared(lookup, observed, fetch, waiters).await {
            Start::Fetch(running) => running,
            Start::Stored(entry) => return (Ok(FetchedEntry { entry, is_stored: true }), true),
            Start::Failed(error) => return (Err(error), true),
        };
        let version = running.as_ref().map(Running::version).unwrap_or_default();
        let entry = match self.fetch_entry(lookup, started, version, fetch, waiters).await {
            Ok(entry) => entry,
            Err(error) => {
                if let Some(running) = running {
                    running.fail(&error);
                }
                return (Err(error), false);
            }
        };
        let is_stored = !lookup.directives.no_store;
        if is_stored {
            self.store.insert(lookup, &entry).await;
        } else if flight.is_purged(&entry) {
            entry.mark_superseded();
        }
        if let Some(running) = running.filter(|_| !entry.is_superseded()) {
            running.share(self, lookup, &entry);
        }
        (Ok(FetchedEntry { entry, is_stored }), false)
    }

    /// Returns true if a lookup would join a fetch in flight.
    pub(super) fn is_in_flight(&self, lookup: &Lookup) -> bool {
        self.in_flight.contains(&self.fetch_key(lookup))
    }

    fn fetch_key(&self, lookup: &Lookup) -> FetchKey {
        let (_, last_purge) = self.store.purges.counts(&lookup.key.connection);
        FetchKey { key: lookup.key.clone(), is_stored: !lookup.directives.no_store, last_purge }
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
        started: PurgeCount,
        version: Version,
        fetch: &F,
        waiters: &Waiters,
    ) -> Result<Arc<Entry>, F::Error> {
        let page = match fetch.fetch(waiters).await {
            Ok(page) => Some(page),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        Ok(Arc::new(Entry::new(page, started, version, &self.clock, Arc::clone(&lookup.metrics))))
    }
}

impl InFlightFetches {
    /// Returns true if a fetch is in flight.
    fn contains(&self, key: &FetchKey) -> bool {
        self.0.lock().get(key).is_some_and(|fetch| fetch.strong_count() > 0)
    }

    /// Returns the fetch of a key, or adds one.
    fn join(&self, key: &FetchKey) -> Arc<InFlightFetch> {
        let mut fetches = self.0.lock();
        if let Some(fetch) = fetches.get(key).and_then(Weak::upgrade) {
            return fetch;
        }
        if fetches.len() >= fetches.capacity() {
            // Fetches that panicked.
            fetches.retain(|_, fetch| fetch.strong_count() > 0);
        }
        let fetch = Arc::default();
        fetches.insert(key.clone(), Arc::downgrade(&fetch));
        fetch
    }

    fn remove(&self, key: &FetchKey) {
        self.0.lock().remove(key);
    }
}
