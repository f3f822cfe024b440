//! Who asks, what they may ask, and how often.
//!
//! Every route wants a key or a token, but for those that are listed here.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

use crate::{
    clock::{SharedClock, Ticks},
    config::{Caller, Quota},
    identity::{Identity, Provider},
    telemetry::request::record_caller,
    upstream::CallerShare,
};

use super::{
    ApiState,
    problem::{Code, Problem},
};

/// The routes that want no key.
const PUBLIC_ROUTES: &[&str] = &[
    "/livez",
    "/readyz",
    "/metrics",
    "/problems/{code}",
    "/openapi.json",
    "/openapi-3.0.json",
    "/docs",
    "/docs/{file}",
];

/// Everybody who may ask. Clones share their quotas.
#[derive(Clone)]
pub struct Callers(Arc<CallerRegistry>);

struct CallerRegistry {
    callers: Vec<(Arc<Caller>, Option<Arc<Limiter>>)>,
    identity: Option<Identity>,
    clock: SharedClock,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;

/// What a request shows of who asks.
pub(super) enum Authentication<'r> {
    /// That it is the caller of this place in the configuration; 0 where none
    /// is configured.
    Caller(usize),
    /// What may be a token, and was not verified before.
    Token { text: &'r str, digest: blake3::Hash, identity: &'r Identity },
}

/// What the caller of a request may ask.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// Everything: no callers are configured.
    Everything,
    /// What this caller may.
    Caller(Arc<Caller>),
}

impl Callers {
    /// These callers, with the provider of their tokens; none means anybody.
    #[must_use]
    pub fn new(callers: Vec<Caller>, provider: Option<Provider>, clock: &SharedClock) -> Self {
        Self::over(callers, provider, clock, |_| None)
    }

    /// These callers in place of those; whose quota is the same has used up as
    /// much of it.
    #[must_use]
    pub fn reconfigured(&self, callers: Vec<Caller>, provider: Option<Provider>) -> Self {
        let known = |new: &Caller| {
            let (_, limiter) = self.0.callers.iter().find(|(old, _)| old.name == new.name && old.quota == new.quota)?;
            limiter.clone()
        };
        Self::over(callers, provider, &self.0.clock, known)
    }

    fn over(
        callers: Vec<Caller>,
        provider: Option<Provider>,
        clock: &SharedClock,
        known: impl Fn(&Caller) -> Option<Arc<Limiter>>,
    ) -> Self {
        let identity = provider.map(|provider| {
            let claims = callers.iter().map(|caller| caller.claims.clone()).enumerate();
            Identity::new(provider, claims.filter(|(_, claims)| !claims.is_empty()).collect(), clock.clone())
        });
        let limiter = |quota: Quota| Arc::new(RateLimiter::direct_with_clock(cells(quota), Ticks::new(clock)));
        let callers = callers.into_iter().map(|caller| {
            let limiter = known(&caller).or_else(|| caller.quota.map(limiter));
            (Arc::new(caller), limiter)
        });
        Self(Arc::new(CallerRegistry { callers: callers.collect(), identity, clock: clock.clone() }))
    }

    /// The place of a request's caller in the configuration.
    async fn identify(&self, headers: &HeaderMap) -> Result<usize, Problem> {
        match self.recognise(headers)? {
            Authentication::Caller(place) => Ok(place),
            Authentication::Token { text, digest, identity } => Ok(identity.verify(text, digest).await?),
        }
    }

    /// What a request shows, as far as that is known without verifying a token.
    pub(super) fn recognise<'r>(&'r self, headers: &'r HeaderMap) -> Result<Authentication<'r>, Problem> {
        let CallerRegistry { callers, identity, clock } = &*self.0;
        if callers.is_empty() {
            return Ok(Authentication::Caller(0));
        }
        let refuse = |detail| Problem::new(Code::Unauthenticated, detail);
        let header = headers.get(AUTHORIZATION).ok_or_else(|| refuse("there is no `Authorization` header"))?;
        let (scheme, key) = header.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refuse("the `Authorization` header is not `Bearer <key>`"));
        }
        // `blake3::Hash` compares in constant time.
        let key = key.trim();
        let digest = blake3::hash(key.as_bytes());
        let found = callers
            .iter()
            .enumerate()
            .find_map(|(place, (caller, _))| Some((place, caller.keys.iter().find(|key| key.digest == digest)?)));
        match (found, identity) {
            (Some((_, key)), _) if key.expires.is_some_and(|expires| expires <= clock.now()) => {
                Err(refuse("the key has expired"))
            }
            (Some((place, _)), _) => Ok(Authentication::Caller(place)),
            (None, Some(identity)) if key.contains('.') => {
                let unverified = Authentication::Token { text: key, digest, identity };
                Ok(identity.recall(&digest).map_or(unverified, Authentication::Caller))
            }
            (None, _) => Err(refuse("the key is not known here")),
        }
    }

    /// Counts a request against its caller's quota.
    pub(super) fn admit(&self, place: usize) -> Result<(), Problem> {
        let Some((caller, Some(limiter))) = self.0.callers.get(place) else { return Ok(()) };
        limiter.check().map_err(|refused| {
            let wait = refused.wait_time_from(Ticks::new(&self.0.clock).now());
            Problem::new(Code::QuotaExceeded, format!("the quota of `{}` is spent", caller.name)).retry_after(wait)
        })
    }

    fn access(&self, place: usize) -> Access {
        self.0.callers.get(place).map_or(Access::Everything, |(caller, _)| Access::Caller(Arc::clone(caller)))
    }
}

/// So many at once, given back evenly over the quota's period.
fn cells(quota: Quota) -> governor::Quota {
    let interval = (quota.per / quota.requests.get()).max(Duration::from_nanos(1));
    let cells = governor::Quota::with_period(interval).unwrap_or(governor::Quota::per_second(NonZeroU32::MIN));
    cells.allow_burst(quota.requests)
}

impl Access {
    /// Whether a connection exists for this caller.
    pub(super) fn allows(&self, connection: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Caller(caller) => caller.connections.iter().any(|name| name.as_str() == connection),
        }
    }

    /// On whose account vendor calls are made, if the caller has a share.
    pub(super) fn caller_share(&self) -> Option<CallerShare> {
        match self {
            Self::Everything => None,
            Self::Caller(caller) => caller.caller_share(),
        }
    }

    /// Whether the caller may see vendors' own objects.
    pub(super) fn may_see_raw(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Caller(caller) => caller.may_see_raw,
        }
    }

    /// Whether the caller may purge what is kept.
    pub(super) fn may_purge(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Caller(caller) => caller.may_purge,
        }
    }
}

/// Whether a route wants no key.
pub(super) fn is_public(route: &str) -> bool {
    PUBLIC_ROUTES.contains(&route)
}

/// Lets a request pass that shows a known caller, within its quota, or is for a
/// route that wants no key, or for none.
pub(super) async fn authenticate(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if route.is_none_or(|route| is_public(route.as_str())) {
        return next.run(request).await;
    }
    let place = match state.callers.identify(request.headers()).await {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let access = state.callers.access(place);
    if let Access::Caller(caller) = &access {
        record_caller(&caller.name);
    }
    match state.callers.admit(place) {
        Ok(()) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| Problem::new(Code::Internal, "the route was reached without authentication"))
    }
}

impl std::fmt::Debug for Callers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.callers.iter().map(|(caller, _)| &caller.name)).finish()
    }
}
