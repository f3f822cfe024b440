//! In-memory cache of vendor pages with request coalescing.
//!
//! The key is the connection and the exact vendor request. The caller is not
//! part of the key, because access is checked before the lookup. Freshness
//! follows RFC 9111, and stale responses follow RFC 5861. Freshness is decided
//! at lookup, so expiry does not evict an entry. The total weight of the
//! entries is bounded. `docs/CACHING.md` has the state diagram.

mod entry;
mod fetch;
mod freshness;
mod held;
mod link;
mod lookup;
mod metrics;
mod purge;
mod purge_log;
mod refresh;
mod row_index;
mod second_tier;
mod shared_fetch;
mod shared_purges;
mod single_flight;
mod spawn_on_drop;
mod status;
mod store;
mod stored_lists;
mod watch;

use std::{fmt, sync::Arc, time::Duration};

use crate::{clock::SharedClock, copies::Copies, domain::connection::ConnectionName};
pub use entry::Entry;
pub use fetch::{FetchAborted, FetchFailure, NotCached, PageFetch};
use freshness::EntryState;
pub use freshness::{CacheDirectives, ListVerdict, Policy};
pub use held::{FreshEntries, HeldEntries};
pub use link::Neighbouring;
pub use lookup::{Cached, Key, Lookup, Peek};
pub use metrics::CacheMetrics;
pub use purge::Scope;
pub use row_index::{Gap, List, ListRows, Row, Rows};
use second_tier::SecondTier;
pub use second_tier::VERSION as ROWS_VERSION;
pub use shared_purges::Purged;
use single_flight::InFlightFetches;
pub use status::{CacheStatus, Forward, Reason};
use store::Store;
use stored_lists::StoredLists;
pub use watch::EntryWatch;

/// Cache of the pages of all connections. Clones share the contents.
#[derive(Clone)]
pub struct PageCache {
    store: Store,
    in_flight: InFlightFetches,
    second_tier: SecondTier,
    lists: StoredLists,
    clock: SharedClock,
}

impl PageCache {
    /// Creates a cache whose entries weigh at most `max_bytes` in total.
    #[must_use]
    pub fn new(max_bytes: u64, clock: SharedClock) -> Self {
        let (in_flight, second_tier, lists) =
            (InFlightFetches::default(), SecondTier::default(), StoredLists::default());
        Self { store: Store::new(max_bytes), in_flight, second_tier, lists, clock }
    }

    /// Returns the age of an entry.
    #[must_use]
    pub fn age(&self, entry: &Entry) -> Duration {
        entry.age(&self.clock)
    }

    /// Sets the stored lists of a connection, which purges concern too.
    pub fn set_lists(&self, name: ConnectionName, lists: Option<Arc<Copies>>) {
        self.lists.set(name, lists);
    }

    /// Removes the entries of a scope and returns their number. Fetches in flight
    /// whose pages the scope covers are not stored.
    pub async fn purge(&self, scope: &Scope) -> usize {
        self.lists.purge(scope);
        self.store.purge(scope).await
    }

    fn state(&self, entry: &Entry, policy: Policy) -> EntryState {
        EntryState {
            age: entry.age(&self.clock),
            lifetime: entry.lifetime(&policy),
            may_serve_stale: entry.found,
            policy,
        }
    }
}

impl fmt::Debug for PageCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCache").field("entries", &self.store.len()).finish_non_exhaustive()
    }
}
