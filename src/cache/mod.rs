//! Vendor pages, kept: one vendor call for all who ask the same, as long as
//! the answer is fresh, and its last answer for a while after (RFC 9111,
//! RFC 5861).
//!
//! Keyed on the connection and the exact vendor question, never on who asked:
//! access is checked before. Freshness is judged when an entry is used, so
//! that to expire is not to be evicted; the store is bounded by the bytes it
//! occupies. `docs/CACHING.md` draws the states.

mod entry;
mod freshness;
mod metrics;
mod purge;
mod status;

use std::{
    future::Future,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;
use opentelemetry::context::FutureExt;

use crate::{
    clock::SharedClock,
    domain::priority::Priority,
    domain::{connection::ConnectionName, page::RecordPage},
    telemetry::request,
};
pub use entry::Entry;
pub use freshness::{CacheDirectives, Policy};
use freshness::{EntryState, Verdict};
pub use metrics::CacheMetrics;
pub use purge::Scope;
pub use status::{CacheStatus, Forward, Reason};

/// How long a background refresh that failed is not tried again.
const REFRESH_REST: Duration = Duration::from_secs(1);

/// What is asked of which connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The connection.
    pub connection: ConnectionName,
    /// Which of the accounts that the connection has stood for.
    pub generation: u32,
    /// The vendor's path and query.
    pub target: Arc<str>,
    /// Whether the vendor's own objects are kept along.
    pub raw: bool,
}

/// A question to the cache.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// What is asked.
    pub key: Key,
    /// How long an answer may be used.
    pub policy: Policy,
    /// What the caller asks of its freshness.
    pub directives: CacheDirectives,
    /// Who waits for it, should it have to be fetched.
    pub priority: Priority,
    /// Where the outcome is counted.
    pub metrics: Arc<CacheMetrics>,
}

/// An entry, and how it was come by.
#[derive(Debug, Clone)]
pub struct Cached {
    /// The entry.
    pub entry: Arc<Entry>,
    /// How it was come by.
    pub status: CacheStatus,
}

/// How a lookup would be answered.
#[derive(Debug, Clone)]
pub enum Peek {
    /// With what is kept.
    Kept {
        /// What is kept.
        entry: Arc<Entry>,
        /// Whether it is stale, and would be fetched anew behind the caller's
        /// back.
        is_refreshed: bool,
    },
    /// With what the vendor answers.
    Fetched,
}

/// Why a fetch failed, as far as the cache is concerned.
pub trait FetchFailure: Clone + Send + Sync + From<FetchAborted> + From<NotCached> + 'static {
    /// Whether the last answer may stand in (RFC 5861, section 4).
    fn allows_stale(&self) -> bool;
    /// Whether the vendor has no such row, which is kept for a short time.
    fn is_not_found(&self) -> bool;
    /// The vendor's HTTP status, where it answered.
    fn status(&self) -> Option<u16>;
}

/// The task of a flight died, which only a panic does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchAborted;

/// The caller wanted what is kept and nothing else, and nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCached;

/// The kept pages of all connections. Clones share them.
#[derive(Clone)]
pub struct PageCache {
    store: Cache<Key, Arc<Entry>>,
    flights: Cache<FetchKey, Arc<Entry>>,
    /// Counts purges: a flight that began before one is not stored after it.
    purges: Arc<AtomicU64>,
    clock: SharedClock,
}

/// Flights that may be shared: a caller does not join one that gives way to
/// callers, and one that is not to be stored stays apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FetchKey {
    key: Key,
    background: bool,
    stored: bool,
    /// Who asks after a purge does not take what was asked for before it.
    purges: u64,
}

impl PageCache {
    /// A cache of at most `max_bytes`.
    #[must_use]
    pub fn new(max_bytes: u64, clock: SharedClock) -> Self {
        let store = Cache::builder()
            .weigher(|key: &Key, entry: &Arc<Entry>| u32::try_from(entry.weight(key)).unwrap_or(u32::MAX))
            .eviction_listener(|key, entry: Arc<Entry>, cause| entry.removed(&key, cause))
            .max_capacity(max_bytes)
            .build();
        Self { store, flights: Cache::builder().build(), purges: Arc::default(), clock }
    }

