//! Pages and fetches of one account on the server.
//!
//! All keys of an account have one hash tag. `{prefix}:v1:{account}:` is followed by:
//!
//! | key | value |
//! |---|---|
//! | `page:{name}` | hash: a page and its version |
//! | `lease:{name}` | string: the fetch in flight |
//! | `failure:{name}` | string: failure of the last fetch, for the replicas that waited for it |
//! | `purges` | sorted set: numbered purges of the account |
//!
//! Purges are numbered instead of dated. A page carries the number of the last purge
//! before its fetch, so a purge never depends on a clock.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_trait::async_trait;

use crate::shared::{
    Begun, Claim, FetchState, FetchedPage, Fingerprint, Lease, LoadedPage, PageName, REFRESH_PATIENCE, SharedFetch,
    SharedPages, StoredPage, Unavailable, Version,
};

use super::{millis, page_server::PageServer};

/// Time after which a lease lapses.
const LEASE: Duration = Duration::from_secs(2);
/// Time for which waiting replicas find a failure.
const FAILURE: Duration = Duration::from_millis(500);
/// Time after which a replica that waits looks at a fetch again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Time after which unused purges are forgotten, with all pages of the account.
pub(super) const PURGES_TTL: Duration = Duration::from_hours(30 * 24);
/// Longest lifetime of a page.
const MAX_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// Size in bytes above which a compressed page is not stored.
const MAX_PAGE: usize = 4 << 20;
/// Level of the compression. The gateway waits for it.
const ZSTD_LEVEL: i32 = 1;

/// Pages of one account.
pub(super) struct AccountPages {
    server: Arc<PageServer>,
    account: Fingerprint,
    leases: bool,
}

impl AccountPages {
    pub(super) fn new(server: Arc<PageServer>, account: Fingerprint, leases: bool) -> Self {
        Self { server, account, leases }
    }

    fn key(&self, kind: &str, name: &PageName) -> String {
        self.server.account_key(self.account, &format!("{kind}:{}", name.as_str()))
    }

    /// Returns the keys of `load.lua`, `begin.lua` and `store.lua`.
    fn keys(&self, name: &PageName) -> [String; 3] {
        [self.key("page", name), self.server.account_key(self.account, "purges"), self.key("lease", name)]
    }

    fn unpack(&self, name: &PageName, values: &[Vec<u8>]) -> Option<StoredPage> {
        let [version, age, sealed, customers @ ..] = values else { return None };
        let version = number(version)?;
        let packed = self.server.seal.open(&self.key("page", name), sealed)?;
        let (sealed_version, rest) = packed.split_first_chunk()?;
        let (length, compressed) = rest.split_first_chunk()?;
        if u64::from_le_bytes(*sealed_version) != version {
            return None;
        }
        let bytes = zstd::bulk::decompress(compressed, u32::from_le_bytes(*length) as usize).ok()?;
        let purges_key = self.server.account_key(self.account, "purges");
        let customer = |sealed: &Vec<u8>| String::from_utf8(self.server.seal.open(&purges_key, sealed)?).ok();
        Some(StoredPage {
            bytes,
            version: Version(version),
            age: Duration::from_millis(number(age)?),
            // A customer that another key has sealed may be any customer.
            purged_customers: customers.iter().map(customer).collect::<Option<_>>()?,
        })
    }

    /// Packs a page: `version ‖ length ‖ compressed page`, sealed. `None` for a page that
    /// is too large.
    fn pack(&self, name: &PageName, version: Version, bytes: &[u8]) -> Option<Vec<u8>> {
        let length = u32::try_from(bytes.len()).ok()?;
        let mut packed = [&version.0.to_le_bytes()[..], &length.to_le_bytes()].concat();
        packed.extend(zstd::bulk::compress(bytes, ZSTD_LEVEL).ok()?);
        (packed.len() <= MAX_PAGE).then(|| self.server.seal.seal(&self.key("page", name), &packed))
    }

    /// Returns the failure of a fetch, as the replica with this lease has published it.
    fn failure(&self, name: &PageName, lease: &Lease, sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = self.server.seal.open(&self.key("failure", name), sealed)?;
        Some(plain.strip_prefix(lease.0.as_bytes())?.strip_prefix(b"\n")?.to_vec())
    }
}

#[async_trait]
impl SharedPages for AccountPages {
    fn name(&self, target: &str, raw: bool) -> PageName {
        let name = Fingerprint::new(&self.server.key, [&b"page"[..], target.as_bytes(), &[u8::from(raw)]]);
        PageName::new(name)
    }

    async fn load(&self, name: &PageName) -> Result<LoadedPage, Unavailable> {
        self.server.check()?;
        let mut invocation = self.server.load.prepare_invoke();
        for key in self.keys(name) {
            invocation.key(key);
        }
        let loaded = self.server.link.run::<Vec<Vec<u8>>>(&invocation).await;
        let values = self.server.metrics.count_error(loaded)?;
        let (lease, values) = values.split_first().ok_or(Unavailable::Unreadable)?;
        let lease = Lease::parse(lease).filter(|_| self.leases);
        let page = self.unpack(name, values);
        self.server.metrics.count_load(page.is_some(), values.is_empty());
        Ok(LoadedPage { page, lease })
    }

