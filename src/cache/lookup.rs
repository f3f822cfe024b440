//! Cache lookups.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use crate::{domain::connection::ConnectionName, shared::Lease, telemetry::request};

use super::{
    CacheDirectives, CacheMetrics, CacheStatus, Entry, FetchFailure, Forward, NotCached, PageCache, PageFetch, Policy,
    Reason, Rows,
    freshness::{EntryState, Verdict},
    second_tier::{Loaded, shared_pages},
    shared_fetch::claim,
    single_flight::Fetched,
};

/// Identity of a vendor response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Connection that is called.
    pub connection: ConnectionName,
    /// Generation of the connection. A new account under the same connection
    /// name is a new generation.
    pub generation: u32,
    /// Vendor path and query.
    pub target: Arc<str>,
    /// True if the records include the vendor's own objects.
    pub raw: bool,
}

/// Parameters of a cache lookup.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Key of the entry.
    pub key: Key,
    /// The operator's freshness policy for the entry.
    pub policy: Policy,
    /// The caller's freshness requirements.
    pub directives: CacheDirectives,
    /// Counters of the connection.
    pub metrics: Arc<CacheMetrics>,
    /// Rows that another cached page may supply.
    pub rows: Option<Rows>,
}

/// Entry with the cache status of its lookup.
#[derive(Debug, Clone)]
pub struct Cached {
    /// The entry.
    pub entry: Arc<Entry>,
    /// Cache status of the lookup.
    pub status: CacheStatus,
    /// True if another request has fetched the page, which contains the same rows.
    pub is_substitute: bool,
}

impl Cached {
    fn requested(entry: Arc<Entry>, status: CacheStatus) -> Self {
        Self { entry, status, is_substitute: false }
    }
}

impl Key {
    /// Returns the key under which a page is cached after a newer page has replaced
    /// it.
    pub(super) fn displaced(&self) -> Self {
        // No vendor request contains a fragment.
        Self { target: format!("{}#displaced", self.target).into(), ..self.clone() }
    }
}

/// Predicted outcome of a lookup.
#[derive(Debug, Clone)]
pub enum Peek {
    /// A cached entry is served.
    Cached {
        /// The entry.
        entry: Arc<Entry>,
        /// True if the lookup starts a background refresh of the entry.
        starts_refresh: bool,
        /// True if another request has fetched the page.
        is_substitute: bool,
    },
    /// The page is fetched from the vendor.
    Fetched,
}

/// Entry that a lookup found, with its age and policy.
struct Found {
    entry: Arc<Entry>,
    state: EntryState,
    is_substitute: bool,
}

/// Wait for the vendor's rate limit above which a stale entry is served and
/// refreshed in the background.
const LONG_WAIT: Duration = Duration::from_millis(500);

impl Found {
    /// Returns the entry and the time since its expiry, if it may replace a
    /// failed fetch.
    fn usable_on_error(&self, directives: &CacheDirectives) -> Option<(Arc<Entry>, Duration)> {
        let stale_by = self.state.usable_on_error(directives)?;
        Some((Arc::clone(&self.entry), stale_by))
    }
}

impl PageCache {
    /// Returns the entry of a key from the cache, or fetches the page.
    ///
    /// Concurrent lookups of the same key share one fetch and its failure. A
    /// cancelled lookup does not cancel the fetch for the others. A lookup for a caller or
    /// a refresh must be polled whenever it is woken, or dropped: the others wait for it.
    pub async fn get<F: PageFetch>(&self, lookup: Lookup, fetch: F) -> Result<Cached, F::Error> {
        let found = self.find(&lookup.key, lookup.policy, &lookup.directives, lookup.rows.as_ref()).await;
        let reason = match self.serve(&lookup, found.as_ref(), &fetch) {
            Ok(cached) => return Ok(cached),
            Err(reason) => reason,
        };
        // On the heap, because a hit has no use for the space.
        let get: BoxFuture<'_, _> = Box::pin(self.get_missed(lookup, found, reason, fetch));
        get.await
    }

    /// Returns the page of another replica, or waits until another replica has fetched
    /// the page, or fetches it.
    async fn get_missed<F: PageFetch>(
        &self,
        lookup: Lookup,
        found: Option<Found>,
        reason: Reason,
        fetch: F,
    ) -> Result<Cached, F::Error> {
        let is_loaded = |_: &&_| !lookup.directives.no_cache && !self.is_in_flight(&lookup);
        let Some(pages) = shared_pages(&lookup.directives, &fetch).filter(is_loaded) else {
            return self.forward(&lookup, found, reason, None, fetch).await;
        };
        let Loaded { entry, lease } = self.load(&**pages, &lookup).await;
        let is_new = |entry: &Arc<Entry>| found.as_ref().is_none_or(|found| !Arc::ptr_eq(&found.entry, entry));
        let Some(entry) = entry.filter(is_new) else {
            return self.forward(&lookup, found, reason, lease, fetch).await;
        };
        let loaded = Some(Found { state: self.state(&entry, lookup.policy), entry, is_substitute: false });
        match self.serve(&lookup, loaded.as_ref(), &fetch) {
            Ok(cached) => Ok(cached),
            Err(reason) => self.forward(&lookup, loaded, reason, lease, fetch).await,
        }
    }

    /// Serves an entry that is fresh, or that is stale and then refreshed. Fails with the
    /// reason for a fetch.
    fn serve<F: PageFetch>(&self, lookup: &Lookup, found: Option<&Found>, fetch: &F) -> Result<Cached, Reason> {
        let found = found.ok_or(Reason::Miss)?;
        match found.state.verdict(&lookup.directives) {
            Verdict::Fresh { ttl } => {
                lookup.metrics.hit.increment(1);
                let (entry, status) = (Arc::clone(&found.entry), CacheStatus::fresh(ttl));
                Ok(Cached { entry, status, is_substitute: found.is_substitute })
            }
            Verdict::Stale { by } => {
                lookup.metrics.stale.increment(1);
                if may_refresh(&lookup.directives) {
                    self.refresh(&found.entry, lookup, fetch);
                }
                Ok(Cached::requested(Arc::clone(&found.entry), CacheStatus::stale(by)))
            }
            Verdict::Forward(reason) => Err(reason),
        }
    }

