//! Authentication by key or token, and quota checks.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use jiff::Timestamp;

use crate::{
    clock::SharedClock,
    identity::{Identity, Provider},
    rate::{Availability, Gcra},
    shared::Quotas,
};

use super::{
    Access, AuthError, Caller, QuotaStatus, RememberedCaller,
    synchronize::{SharedQuota, synchronize},
};

/// Number of registries created so far.
static REGISTRIES: AtomicU64 = AtomicU64::new(0);

/// All configured callers. Clones share their quotas.
#[derive(Clone)]
pub struct Callers(Arc<CallerRegistry>);

/// Index of a caller in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerId(usize);

/// Result of reading a request's credentials, before any token is verified.
#[derive(Debug)]
pub enum Authentication<'r> {
    /// No callers are configured: every request is accepted.
    Anonymous,
    /// A known key, or a token that has been verified before.
    Caller(CallerId),
    /// A possible token that has not been verified.
    Token(UnverifiedToken<'r>),
}

/// A possible token and the identity provider that can verify it.
#[derive(Debug)]
pub struct UnverifiedToken<'r> {
    text: &'r str,
    digest: blake3::Hash,
    identity: &'r Identity,
}

struct CallerRegistry {
    /// Number that no other registry of the process has.
    id: u64,
    callers: Vec<CallerEntry>,
    /// Callers and expiries of keys by their digests. A lookup may depend on the digest:
    /// no key can be derived from it.
    keys: HashMap<blake3::Hash, (CallerId, Option<Timestamp>)>,
    identity: Option<Identity>,
    clock: SharedClock,
    /// Quotas that other replicas count too, if configured.
    shared: Option<Arc<dyn Quotas>>,
}

/// A caller and the limiter of its quota.
struct CallerEntry {
    caller: Arc<Caller>,
    quota: Option<Arc<Gcra>>,
}

impl Callers {
    /// Creates callers with full quotas. Without callers, every request is accepted.
    #[must_use]
    pub fn new(callers: Vec<Caller>, provider: Option<Provider>, clock: &SharedClock) -> Self {
        let entries = callers.into_iter().map(CallerEntry::new).collect();
        Self::from_entries(entries, provider, clock, None)
    }

    /// Counts the quotas of later configurations together with other replicas.
    #[must_use]
    pub fn sharing(self, quotas: Option<Arc<dyn Quotas>>) -> Self {
        Self::from_entries(Vec::new(), None, &self.0.clock, quotas)
    }

    /// Creates callers from a new configuration. A caller whose name and quota
    /// are unchanged keeps the state of its quota.
    #[must_use]
    pub fn reconfigured(&self, callers: Vec<Caller>, provider: Option<Provider>) -> Self {
        let CallerRegistry { callers: previous, clock, shared, .. } = &*self.0;
        let previous: HashMap<_, _> = previous.iter().map(|old| (&*old.caller.name, old)).collect();
        let entries = callers.into_iter().map(|caller| {
            let same = previous.get(&*caller.name).filter(|old| old.caller.quota == caller.quota);
            match same {
                Some(old) => CallerEntry { caller: Arc::new(caller), quota: old.quota.clone() },
                None => CallerEntry::new(caller),
            }
        });
        Self::from_entries(entries.collect(), provider, clock, shared.clone())
    }

    fn from_entries(
        callers: Vec<CallerEntry>,
        provider: Option<Provider>,
        clock: &SharedClock,
        shared: Option<Arc<dyn Quotas>>,
    ) -> Self {
        let identity = provider.map(|provider| {
            let claims = callers.iter().map(|entry| entry.caller.claims.clone()).enumerate();
            Identity::new(provider, claims.filter(|(_, claims)| !claims.is_empty()).collect(), clock.clone())
        });
        let has_quotas = callers.iter().any(|entry| entry.quota.is_some());
        let mut keys = HashMap::new();
        for (index, entry) in callers.iter().enumerate() {
            for key in &entry.caller.keys {
                keys.entry(key.digest).or_insert((CallerId(index), key.expires));
            }
        }
        let id = REGISTRIES.fetch_add(1, Relaxed);
        let registry = Arc::new(CallerRegistry { id, callers, keys, identity, clock: clock.clone(), shared });
        if let Some(shared) = registry.shared.clone().filter(|_| has_quotas) {
            let source = Arc::downgrade(&registry);
            tokio::spawn(synchronize(source, CallerRegistry::quotas, shared, clock.clone()));
        }
        Self(registry)
    }