    async fn begin(&self, name: &PageName, newer_than: Version, claim: Option<Claim>) -> Result<Begun, Unavailable> {
        self.server.check()?;
        let mut invocation = self.server.begin.prepare_invoke();
        for key in self.keys(name) {
            invocation.key(key);
        }
        let claim = claim.filter(|_| self.leases);
        let class = if claim == Some(Claim::Refresh) { "r" } else { "c" };
        invocation
            .arg(newer_than.0)
            .arg(if claim.is_some() { millis(LEASE) } else { 0 })
            .arg(class)
            .arg(format!("{}{:x}", self.server.id, self.server.claims.fetch_add(1, Relaxed)))
            .arg(millis(REFRESH_PATIENCE))
            .arg(millis(PURGES_TTL));
        let begun = self.server.link.run::<Vec<String>>(&invocation).await;
        let values = self.server.metrics.count_error(begun)?;
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        match *values.as_slice() {
            ["stored"] => Ok(Begun::Stored),
            ["held", lease] => {
                self.server.metrics.lease_held.increment(1);
                Ok(Begun::Held(Lease(lease.into())))
            }
            ["started", version, purges, lease] => {
                let read = |text: &str| text.parse().map_err(|_| Unavailable::Unreadable);
                self.server.metrics.lease_taken.increment(u64::from(!lease.is_empty()));
                Ok(Begun::Started(SharedFetch {
                    version: Version(read(version)?),
                    purges: read(purges)?,
                    lease: (!lease.is_empty()).then(|| Lease(lease.into())),
                }))
            }
            _ => Err(Unavailable::Unreadable),
        }
    }

    async fn store(&self, name: &PageName, fetch: &SharedFetch, page: &FetchedPage) -> Result<(), Unavailable> {
        self.server.check()?;
        let bytes =
            self.pack(name, fetch.version, &page.bytes).ok_or_else(|| Unavailable::Rejected("too large".to_owned()))?;
        let mut invocation = self.server.store.prepare_invoke();
        for key in self.keys(name) {
            invocation.key(key);
        }
        invocation
            .arg(bytes)
            .arg(fetch.version.0)
            .arg(fetch.purges)
            .arg(u64::try_from(page.duration.as_micros()).unwrap_or(u64::MAX))
            // An age is rounded up.
            .arg(millis(page.age).saturating_add(1))
            .arg(millis(page.lifetime.min(MAX_LIFETIME)))
            .arg(fetch.lease.as_ref().map_or("", |lease| &lease.0))
            .arg(&*self.server.announcements.channel)
            .arg(name.as_str());
        let stored = self.server.link.run::<u64>(&invocation).await;
        let stored = self.server.metrics.count_error(stored)?;
        self.server.metrics.stored.increment(stored.min(1));
        Ok(())
    }

    async fn release(&self, name: &PageName, lease: &Lease, failure: Option<&[u8]>) -> Result<(), Unavailable> {
        let failure_key = self.key("failure", name);
        let sealed = failure.map(|failure| {
            let plain = [lease.0.as_bytes(), b"\n", failure].concat();
            self.server.seal.seal(&failure_key, &plain)
        });
        let mut invocation = self.server.release.key(self.key("lease", name));
        invocation
            .key(failure_key)
            .arg(&*lease.0)
            .arg(sealed.unwrap_or_default())
            .arg(millis(FAILURE))
            .arg(&*self.server.announcements.channel)
            .arg(name.as_str());
        self.server.link.run::<u64>(&invocation).await.map(drop)
    }

    async fn renew(&self, name: &PageName, lease: &Lease) -> Result<bool, Unavailable> {
        let mut invocation = self.server.renew.key(self.key("lease", name));
        invocation.arg(&*lease.0).arg(millis(LEASE));
        self.server.link.run::<u64>(&invocation).await.map(|renewed| renewed == 1)
    }

    async fn watch(&self, name: &PageName, lease: &Lease) -> Result<FetchState, Unavailable> {
        self.server.check()?;
        let mut announced = self.server.announcements.listen();
        let (lease_key, failure_key) = (self.key("lease", name), self.key("failure", name));
        let mut state = ::redis::pipe();
        state.cmd("MGET").arg(&lease_key).arg(&failure_key).cmd("PTTL").arg(&lease_key);
        let state = self.server.link.pipeline::<((Option<Vec<u8>>, Option<Vec<u8>>), i64)>(&state).await;
        let ((current, failure), left) = self.server.metrics.count_error(state)?;
        let is_lease = u64::try_from(left).is_ok_and(|left| left <= millis(LEASE));
        if is_lease && current.is_some_and(|current| current == lease.0.as_bytes()) {
            announced.wait_for(name.as_str(), POLL_INTERVAL).await;
            return Ok(FetchState::Running);
        }
        let failure = failure.and_then(|sealed| self.failure(name, lease, &sealed));
        Ok(failure.map_or(FetchState::Ended, FetchState::Failed))
    }
}

impl Lease {
    /// Reads a lease that a script has checked. `None` if there is none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// Returns true for the lease of a refresh, which a caller may take over.
    #[must_use]
    pub fn is_refresh(&self) -> bool {
        self.0.starts_with('r')
    }
}

/// Reads a number that a script has written.
fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