    /// Predicts the outcome of a lookup without a fetch and without counting.
    pub async fn peek(&self, key: &Key, policy: Policy, directives: &CacheDirectives, rows: Option<&Rows>) -> Peek {
        let found = self.find(key, policy, directives, rows).await;
        let Some(Found { entry, state, is_substitute }) = found else { return Peek::Fetched };
        match state.verdict(directives) {
            Verdict::Fresh { .. } => Peek::Cached { entry, starts_refresh: false, is_substitute },
            Verdict::Stale { .. } => {
                let starts_refresh = may_refresh(directives) && !entry.is_refreshing();
                Peek::Cached { entry, starts_refresh, is_substitute }
            }
            Verdict::Forward(_) => Peek::Fetched,
        }
    }

    /// Returns the entry of a key. If it is not fresh, returns a fresh page that
    /// contains the same rows, if there is one.
    async fn find(
        &self,
        key: &Key,
        policy: Policy,
        directives: &CacheDirectives,
        rows: Option<&Rows>,
    ) -> Option<Found> {
        let entry = self.store.get(key).await;
        let found = entry.map(|entry| Found { state: self.state(&entry, policy), entry, is_substitute: false });
        let is_fresh = |found: &Found| matches!(found.state.verdict(directives), Verdict::Fresh { .. });
        // A row that the vendor did not have may be in a younger page.
        if found.as_ref().is_some_and(|found| found.entry.found && is_fresh(found)) {
            return found;
        }
        let other = rows.and_then(|rows| {
            let entry = self.store.rows.find(key, rows)?;
            Some(Found { state: self.state(&entry, rows.policy(policy)), entry, is_substitute: true })
        });
        let other = other.filter(is_fresh);
        let is_younger =
            |other: &Found| found.as_ref().is_none_or(|found| found.entry.fetched() < other.entry.fetched());
        other.filter(is_younger).or(found)
    }

    /// Returns the result of another replica's fetch. `None` without such a fetch, and if
    /// it has no result.
    async fn wait_for_replica<F: PageFetch>(
        &self,
        lookup: &Lookup,
        observed: Option<&Arc<Entry>>,
        lease: Option<Lease>,
        fetch: &F,
    ) -> Option<Result<Arc<Entry>, F::Error>> {
        let (lease, pages) = (lease?, fetch.shared_pages()?);
        let _permission = match fetch.enter() {
            Ok(permission) => permission,
            Err(error) => return Some(Err(error)),
        };
        self.wait_for_fetch(&**pages, lookup, observed, &lease, claim(fetch)).await
    }

    /// Fetches the page, or waits for the replica with the lease. The entry that was
    /// found may replace a failed fetch.
    async fn forward<F: PageFetch>(
        &self,
        lookup: &Lookup,
        found: Option<Found>,
        reason: Reason,
        lease: Option<Lease>,
        fetch: F,
    ) -> Result<Cached, F::Error> {
        if lookup.directives.only_if_cached {
            return Err(NotCached.into());
        }
        if let Some((entry, stale_by)) = found.as_ref().and_then(|found| found.usable_on_error(&lookup.directives))
            && fetch.reservation().expected_wait() > LONG_WAIT
        {
            lookup.metrics.stale.increment(1);
            if may_refresh(&lookup.directives) {
                self.refresh(&entry, lookup, &fetch);
            }
            let forward = Forward { reason, status: None, collapsed: false, stored: false };
            return Ok(Cached::requested(entry, CacheStatus::stale_if_error(forward, stale_by)));
        }
        let wait = request::track_vendor_wait(&self.clock);
        let observed = found.as_ref().map(|found| Arc::clone(&found.entry));
        let fetched = match self.wait_for_replica(lookup, observed.as_ref(), lease, &fetch).await {
            Some(result) => Fetched { result, is_collapsed: true, is_admitted: true },
            None => self.fetch_shared(lookup, observed, fetch).await,
        };
        drop(wait);
        let Fetched { result, is_collapsed: collapsed, .. } = fetched;
        match result {
            Ok(entry) => {
                if collapsed {
                    lookup.metrics.collapsed.increment(1);
                } else {
                    lookup.metrics.miss.increment(1);
                }
                // The page of a purge in the meantime is not stored.
                let stored = !lookup.directives.no_store && !entry.is_superseded();
                let forward = Forward { reason, status: Some(entry.status()), collapsed, stored };
                let status = CacheStatus::forwarded(forward, entry.lifetime(&lookup.policy));
                Ok(Cached::requested(entry, status))
            }
            Err(error) => {
                lookup.metrics.failed.increment(1);
                let usable = found.filter(|_| error.allows_stale());
                let usable = usable.and_then(|found| found.usable_on_error(&lookup.directives));
                let Some((entry, stale_by)) = usable else { return Err(error) };
                lookup.metrics.stale.increment(1);
                let forward = Forward { reason, status: error.status(), collapsed, stored: false };
                Ok(Cached::requested(entry, CacheStatus::stale_if_error(forward, stale_by)))
            }
        }
    }
}

/// Returns true if a lookup of a stale entry may start a refresh. With
/// `no-store` the refreshed page could not be stored.
fn may_refresh(directives: &CacheDirectives) -> bool {
    !directives.only_if_cached && !directives.no_store
}
