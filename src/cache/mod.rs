//! Vendor pages, kept: one vendor call for all who ask the same, as long as
//! the answer is fresh.
//!
//! Keyed on the connection and the exact vendor question, never on who asked:
//! access is checked before. Freshness stands in the entry, so that to expire
//! is not to be evicted; the store is bounded by the bytes it occupies.

use std::{future::Future, hash::Hash, sync::Arc, time::Duration};

use jiff::SignedDuration;
use moka::future::Cache;

use crate::domain::{clock::SharedClock, connection::ConnectionName, page::RecordPage};

/// What is asked of which connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The connection.
    pub connection: ConnectionName,
    /// The vendor's path and query.
    pub target: Arc<str>,
    /// Whether the vendor's own objects are kept along.
    pub raw: bool,
}

/// A page as it was fetched.
#[derive(Debug)]
pub struct Entry {
    /// The page.
    pub page: RecordPage,
    /// When the vendor's answer had come.
    pub fetched_at: jiff::Timestamp,
}

/// How an entry was come by (RFC 9211, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// It was kept and fresh.
    Hit,
    /// It was fetched, by this request or by another that asked the same.
    Miss,
}

/// The kept pages of all connections.
#[derive(Clone)]
pub struct PageCache {
    store: Cache<Key, Arc<Entry>>,
    flights: Cache<Key, Arc<Entry>>,
    fresh: SignedDuration,
    clock: SharedClock,
}

impl PageCache {
    /// A cache of at most `max_bytes`, whose entries stay fresh for `fresh`.
    #[must_use]
    pub fn new(max_bytes: u64, fresh: Duration, clock: SharedClock) -> Self {
        let weigh = |key: &Key, entry: &Arc<Entry>| {
            let bytes = size_of::<Key>() + key.target.len() + entry.page.weight();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            store: Cache::builder().weigher(weigh).max_capacity(max_bytes).build(),
            flights: Cache::builder().build(),
            fresh: SignedDuration::try_from(fresh).unwrap_or(SignedDuration::MAX),
            clock,
        }
    }

    /// The entry of a key, fetched where none is fresh. Whoever asks for the
    /// same meanwhile waits for the same flight, and fails with it; a caller
    /// who gives up does not cancel it for the others.
    pub async fn get<F, E>(&self, key: Key, fetch: F) -> Result<(Arc<Entry>, CacheStatus), Arc<E>>
    where
        F: Future<Output = Result<RecordPage, E>> + Send + 'static,
        E: Send + Sync + 'static + From<FlightLost>,
    {
        if let Some(entry) = self.kept(&key).await {
            return Ok((entry, CacheStatus::Hit));
        }
        let cache = self.clone();
        // A task of its own: dropping this future leaves the flight alone.
        let flight = tokio::spawn(async move { cache.fly(key, fetch).await });
        let landed = flight.await.unwrap_or_else(|_| Err(Arc::new(E::from(FlightLost))));
        landed.map(|entry| (entry, CacheStatus::Miss))
    }

    async fn fly<F, E>(&self, key: Key, fetch: F) -> Result<Arc<Entry>, Arc<E>>
    where
        F: Future<Output = Result<RecordPage, E>> + Send + 'static,
        E: Send + Sync + 'static,
    {
        let landing = async {
            // A flight may have landed since the store was looked at.
            if let Some(entry) = self.kept(&key).await {
                return Ok(entry);
            }
            let entry = Arc::new(Entry { page: fetch.await?, fetched_at: self.clock.now() });
            self.store.insert(key.clone(), Arc::clone(&entry)).await;
            Ok(entry)
        };
        let landed = self.flights.try_get_with(key.clone(), landing).await;
        self.flights.invalidate(&key).await;
        landed
    }

    /// The entry of a key, where it is fresh.
    async fn kept(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.store.get(key).await?;
        (self.clock.now().duration_since(entry.fetched_at) < self.fresh).then_some(entry)
    }
}

/// The task of a flight died, which only a panic does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlightLost;

impl std::fmt::Debug for PageCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageCache").field("entries", &self.store.entry_count()).finish_non_exhaustive()
    }
}
