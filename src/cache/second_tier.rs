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

/// First byte of an encoded entry, and version of the rows outside the process. It
/// changes with every change to the encoding, and to the rows that an adapter makes of a
/// vendor's response. A test in `tests/it/replicas/versions.rs` compares the rows.
pub const VERSION: u8 = 1;

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
        let entry = page.and_then(|page| decode(&page, flight.started, now, lookup));
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

/// Returns the shared pages that a lookup uses.
pub(super) fn shared_pages<'f, F: PageFetch>(
    directives: &CacheDirectives,
    fetch: &'f F,
) -> Option<&'f Arc<dyn SharedPages>> {
    let is_shared = !directives.no_store && fetch.reservation().priority() != Priority::Export;
    fetch.shared_pages().filter(|_| is_shared)
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
fn decode(stored: &StoredPage, started: PurgeCount, now: Duration, lookup: &Lookup) -> Option<Entry> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::{CacheMetrics, Policy},
        clock::SystemClock,
        domain::page::{Fields, PageInfo, RecordPageBuilder},
        shared::Version,
        telemetry::metrics::Registry,
    };

    fn lookup() -> Lookup {
        let connection = "affiliates".parse().unwrap();
        Lookup {
            key: Key { connection, generation: 1, target: "/v1/customers?".into(), raw: false },
            policy: Policy::default(),
            directives: CacheDirectives::default(),
            metrics: Arc::new(CacheMetrics::new(&Registry::default(), "affiliates")),
            rows: None,
        }
    }

    fn entry(lookup: &Lookup, page: Option<RecordPage>) -> Entry {
        let (started, metrics) = (PurgeCount::default(), Arc::clone(&lookup.metrics));
        Entry::new(page, started, Version(1), &SystemClock::shared(), metrics)
    }

    fn page() -> RecordPage {
        let mut builder = RecordPageBuilder::default();
        builder.push(&Fields { id: "cust_1", ..Fields::default() }, &1_i64).unwrap();
        builder.finish(PageInfo::default())
    }

    fn decoded(lookup: &Lookup, bytes: &[u8], purged: &[&str]) -> Option<Entry> {
        let purged_customers = purged.iter().map(ToString::to_string).collect();
        let age = Duration::from_secs(7);
        let stored = StoredPage { bytes: bytes.to_vec(), version: Version(2), age, purged_customers };
        decode(&stored, PurgeCount::default(), Duration::from_secs(100), lookup)
    }

    #[test]
    fn encoded_entry_decodes_to_itself() {
        let lookup = lookup();
        for page in [Some(page()), Some(RecordPage::default()), None] {
            let entry = entry(&lookup, page);
            let decoded = decoded(&lookup, &encode(&entry), &[]).unwrap();
            assert_eq!(decoded.page, entry.page);
            assert_eq!((decoded.found, decoded.fetched_at), (entry.found, entry.fetched_at));
            assert_eq!((decoded.fetched(), decoded.version), (Duration::from_secs(93), Version(2)));
        }
    }

    #[test]
    fn purged_customer_makes_a_page_a_miss() {
        let lookup = lookup();
        let bytes = encode(&entry(&lookup, Some(page())));
        assert!(decoded(&lookup, &bytes, &["cust_2"]).is_some());
        assert!(decoded(&lookup, &bytes, &["cust_2", "cust_1"]).is_none());
        // A missing row may be any customer.
        assert!(decoded(&lookup, &encode(&entry(&lookup, None)), &["cust_2"]).is_none());
    }

    #[test]
    fn foreign_bytes_are_a_miss() {
        let lookup = lookup();
        let bytes = encode(&entry(&lookup, Some(page())));
        for length in 0..bytes.len() {
            assert!(decoded(&lookup, &bytes[..length], &[]).is_none(), "{length} bytes");
        }
        assert!(decoded(&lookup, &[&[VERSION + 1], &bytes[1..]].concat(), &[]).is_none());
    }
}