    /// The entry of a key: kept, if it may be used as it stands, else fetched.
    ///
    /// Whoever asks for the same meanwhile waits for the same flight, and fails
    /// with it; a caller who gives up does not cancel it for the others. `admit`
    /// gives the caller leave to fetch, and then fetches: before a flight is
    /// begun or joined, so that nobody else waits for the leave, or fails for
    /// want of it.
    pub async fn get<A, F, E>(&self, lookup: Lookup, admit: impl FnOnce(Priority) -> A + Send) -> Result<Cached, E>
    where
        A: Future<Output = Result<F, E>> + Send + 'static,
        F: Future<Output = Result<RecordPage, E>> + Send + 'static,
        E: FetchFailure,
    {
        let kept = self.store.get(&lookup.key).await;
        let standing = kept.as_ref().map(|entry| self.standing(entry, lookup.policy));
        let reason = match (&kept, standing.map(|standing| standing.verdict(&lookup.directives))) {
            (Some(entry), Some(Verdict::Fresh { ttl })) => {
                lookup.metrics.hit.increment(1);
                return Ok(Cached { entry: Arc::clone(entry), status: CacheStatus::fresh(ttl) });
            }
            (Some(entry), Some(Verdict::Stale { by })) => {
                lookup.metrics.stale.increment(1);
                // What is fetched for this request may not be kept: the next
                // caller sees to it.
                if !lookup.directives.only_if_cached && !lookup.directives.no_store {
                    self.refresh(entry, &lookup, admit);
                }
                return Ok(Cached { entry: Arc::clone(entry), status: CacheStatus::stale(by) });
            }
            (_, Some(Verdict::Forward(reason))) => reason,
            _ => Reason::Miss,
        };
        if lookup.directives.only_if_cached {
            return Err(E::from(NotCached));
        }
        let stored = !lookup.directives.no_store;
        let wait = request::track_vendor_wait(&self.clock);
        let (landed, collapsed) = match admit(lookup.priority).await {
            Ok(fetch) => self.fetch_shared(&lookup, kept.clone(), lookup.priority, fetch).await,
            Err(error) => (Err(error), false),
        };
        drop(wait);
        match landed {
            Ok(entry) => {
                if collapsed {
                    lookup.metrics.collapsed.increment(1);
                } else {
                    lookup.metrics.miss.increment(1);
                }
                let ttl = entry.lifetime(&lookup.policy);
                let forward = Forward { reason, status: Some(entry.status()), collapsed, stored };
                Ok(Cached { entry, status: CacheStatus::forwarded(forward, ttl) })
            }
            Err(error) => {
                lookup.metrics.failed.increment(1);
                let usable = standing.and_then(|standing| standing.usable_on_error(&lookup.directives));
                match (kept, usable) {
                    (Some(entry), Some(by)) if error.allows_stale() => {
                        lookup.metrics.stale.increment(1);
                        let forward = Forward { reason, status: error.status(), collapsed, stored: false };
                        Ok(Cached { entry, status: CacheStatus::stale_if_error(forward, by) })
                    }
                    _ => Err(error),
                }
            }
        }
    }

    /// How a lookup would be answered, without fetching or counting anything.
    pub async fn peek(&self, key: &Key, policy: Policy, directives: &CacheDirectives) -> Peek {
        let Some(entry) = self.store.get(key).await else { return Peek::Fetched };
        match self.standing(&entry, policy).verdict(directives) {
            Verdict::Fresh { .. } => Peek::Kept { entry, is_refreshed: false },
            Verdict::Stale { .. } => {
                let is_refreshed = !directives.only_if_cached && !directives.no_store && !entry.is_refreshing();
                Peek::Kept { entry, is_refreshed }
            }
            Verdict::Forward(_) => Peek::Fetched,
        }
    }

    /// How old an entry is.
    #[must_use]
    pub fn age(&self, entry: &Entry) -> Duration {
        entry.age(&self.clock)
    }

    fn standing(&self, entry: &Entry, policy: Policy) -> EntryState {
        EntryState {
            age: entry.age(&self.clock),
            lifetime: entry.lifetime(&policy),
            may_serve_stale: entry.found,
            policy,
        }
    }

