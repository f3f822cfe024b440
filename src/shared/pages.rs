//! Pages and fetches of one account, shared by the replicas.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::Unavailable;

/// Pages and fetches of one account.
#[async_trait]
pub trait SharedPages: Send + Sync {
    /// Returns the name of the page of a vendor request.
    fn name(&self, target: &str, raw: bool) -> PageName;

    /// Loads a page that no purge covers, except by [`StoredPage::purged_customers`].
    async fn load(&self, name: &PageName) -> Result<LoadedPage, Unavailable>;

    /// Begins a fetch, unless a page was stored since `newer_than` or another replica
    /// fetches the page. Without a `claim`, other fetches do not matter.
    async fn begin(&self, name: &PageName, newer_than: Version, claim: Option<Claim>) -> Result<Begun, Unavailable>;

    /// Stores the page of a fetch and ends its lease. A page that a later purge covers,
    /// or that is older than the stored page, is discarded.
    async fn store(&self, name: &PageName, fetch: &SharedFetch, page: &FetchedPage) -> Result<(), Unavailable>;

    /// Ends a lease without a page. The replicas that wait receive the failure.
    async fn release(&self, name: &PageName, lease: &Lease, failure: Option<&[u8]>) -> Result<(), Unavailable>;

    /// Prolongs a lease. Returns false if it has lapsed.
    async fn renew(&self, name: &PageName, lease: &Lease) -> Result<bool, Unavailable>;

    /// Waits a moment for the end of another replica's fetch, and returns its state.
    async fn watch(&self, name: &PageName, lease: &Lease) -> Result<FetchState, Unavailable>;
}

/// Name of a page on the server. It reveals neither the account nor the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageName(Arc<str>);

/// Order of the fetches of a page: the server's time at their beginning, in
/// microseconds. Zero is before all fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Version(pub u64);

/// Permission of one replica to fetch a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease(pub(super) Arc<str>);

/// Time for which a caller waits for a refresh of another replica. The refresh may wait
/// behind all callers of that replica.
pub const REFRESH_PATIENCE: Duration = Duration::from_millis(500);

/// Kind of fetch that claims a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A caller waits for the page. The claim succeeds over a refresh that takes long.
    Caller,
    /// Background refresh.
    Refresh,
}

/// Result of a load.
#[derive(Debug, Default)]
pub struct LoadedPage {
    /// The page, if one is stored.
    pub page: Option<StoredPage>,
    /// Lease of the replica that fetches the page now.
    pub lease: Option<Lease>,
}

/// Page from the server.
#[derive(Debug)]
pub struct StoredPage {
    /// Encoded page.
    pub bytes: Vec<u8>,
    /// Fetch that stored the page.
    pub version: Version,
    /// Time since the vendor's response.
    pub age: Duration,
    /// Customers that were purged since the beginning of the fetch.
    pub purged_customers: Vec<String>,
}

/// Page that a fetch has returned.
#[derive(Debug)]
pub struct FetchedPage {
    /// Encoded page.
    pub bytes: Vec<u8>,
    /// Time from the beginning of the fetch to the vendor's response.
    pub duration: Duration,
    /// Time since the vendor's response.
    pub age: Duration,
    /// Age at which the page is removed.
    pub lifetime: Duration,
}

/// Result of the attempt to begin a fetch.
#[derive(Debug)]
pub enum Begun {
    /// The fetch may begin.
    Started(SharedFetch),
    /// A page was stored since `newer_than`.
    Stored,
    /// Another replica fetches the page.
    Held(Lease),
}

/// Fetch of a page that may be stored.
#[derive(Debug, Clone)]
pub struct SharedFetch {
    /// Position in the order of the fetches.
    pub version: Version,
    /// Number of purges of the account before the fetch, as the server counts them.
    pub(super) purges: u64,
    /// Lease, if one was claimed.
    pub lease: Option<Lease>,
}

/// State of another replica's fetch.
#[derive(Debug, PartialEq, Eq)]
pub enum FetchState {
    /// The fetch goes on.
    Running,
    /// The fetch has stored a page, or its lease has lapsed.
    Ended,
    /// The fetch has failed.
    Failed(Vec<u8>),
}

impl PageName {
    pub(super) fn new(name: impl fmt::Display) -> Self {
        Self(name.to_string().into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Version {
    /// Later than all fetches.
    pub const MAX: Self = Self(u64::MAX);
}
