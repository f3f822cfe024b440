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
pub(super) struct InFlight(Arc<Mutex<HashMap<FetchKey, Weak<Flight>>>>);

/// Fetch of a key. One of the lookups that hold it makes the fetch.
#[derive(Default)]
struct Flight {
    waiters: Arc<Waiters>,
    result: OnceCell<Result<FetchedPage, SharedError>>,
}

/// Removes a flight when its fetch ends or panics. Later lookups begin another one.
struct FlightEnd<'f> {
    flights: &'f InFlight,
    key: &'f FetchKey,
}

/// Page of a fetch.
#[derive(Clone)]
struct FetchedPage {
    entry: Arc<Entry>,
    /// Purges of the connection before the fetch.
    started: PurgeCount,
}

/// Error of a fetch, of the type [`PageFetch::Error`].
type SharedError = Arc<dyn Any + Send + Sync>;

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
            let flight = self.in_flight.join(&key);
            let waiter = flight.waiters.join(Arc::clone(fetch.reservation()));
            let (cache, lookup, observed, fetch) = (self.clone(), lookup.clone(), observed.clone(), Arc::clone(&fetch));
            let priority = fetch.reservation().priority();
            let fetching = async move { cache.join_or_fetch(&key, &flight, &lookup, observed, &*fetch).await };
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

    /// Waits for the result of a flight. The first lookup makes the fetch; after a panic,
    /// the next one does. Returns true with the result of another lookup's fetch.
    async fn join_or_fetch<F: PageFetch>(
        &self,
        key: &FetchKey,
        flight: &Flight,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        fetch: &F,
    ) -> (Result<FetchedPage, F::Error>, bool) {
        let mut is_collapsed = true;
        let make_fetch = async || {
            let _end = FlightEnd { flights: &self.in_flight, key };
            let (result, has_called) = self.fetch_first(key, lookup, observed, fetch, &flight.waiters).await;
            is_collapsed = !has_called;
            result.map_err(|error| Arc::new(error) as SharedError)
        };
        // On the heap, because only one lookup has a use for its 14 KB.
        let result = flight.result.get_or_init(|| Box::pin(make_fetch())).await.clone();
        let aborted = || FetchAborted.into();
        (result.map_err(|error| error.downcast_ref::<F::Error>().cloned().unwrap_or_else(aborted)), is_collapsed)
    }

    /// Fetches a page for all lookups of its key, unless it was stored in the meantime.
    /// Returns true if it began a fetch.
    async fn fetch_first<F: PageFetch>(
        &self,
        key: &FetchKey,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        fetch: &F,
        waiters: &Waiters,
    ) -> (Result<FetchedPage, F::Error>, bool) {
        let purges = self.store.purges.begin(&lookup.key.connection);
        let started = purges.started;
        if let Some(newer) = self.stored_since(observed.as_ref(), &lookup.key).await {
            return (Ok(FetchedPage { entry: newer, started }), false);
        }
        let running = match self.begin_shared(lookup, observed.as_ref(), fetch, waiters).await {
            Start::Fetch(running) => running,
            Start::Stored(entry) => return (Ok(FetchedPage { entry, started }), false),
            Start::Failed(error) => return (Err(error), false),
        };
        let version = running.as_ref().map(Running::version).unwrap_or_default();
        let entry = match self.fetch_entry(lookup, started, version, fetch, waiters).await {
            Ok(entry) => entry,
            Err(error) => {
                if let Some(running) = running {
                    running.fail(&error);
                }
                return (Err(error), true);
            }
        };
        if key.is_stored {
            self.store.insert(lookup, &entry).await;
        } else if purges.is_purged(&entry) {
            entry.mark_superseded();
        }
        if let Some(running) = running.filter(|_| !entry.is_superseded()) {
            running.share(self, lookup, &entry);
        }
        (Ok(FetchedPage { entry, started }), true)
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
        self.0.lock().get(key).is_some_and(|flight| flight.strong_count() > 0)
    }

    /// Returns the flight of a key, or begins one.
    fn join(&self, key: &FetchKey) -> Arc<Flight> {
        let mut flights = self.0.lock();
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::default();
        flights.insert(key.clone(), Arc::downgrade(&flight));
        flight
    }
}

impl Drop for FlightEnd<'_> {
    fn drop(&mut self) {
        self.flights.0.lock().remove(self.key);
    }
}
