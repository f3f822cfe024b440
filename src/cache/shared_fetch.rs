//! Fetches that one replica makes for all replicas.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use tokio::{
    task::AbortHandle,
    time::{interval, sleep, timeout},
};

use crate::{
    domain::priority::Priority,
    shared::{
        Begun, Claim, FetchState, FetchedPage, Lease, PageName, REFRESH_PATIENCE, SharedFetch, SharedPages, Version,
    },
    upstream::Waiters,
};

use super::{
    Entry, FetchFailure, Key, Lookup, PageCache, PageFetch,
    second_tier::{FORGOTTEN_AFTER, encode, shared_pages, usable_for},
};

/// Interval at which a lease is renewed.
const RENEW_INTERVAL: Duration = Duration::from_millis(700);
/// Interval at which a fetch looks for requests that wait for it.
const WAITERS_INTERVAL: Duration = Duration::from_millis(50);

/// Watches of other replicas' fetches. Clones share them.
#[derive(Clone)]
pub(super) struct Watches(Cache<(Key, Lease), Watched>);

/// End of another replica's fetch.
#[derive(Debug, Clone)]
enum Watched {
    /// A page may be stored.
    Ended,
    /// The fetch has failed.
    Failed(Arc<[u8]>),
    /// The server is unavailable.
    Unknown,
}

/// Result of the attempt to begin a fetch for all replicas.
pub(super) enum Start<E> {
    /// The replica fetches the page, and shares the result if it can.
    Fetch(Option<Running>),
    /// Another replica has fetched the page.
    Stored(Arc<Entry>),
    /// Another replica's fetch has failed.
    Failed(E),
}

/// Fetch that the other replicas wait for. Its lease ends when it is dropped.
pub(super) struct Running {
    pages: Arc<dyn SharedPages>,
    name: PageName,
    fetch: SharedFetch,
    /// Time at which the fetch began, on the gateway's clock.
    began: Duration,
    renewal: Option<AbortHandle>,
    is_ended: bool,
}

impl Default for Watches {
    fn default() -> Self {
        Self(Cache::builder().time_to_live(FORGOTTEN_AFTER).build())
    }
}

impl PageCache {
    /// Waits for the fetch of another replica. `None` if the fetch supplies neither a
    /// page nor a failure that concerns this replica. A caller does not wait long for a
    /// refresh.
    pub(super) async fn wait_for_fetch<E: FetchFailure>(
        &self,
        pages: &dyn SharedPages,
        lookup: &Lookup,
        observed: Option<&Arc<Entry>>,
        lease: &Lease,
        claim: Claim,
    ) -> Option<Result<Arc<Entry>, E>> {
        let (watches, key) = (&self.second_tier.watches.0, (lookup.key.clone(), lease.clone()));
        let name = pages.name(&lookup.key.target, lookup.key.raw);
        let watch = async {
            let end = watches.get_with_by_ref(&key, watch(pages, &name, lease)).await;
            watches.invalidate(&key).await;
            end
        };
        let end = if claim == Claim::Caller && lease.is_refresh() {
            timeout(REFRESH_PATIENCE, watch).await.ok()?
        } else {
            watch.await
        };
        match end {
            Watched::Ended => {
                let entry = self.load(pages, lookup).await.entry?;
                let is_newer = observed.is_none_or(|observed| !Arc::ptr_eq(&entry, observed));
                is_newer.then_some(Ok(entry))
            }
            Watched::Failed(failure) => E::from_shared(&failure).map(Err),
            Watched::Unknown => None,
        }
    }