    /// Identifies the caller of a request and verifies its token, if it has one.
    /// Returns `None` if no callers are configured.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Option<CallerId>, AuthError> {
        match self.recognize(headers)? {
            Authentication::Anonymous => Ok(None),
            Authentication::Caller(id) => Ok(Some(id)),
            Authentication::Token(UnverifiedToken { text, digest, identity }) => {
                Ok(Some(CallerId(identity.verify(text, digest).await?)))
            }
        }
    }

    /// Reads a request's credentials without verifying a token.
    fn recognize<'r>(&'r self, headers: &'r HeaderMap) -> Result<Authentication<'r>, AuthError> {
        self.recognize_header(headers.get(AUTHORIZATION), &mut RememberedCaller::default())
    }

    /// Reads a request's `Authorization` header without verifying a token. Remembers the
    /// caller of a key for the next request of the connection.
    pub fn recognize_header<'r>(
        &'r self,
        header: Option<&'r HeaderValue>,
        remembered: &mut RememberedCaller,
    ) -> Result<Authentication<'r>, AuthError> {
        let CallerRegistry { id: registry, callers, keys, identity, clock, .. } = &*self.0;
        if callers.is_empty() {
            return Ok(Authentication::Anonymous);
        }
        let header = header.ok_or(AuthError::MissingHeader)?;
        let check = |(id, expires): (CallerId, Option<Timestamp>)| match expires {
            Some(expires) if expires <= clock.now() => Err(AuthError::KeyExpired),
            _ => Ok(Authentication::Caller(id)),
        };
        if let Some(known) = remembered.get(header, *registry) {
            return check(known);
        }
        let (scheme, key) = header.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::NotBearer);
        }
        let key = key.trim();
        let digest = blake3::hash(key.as_bytes());
        let found = keys.get(&digest).copied();
        if let Some((caller, expires)) = found {
            remembered.set(header, *registry, caller, expires);
        }
        match (found, identity) {
            (Some(found), _) => check(found),
            (None, Some(identity)) if key.contains('.') => Ok(match identity.cached(&digest) {
                Some(index) => Authentication::Caller(CallerId(index)),
                None => Authentication::Token(UnverifiedToken { text: key, digest, identity }),
            }),
            (None, _) => Err(AuthError::UnknownKey),
        }
    }

    /// Counts a request against its caller's quota, at an instant of the clock. Also
    /// returns the state of the quota afterwards, if the caller has a quota.
    pub fn charge(&self, id: Option<CallerId>, now: Duration) -> (Option<QuotaStatus>, Result<(), AuthError>) {
        let Some(CallerEntry { caller, quota: Some(limiter) }) = self.entry(id) else { return (None, Ok(())) };
        let (Availability { remaining, next }, admitted) = limiter.charge(now);
        let status = caller.quota.map(|quota| QuotaStatus { quota, remaining, next });
        let exceeded = |retry_after| AuthError::QuotaExceeded { caller: Arc::clone(&caller.name), retry_after };
        (status, admitted.map_err(exceeded))
    }

    /// Returns the current instant of the clock, for quotas.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// Returns the rights of a caller.
    #[must_use]
    pub fn access(&self, id: Option<CallerId>) -> Access {
        self.entry(id).map_or(Access::Unrestricted, |entry| Access::Caller(Arc::clone(&entry.caller)))
    }

    fn entry(&self, id: Option<CallerId>) -> Option<&CallerEntry> {
        self.0.callers.get(id?.0)
    }
}

impl CallerRegistry {
    fn quotas(&self) -> Vec<SharedQuota> {
        let quota = |entry: &CallerEntry| {
            let (quota, limiter) = (entry.caller.quota?, entry.quota.clone()?);
            Some(SharedQuota { caller: Arc::clone(&entry.caller), quota, limiter })
        };
        self.callers.iter().filter_map(quota).collect()
    }
}

impl CallerEntry {
    fn new(caller: Caller) -> Self {
        let quota = caller.quota.map(|quota| Arc::new(Gcra::new(quota.into())));
        Self { caller: Arc::new(caller), quota }
    }
}

impl std::fmt::Debug for Callers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.callers.iter().map(|entry| &entry.caller.name)).finish()
    }
}
