//! Interface between the cache and the vendor calls that fill it.

use std::sync::Arc;

use crate::{
    domain::page::RecordPage,
    shared::SharedPages,
    upstream::{Reservation, Waiters},
};

/// Fetch of one page.
pub trait PageFetch: Send + Sync + 'static {
    /// Failure of the fetch.
    type Error: FetchFailure;
    /// Permission to call the vendor, held while a lookup waits for the page.
    type Permission: Send;

    /// Returns the reservation of the request that looks the page up.
    fn reservation(&self) -> &Arc<Reservation>;

    /// Returns the pages of the account that other replicas share.
    fn shared_pages(&self) -> Option<&Arc<dyn SharedPages>> {
        None
    }

    /// Returns permission to wait for a call of another replica.
    fn enter(&self) -> Result<Self::Permission, Self::Error>;

    /// Returns a fetch of the same page as a background refresh.
    #[must_use]
    fn refresh(&self) -> Self;

    /// Waits for permission to call the vendor, or to join a call.
    ///
    /// The cache requires permission before it starts or joins a shared fetch.
    /// A caller without permission therefore delays no other caller.
    fn admit(&self, joins: bool) -> impl Future<Output = Result<Self::Permission, Self::Error>> + Send;

    /// Fetches the page on behalf of the waiters. Fails with an abandoned fetch
    /// if none waits any more before the vendor is called.
    fn fetch(&self, waiters: &Waiters) -> impl Future<Output = Result<RecordPage, Self::Error>> + Send;
}

/// Failure of a fetch, as the cache classifies it.
pub trait FetchFailure: Clone + Send + Sync + From<FetchAborted> + From<NotCached> + 'static {
    /// Returns true if a stale entry may be served instead (RFC 5861, section 4).
    fn allows_stale(&self) -> bool;
    /// Returns true if the vendor has no such row. The cache stores this
    /// result for a short time.
    fn is_not_found(&self) -> bool;
    /// Returns true if the fetch ended because no lookup waited for it.
    fn is_abandoned(&self) -> bool;
    /// Returns the HTTP status of the vendor's response, if any.
    fn status(&self) -> Option<u16>;

    /// Encodes the failure for other replicas. `None` if it concerns this replica only.
    fn to_shared(&self) -> Option<Vec<u8>> {
        None
    }

    /// Decodes the failure of another replica. `None` for unknown bytes.
    #[must_use]
    fn from_shared(_: &[u8]) -> Option<Self> {
        None
    }
}

/// Panic of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchAborted;

/// Lookup with `only-if-cached` that found no usable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCached;