    /// Begins a fetch, unless another replica has fetched the page since the observed
    /// entry. Waits while another replica fetches it.
    pub(super) async fn begin_shared<F: PageFetch>(
        &self,
        lookup: &Lookup,
        observed: Option<&Arc<Entry>>,
        fetch: &F,
        waiters: &Waiters,
    ) -> Start<F::Error> {
        let Some(pages) = shared_pages(&lookup.directives, fetch) else { return Start::Fetch(None) };
        let claim = claim(fetch);
        let lease_claim = (!lookup.directives.no_cache).then_some(claim);
        let name = pages.name(&lookup.key.target, lookup.key.raw);
        let mut newer_than = observed.map(|entry| entry.version).unwrap_or_default();
        if lookup.directives.no_cache {
            newer_than = Version::MAX;
        }
        loop {
            let lease = match pages.begin(&name, newer_than, lease_claim).await {
                Err(_) => return Start::Fetch(None),
                Ok(Begun::Started(shared)) => {
                    let began = self.clock.elapsed();
                    return Start::Fetch(Some(Running::new(Arc::clone(pages), name, shared, began)));
                }
                Ok(Begun::Stored) => {
                    let entry = self.load(&**pages, lookup).await.entry;
                    match entry.filter(|entry| observed.is_none_or(|observed| !Arc::ptr_eq(entry, observed))) {
                        Some(entry) => return Start::Stored(entry),
                        // The page is not usable here.
                        None => newer_than = Version::MAX,
                    }
                    continue;
                }
                Ok(Begun::Held(lease)) => lease,
            };
            let followed = tokio::select! {
                followed = self.wait_for_fetch(&**pages, lookup, observed, &lease, claim) => followed,
                // The fetch then ends by itself.
                () = abandoned(waiters) => return Start::Fetch(None),
            };
            match followed {
                Some(Ok(entry)) => return Start::Stored(entry),
                Some(Err(error)) => return Start::Failed(error),
                None => {}
            }
        }
    }
}

impl Running {
    fn new(pages: Arc<dyn SharedPages>, name: PageName, fetch: SharedFetch, began: Duration) -> Self {
        let renewal = fetch
            .lease
            .clone()
            .map(|lease| tokio::spawn(renew(Arc::clone(&pages), name.clone(), lease)).abort_handle());
        Self { pages, name, fetch, began, renewal, is_ended: false }
    }

    /// Returns the position of the fetch in the order of all replicas.
    pub(super) fn version(&self) -> Version {
        self.fetch.version
    }

    /// Shares the page in the background.
    pub(super) fn share(mut self, cache: &PageCache, lookup: &Lookup, entry: &Arc<Entry>) {
        self.is_ended = true;
        let (cache, policy, entry) = (cache.clone(), lookup.policy, Arc::clone(entry));
        tokio::spawn(async move {
            let page = FetchedPage {
                bytes: encode(&entry),
                duration: entry.fetched().saturating_sub(self.began),
                age: cache.age(&entry),
                lifetime: usable_for(&entry, &policy),
            };
            if self.pages.store(&self.name, &self.fetch, &page).await.is_err() {
                self.release(None).await;
            }
        });
    }

    /// Shares the failure in the background.
    pub(super) fn fail<E: FetchFailure>(mut self, error: &E) {
        self.is_ended = true;
        let failure = error.to_shared();
        tokio::spawn(async move { self.release(failure).await });
    }

    async fn release(&self, failure: Option<Vec<u8>>) {
        if let Some(lease) = &self.fetch.lease {
            // Without the server, the lease lapses.
            let _ = self.pages.release(&self.name, lease, failure.as_deref()).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        // A fetch that panicked.
        if let (false, Some(lease)) = (self.is_ended, self.fetch.lease.take()) {
            let (pages, name) = (Arc::clone(&self.pages), self.name.clone());
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { pages.release(&name, &lease, None).await });
            }
        }
    }
}

/// Returns the kind of lease that a fetch claims.
pub(super) fn claim(fetch: &impl PageFetch) -> Claim {
    match fetch.reservation().priority() {
        Priority::Refresh => Claim::Refresh,
        Priority::Caller | Priority::Export => Claim::Caller,
    }
}

/// Renews a lease until it has lapsed.
async fn renew(pages: Arc<dyn SharedPages>, name: PageName, lease: Lease) {
    let mut ticks = interval(RENEW_INTERVAL);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Ok(false) = pages.renew(&name, &lease).await {
            return;
        }
    }
}

/// Waits until another replica's fetch has ended.
async fn watch(pages: &dyn SharedPages, name: &PageName, lease: &Lease) -> Watched {
    loop {
        match pages.watch(name, lease).await {
            Ok(FetchState::Running) => {}
            Ok(FetchState::Ended) => return Watched::Ended,
            Ok(FetchState::Failed(failure)) => return Watched::Failed(failure.into()),
            Err(_) => return Watched::Unknown,
        }
    }
}

/// Waits until no request waits.
async fn abandoned(waiters: &Waiters) {
    while !waiters.is_empty() {
        sleep(WAITERS_INTERVAL).await;
    }
}
