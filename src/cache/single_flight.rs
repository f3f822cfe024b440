//! Request coalescing: one fetch for concurrent lookups of the same key.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
};

use futures_util::{FutureExt, future::BoxFuture};
use hashbrown::HashMap;
use opentelemetry::context::FutureExt as _;
use parking_lot::Mutex;

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

/// Page of a fetch in flight.
#[derive(Debug, Clone)]
pub(super) struct FetchedPage {
    entry: Arc<Entry>,
    /// Purges of the connection before the fetch.
    started: PurgeCount,
}

/// Waiters of the fetches in flight. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<FetchKey, Weak<Waiters>>>>);

/// Outcome of a shared fetch.
pub(super) struct Fetched<E> {
    pub(super) result: Result<Arc<Entry>, E>,
    /// True if the fetch of another lookup supplied the result.
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
        observed: Option<Arc<Entry>>,
        fetch: F,
    ) -> Fetched<F::Error> {
        let fetch = Arc::new(fetch);
        let (began, _) = self.store.purges.counts(&lookup.key.connection);
        loop {
            let (_, last_purge) = self.store.purges.counts(&lookup.key.connection);
            let key = FetchKey { key: lookup.key.clone(), is_stored: !lookup.directives.no_store, last_purge };
            let _permission = match fetch.admit(self.in_flight.contains(&key)).await {
                Ok(permission) => permission,
                Err(error) => return Fetched { result: Err(error), is_collapsed: false, is_admitted: false },
            };
            let waiters = self.in_flight.waiters(&key);
            let waiter = waiters.join(Arc::clone(fetch.reservation()));
            let (cache, lookup, observed, fetch) = (self.clone(), lookup.clone(), observed.clone(), Arc::clone(&fetch));
            let priority = fetch.reservation().priority();
            let fetching = async move { cache.join_or_fetch(&key, &lookup, observed, &*fetch, &waiters).await };
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
                // The fetch ended just before this lookup joined.
                Err(error) if error.is_abandoned() => continue,
                // The fetch began before a purge of its page, and this lookup after it.
                Ok(FetchedPage { entry, started }) if started < began && entry.is_superseded() => continue,
                result => result.map(|page| page.entry),
            };
            return Fetched { result, is_collapsed, is_admitted: true };
        }
    }

    async fn join_or_fetch<F: PageFetch>(
        &self,
        key: &FetchKey,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        fetch: &F,
        waiters: &Waiters,
    ) -> (Result<FetchedPage, F::Error>, bool) {
        // moka polls `leader` for one of the lookups that share the key. The future has
        // 14 KB and is on the heap, because moka moves it.
        let mut is_collapsed = true;
        let leader: BoxFuture<'_, _> = Box::pin(async {
            let flight = self.store.purges.begin(&lookup.key.connection);
            let started = flight.started;
            if let Some(newer) = self.stored_since(observed.as_ref(), &lookup.key).await {
                return Ok(FetchedPage { entry: newer, started });
            }
            let running = match self.begin_shared(lookup, observed.as_ref(), fetch, waiters).await {
                Start::Fetch(running) => running,
                Start::Stored(entry) => return Ok(FetchedPage { entry, started }),
                Start::Failed(error) => return Err(error),
            };
            is_collapsed = false;
            let version = running.as_ref().map(Running::version).unwrap_or_default();
            let fetched = self.fetch_entry(lookup, started, version, fetch, waiters).await;
            let entry = match fetched {
                Ok(entry) => entry,
                Err(error) => {
                    if let Some(running) = running {
                        running.fail(&error);
                    }
                    return Err(error);
                }
            };
            if key.is_stored {
                self.store.insert(lookup, &entry).await;
            } else if flight.is_purged(&entry) {
                entry.mark_superseded();
            }
            if let Some(running) = running.filter(|_| !entry.is_superseded()) {
                running.share(self, lookup, &entry);
            }
            Ok(FetchedPage { entry, started })
        });
        let result = self.fetches.try_get_with_by_ref(key, leader).await;
        self.fetches.invalidate(key).await;
        let result = result.map_err(|error: Arc<F::Error>| (*error).clone());
        (result, is_collapsed)
    }

    /// Returns true if a lookup would join a fetch in flight.
    pub(super) fn is_in_flight(&self, lookup: &Lookup) -> bool {
        let (_, last_purge) = self.store.purges.counts(&lookup.key.connection);
        let is_stored = !lookup.directives.no_store;
        self.in_flight.contains(&FetchKey { key: lookup.key.clone(), is_stored, last_purge })
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

impl InFlight {
    /// Returns true if a fetch is in flight.
    fn contains(&self, key: &FetchKey) -> bool {
        self.0.lock().get(key).is_some_and(|waiters| waiters.strong_count() > 0)
    }

    /// Returns the waiters of a fetch.
    fn waiters(&self, key: &FetchKey) -> Arc<Waiters> {
        let mut fetches = self.0.lock();
        if let Some(waiters) = fetches.get(key).and_then(Weak::upgrade) {
            return waiters;
        }
        if fetches.len() >= fetches.capacity() {
            fetches.retain(|_, waiters| waiters.strong_count() > 0);
        }
        let waiters = Arc::default();
        fetches.insert(key.clone(), Arc::downgrade(&waiters));
        waiters
    }
}