    /// Fetches an entry anew behind its callers' backs, once at a time. Where
    /// the caller has no leave to, it is left to the next.
    fn refresh<A, F, E>(&self, entry: &Arc<Entry>, lookup: &Lookup, admit: impl FnOnce(Priority) -> A)
    where
        A: Future<Output = Result<F, E>> + Send + 'static,
        F: Future<Output = Result<RecordPage, E>> + Send + 'static,
        E: FetchFailure,
    {
        if !entry.start_refresh() {
            return;
        }
        let (cache, lookup, entry) = (self.clone(), lookup.clone(), Arc::clone(entry));
        let admission = admit(Priority::Background);
        let refresh = async move {
            if let Ok(fetch) = admission.await
                && cache.fetch_shared(&lookup, Some(Arc::clone(&entry)), Priority::Background, fetch).await.0.is_err()
            {
                lookup.metrics.failed.increment(1);
                cache.clock.sleep(REFRESH_REST).await;
            }
            entry.end_refresh();
        };
        tokio::spawn(refresh.with_current_context());
    }

    /// Joins or starts a flight, in a task of its own: dropping this future
    /// leaves it alone. Says whether it was another's, as it also is where one
    /// has landed since the caller `observed` what was kept.
    async fn fetch_shared<F, E>(
        &self,
        lookup: &Lookup,
        observed: Option<Arc<Entry>>,
        priority: Priority,
        fetch: F,
    ) -> (Result<Arc<Entry>, E>, bool)
    where
        F: Future<Output = Result<RecordPage, E>> + Send + 'static,
        E: FetchFailure,
    {
        let (cache, lookup) = (self.clone(), lookup.clone());
        let is_leader = Arc::new(AtomicBool::new(false));
        let leading = Arc::clone(&is_leader);
        let flight = async move {
            let stored = !lookup.directives.no_store;
            let background = priority == Priority::Background;
            let purges = cache.purges.load(Ordering::Acquire);
            let key = FetchKey { key: lookup.key.clone(), background, stored, purges };
            let landing = async {
                let newer = cache.store.get(&lookup.key).await;
                if let Some(newer) =
                    newer.filter(|newer| observed.is_none_or(|observed| !Arc::ptr_eq(newer, &observed)))
                {
                    return Ok(newer);
                }
                leading.store(true, Ordering::Relaxed);
                cache.fetch_and_store(&lookup, stored.then_some(purges), fetch).await
            };
            let landed = cache.flights.try_get_with_by_ref(&key, landing).await;
            cache.flights.invalidate(&key).await;
            landed.map_err(|error: Arc<E>| (*error).clone())
        };
        let flight = tokio::spawn(flight.with_current_context());
        let landed = flight.await.unwrap_or_else(|_| Err(E::from(FetchAborted)));
        (landed, !is_leader.load(Ordering::Relaxed))
    }

    /// Fetches an entry, and keeps it if it may be and nothing was purged since
    /// this count of purges. A purge that comes while it is put in may pass it
    /// by: then it is taken out again.
    async fn fetch_and_store<F, E>(&self, lookup: &Lookup, purges: Option<u64>, fetch: F) -> Result<Arc<Entry>, E>
    where
        F: Future<Output = Result<RecordPage, E>>,
        E: FetchFailure,
    {
        let page = match fetch.await {
            Ok(page) => Some(page),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let entry = Arc::new(Entry::new(page, &self.clock, Arc::clone(&lookup.metrics)));
        if purges == Some(self.purges.load(Ordering::Acquire)) {
            if let Some(old) = self.store.get(&lookup.key).await {
                old.supersede();
            }
            entry.inserted(&lookup.key, &lookup.policy);
            self.store.insert(lookup.key.clone(), Arc::clone(&entry)).await;
            // Read by a write, so that a purge either shows here or finds the entry.
            if purges != Some(self.purges.fetch_add(0, Ordering::AcqRel)) {
                entry.supersede();
                self.store.remove(&lookup.key).await;
            }
        }
        Ok(entry)
    }
}

impl std::fmt::Debug for PageCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageCache").field("entries", &self.store.entry_count()).finish_non_exhaustive()
    }
}
