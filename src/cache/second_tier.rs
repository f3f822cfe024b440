//! Pages that other replicas have fetched: a second tier behind the process's own cache.
//!
//! A page is loaded only if the first tier has no entry that may be served. A loaded
//! page becomes an entry of the first tier, with the age it has on the server.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use moka::future::Cache;

use crate::{
    domain::{page::RecordPage, priority::Priority},
    shared::{Lease, LoadedPage, SharedPages, SharedPurges, StoredPage},
};

use super::{
    CacheDirectives, Entry, Key, Lookup, PageCache, PageFetch, Policy, purge::concerns, purge_log::PurgeCount,
    shared_fetch::Watches, shared_purges::Accounts,
};

/// State of the process for the second tier. Clones share it.
#[derive(Clone)]
pub(super) struct SecondTier {
    /// Loads in flight.
    loads: Cache<LoadKey, Loaded>,
    pub(super) watches: Watches,
    pub(super) accounts: Accounts,
    /// Purges of all replicas, if there are several.
    pub(super) purges: Option<Arc<dyn SharedPurges>>,
}

/// Key of a load. A lookup after a purge does not join a load from before the purge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LoadKey {
    key: Key,
    purges: PurgeCount,
}

/// Result of a load.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded {
    /// Newest entry of the key.
    pub(super) entry: Option<Arc<Entry>>,
    /// Lease of the replica that fetches the page now.
    pub(super) lease: Option<Lease>,
}

/// First byte of an encoded entry. It changes with every change to the encoding, and to
/// the rows that an adapter makes of a vendor's response. A test in
/// `tests/it/replicas/pages.rs` compares the rows.
const VERSION: u8 = 1;

/// Time after which a result is forgotten that a cancelled lookup has left behind.
pub(super) const FORGOTTEN_AFTER: Duration = Duration::from_secs(1);

impl Default for SecondTier {
    fn default() -> Self {
        let (watches, accounts) = (Watches::default(), Accounts::default());
        let loads = Cache::builder().time_to_live(FORGOTTEN_AFTER).build();
        Self { loads, watches, accounts, purges: None }
    }
}

impl PageCache {
    /// Returns the shared pages that a lookup uses.
    pub(super) fn shared_pages<'f, F: PageFetch>(
        &self,
        directives: &CacheDirectives,
        fetch: &'f F,
    ) -> Option<&'f Arc<dyn SharedPages>> {
        let is_shared = !directives.no_store && fetch.reservation().priority() != Priority::Export;
        fetch.shared_pages().filter(|_| is_shared)
    }

    /// Loads a page into the first tier, unless the first tier has the page. Concurrent
    /// loads of a key are one load.
    pub(super) async fn load(&self, pages: &dyn SharedPages, lookup: &Lookup) -> Loaded {
        let (purges, _) = self.store.purges.counts(&lookup.key.connection);
        let key = LoadKey { key: lookup.key.clone(), purges };
        let loads = &self.second_tier.loads;
        let loaded = loads.get_with_by_ref(&key, self.load_once(pages, lookup)).await;
        loads.invalidate(&key).await;
        loaded
    }

    async fn load_once(&self, pages: &dyn SharedPages, lookup: &Lookup) -> Loaded {
        let flight = self.store.purges.begin(&lookup.key.connection);
        // The age on the server counts from before the response.
        let now = self.clock.elapsed();
        let name = pages.name(&lookup.key.target, lookup.key.raw);
        let Ok(LoadedPage { page, lease }) = pages.load(&name).await else { return Loaded::default() };
        let current = self.store.get(&lookup.key).await;
        let entry = page.and_then(|page| decode(page, flight.started, now, lookup));
        let is_newer = |entry: &Entry| {
            let is_older = |current: &Arc<Entry>| current.fetched() < entry.fetched() && !is_same(current, entry);
            current.as_ref().is_none_or(is_older)
        };
        let Some(entry) = entry.filter(is_newer) else { return Loaded { entry: current, lease } };
        let entry = Arc::new(entry);
        self.store.insert(lookup, &entry).await;
        Loaded { entry: (!entry.is_superseded()).then_some(entry), lease }
    }
}

/// Returns true if both entries are the same response.
fn is_same(one: &Entry, other: &Entry) -> bool {
    one.fetched_at == other.fetched_at && one.page.digest() == other.page.digest()
}

/// Encodes an entry: `version ‖ found ‖ time of the response ‖ page`.
pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    let page = if entry.found { entry.page.to_bytes() } else { Vec::new() };
    let time = entry.fetched_at.as_nanosecond().to_le_bytes();
    [&[VERSION, u8::from(entry.found)][..], &time, &page].concat()
}

/// Returns the age at which an entry is of no use any more.
pub(super) fn usable_for(entry: &Entry, policy: &Policy) -> Duration {
    if entry.found { policy.fresh.saturating_add(policy.max_stale()) } else { policy.not_found }
}

/// Decodes an entry. `None` for bytes of another version and for purged pages.
fn decode(stored: StoredPage, started: PurgeCount, now: Duration, lookup: &Lookup) -> Option<Entry> {
    let (&[version, found], rest) = stored.bytes.split_first_chunk()?;
    let (time, page) = rest.split_first_chunk()?;
    if version != VERSION {
        return None;
    }
    let fetched_at = Timestamp::from_nanosecond(i128::from_le_bytes(*time)).ok()?;
    let page = if found == 0 { None } else { Some(RecordPage::from_bytes(page).ok()?) };
    let fetched = now.saturating_sub(stored.age);
    let entry = Entry::fetched_at(fetched_at, fetched, page, started, stored.version, Arc::clone(&lookup.metrics));
    let is_purged = stored.purged_customers.iter().any(|customer| concerns(&entry, customer));
    (!is_purged).then_some(entry)
}
