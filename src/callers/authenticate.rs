//! Authentication by key or token, and quota checks.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{
    clock::SharedClock,
    identity::{Identity, Provider, TokenError},
    rate::Gcra,
    shared::Quotas,
};

use super::{
    Access, Caller, QuotaStatus,
    synchronize::{SharedQuota, synchronize},
};

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

/// Reason why a request is rejected. No message quotes a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The header is missing.
    #[error("the `Authorization` header is missing; send `Authorization: Bearer <key>`")]
    MissingHeader,
    /// The header has another scheme.
    #[error("the `Authorization` header is not `Bearer <key>`")]
    NotBearer,
    /// The key is known and has expired.
    #[error("the key has expired")]
    KeyExpired,
    /// The key is unknown.
    #[error("the key is unknown")]
    UnknownKey,
    /// The token was rejected.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The caller's quota is exhausted.
    #[error("the quota of `{caller}` is exhausted")]
    QuotaExceeded {
        /// Name of the caller.
        caller: Arc<str>,
        /// Time until the next request is admitted.
        retry_after: Duration,
    },
}

struct CallerRegistry {
    callers: Vec<CallerEntry>,
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
        let entries = callers.into_iter().map(|caller| {
            let same = previous.iter().find(|old| old.caller.name == caller.name && old.caller.quota == caller.quota);
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
        let registry = Arc::new(CallerRegistry { callers, identity, clock: clock.clone(), shared });
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
    pub fn recognize<'r>(&'r self, headers: &'r HeaderMap) -> Result<Authentication<'r>, AuthError> {
        let CallerRegistry { callers, identity, clock, .. } = &*self.0;
        if callers.is_empty() {
            return Ok(Authentication::Anonymous);
        }
        let header = headers.get(AUTHORIZATION).ok_or(AuthError::MissingHeader)?;
        let (scheme, key) = header.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::NotBearer);
        }
        // `blake3::Hash` compares in constant time.
        let key = key.trim();
        let digest = blake3::hash(key.as_bytes());
        let found = callers.iter().enumerate().find_map(|(index, entry)| {
            let key = entry.caller.keys.iter().find(|key| key.digest == digest)?;
            Some((CallerId(index), key))
        });
        match (found, identity) {
            (Some((_, key)), _) if key.expires.is_some_and(|expires| expires <= clock.now()) => {
                Err(AuthError::KeyExpired)
            }
            (Some((id, _)), _) => Ok(Authentication::Caller(id)),
            (None, Some(identity)) if key.contains('.') => Ok(match identity.cached(&digest) {
                Some(index) => Authentication::Caller(CallerId(index)),
                None => Authentication::Token(UnverifiedToken { text: key, digest, identity }),
            }),
            (None, _) => Err(AuthError::UnknownKey),
        }
    }

    /// Counts a request against its caller's quota.
    pub fn charge(&self, id: Option<CallerId>) -> Result<(), AuthError> {
        let Some(CallerEntry { caller, quota: Some(quota) }) = self.entry(id) else { return Ok(()) };
        let admitted = quota.check(self.0.clock.elapsed());
        admitted.map_err(|retry_after| AuthError::QuotaExceeded { caller: Arc::clone(&caller.name), retry_after })
    }

    /// Returns the state of a caller's quota; `None` if the caller has none.
    #[must_use]
    pub fn quota_status(&self, id: Option<CallerId>) -> Option<QuotaStatus> {
        let CallerEntry { caller, quota } = self.entry(id)?;
        let (remaining, next) = quota.as_ref()?.availability(self.0.clock.elapsed());
        Some(QuotaStatus { quota: caller.quota?, remaining, next })
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
