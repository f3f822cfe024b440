//! Interface between the cache and the vendor calls that fill it.

use crate::domain::{page::RecordPage, priority::Priority};

/// Fetch of one page, used at most once.
pub trait PageFetch: Send + Sync + 'static {
    /// Failure of the fetch.
    type Error: FetchFailure;

    /// Waits for permission to call the vendor.
    ///
    /// The cache requires permission before it starts or joins a shared fetch.
    /// A caller without permission therefore delays no other caller.
    fn admit(&self, priority: Priority) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Fetches the page.
    fn fetch(self, priority: Priority) -> impl Future<Output = Result<RecordPage, Self::Error>> + Send;
}

/// Failure of a fetch, as the cache classifies it.
pub trait FetchFailure: Clone + Send + Sync + From<FetchAborted> + From<NotCached> + 'static {
    /// Returns true if a stale entry may be served instead (RFC 5861, section 4).
    fn allows_stale(&self) -> bool;
    /// Returns true if the vendor has no such row. The cache stores this
    /// result for a short time.
    fn is_not_found(&self) -> bool;
    /// Returns the HTTP status of the vendor's response, if any.
    fn status(&self) -> Option<u16>;
}

/// Panic of the task that ran a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchAborted;

/// Lookup with `only-if-cached` that found no usable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCached;
