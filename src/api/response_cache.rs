//! Cache of complete responses, outside the router.
//!
//! A page cache hit still requires routing, parameters, a plan, a walk and two
//! sealed cursors. The result depends only on the caller, the target and the
//! cached pages. This cache stores such responses, and serves them by reference
//! until a page of a response is stale or replaced. `docs/PERFORMANCE.md` has
//! the measurements.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use axum::{BoxError, Router, body::Body, extract::Request, response::IntoResponse};
use bytes::Bytes;
use futures_util::{FutureExt, future};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{CACHE_CONTROL, ORIGIN},
};
use http_body_util::{Either, Full};
use moka::{Equivalent, sync::Cache};
use parking_lot::Mutex;
use tower::{Service, ServiceExt};

use crate::{
    api::{self, ApiState, body::export::Format},
    cache::{CacheStatus, Entry},
    callers::{Authentication, CallerId, Callers},
    clock::SharedClock,
    copies::Stored,
    web::{
        coding::{AcceptedCodings, EncodedBody},
        conditional::{self, CacheableResponse},
        freshness::FreshnessHeaders,
        middleware::{
            observe::{HitRecorder, Observer},
            record::RequestLabels,
            request,
            unread::UnreadMemory,
        },
        prefer, rate_limit,
    },
};

/// Cache of complete responses in front of the router. Clones share it.
#[derive(Clone)]
pub struct ResponseCache(Arc<Shared>);

/// A cached body, or a body of the router.
pub type ResponseCacheBody = Either<Full<Bytes>, Body>;

struct Shared {
    router: Router,
    observer: Observer,
    callers: Callers,
    /// True if pages of other origins may read responses.
    allows_origins: bool,
    responses: Cache<ResponseKey, Arc<CachedResponse>>,
    unread: UnreadMemory,
    clock: SharedClock,
}

/// Key of a response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ResponseKey {
    caller: Option<CallerId>,
    codings: AcceptedCodings,
    target: Box<str>,
}

/// Borrowed key, for lookups. Its hash equals the hash of the owned key.
#[derive(Debug, Clone, Copy, Hash)]
struct ResponseKeyRef<'r> {
    caller: Option<CallerId>,
    codings: AcceptedCodings,
    target: &'r str,
}

/// A cached response.
#[derive(Debug)]
struct CachedResponse {
    /// Body in its coding, so hits do not encode.
    body: EncodedBody,
    tag: HeaderValue,
    links: Option<HeaderValue>,
    /// Pages of the response, which this cache does not keep in memory.
    pages: Vec<Weak<Entry>>,
    /// Stored lists of the response, likewise.
    lists: Vec<Weak<Stored>>,
    /// Time on the clock when the oldest page was fetched.
    fetched: Duration,
    /// Time on the clock until which all pages are fresh.
    fresh_until: Duration,
    /// Freshness headers of the current age in whole seconds, and that age.
    headers: Mutex<Option<(u64, FreshnessHeaders)>>,
    hits: HitRecorder,
}

impl ResponseCache {
    /// Creates an empty cache with a capacity of `max_bytes`, in front of a router with
    /// this state.
    #[must_use]
    pub(crate) fn new(state: ApiState, max_bytes: u64) -> Self {
        let weigh = |key: &ResponseKey, response: &Arc<CachedResponse>| {
            let structs = size_of::<ResponseKey>() + size_of::<CachedResponse>();
            let pages = size_of_val(&*response.pages) + size_of_val(&*response.lists);
            let links = response.links.as_ref().map_or(0, HeaderValue::len);
            let bytes = structs + key.target.len() + response.body.bytes.len() + links + pages;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let responses = Cache::builder().weigher(weigh).max_capacity(max_bytes).build();
        let clock = Arc::clone(&state.clock);
        Self(Arc::new(Shared {
            observer: Observer::new(state.registry.clone(), state.tracer.clone(), Arc::clone(&clock)),
            callers: state.callers.clone(),
            allows_origins: !state.cors_origins.is_empty(),
            responses,
            unread: state.unread.clone(),
            clock,
            router: api::router(state),
        }))
    }

    /// Passes a request to the router and stores the response, if it is
    /// cacheable and the request has a key.
    async fn forward(self, key: Option<ResponseKey>, request: Request) -> http::Response<ResponseCacheBody> {
        let mut response = self.0.router.clone().oneshot(request).await.into_response();
        let cacheable = response.extensions_mut().remove::<CacheableResponse>();
        let labels = response.extensions_mut().remove::<RequestLabels>();
        if let (Some(key), Some(cacheable), Some(labels)) = (key, cacheable, labels) {
            let cached = CachedResponse::new(cacheable, self.0.observer.hits(labels), self.0.clock.elapsed());
            self.0.responses.insert(key, Arc::new(cached));
        }
        response.map(Either::Right)
    }
}

/// The future of a hit is ready. Other futures are boxed, so the future of a hit
/// stays small.
impl<B> Service<Request<B>> for ResponseCache
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<ResponseCacheBody>;
    type Error = Infallible;
    type Future = future::Either<
        future::Ready<Result<Self::Response, Infallible>>,
        Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let key = self.0.key(&request);
        if let Some(response) = key.and_then(|key| self.0.lookup(key, request.headers())) {
            return future::Either::Left(future::ready(Ok(response.map(Either::Left))));
        }
        let key = key.map(ResponseKey::from);
        future::Either::Right(Box::pin(self.clone().forward(key, request.map(Body::new)).map(Ok)))
    }
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseCache").field("responses", &self.0.responses.entry_count()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Returns the key of a request that a cached response can answer: a `GET`
    /// of a known caller without cache directives, preferences or an export
    /// format.
    fn key<'r, B: http_body::Body>(&self, request: &'r Request<B>) -> Option<ResponseKeyRef<'r>> {
        let is_plain = |headers: &HeaderMap| {
            !headers.contains_key(CACHE_CONTROL)
                && !headers.contains_key(prefer::PREFER)
                && !Format::may_be_requested(headers)
        };
        if request.method() != Method::GET || !request.body().is_end_stream() || !is_plain(request.headers()) {
            return None;
        }
        // The router rejects the request, or adds headers for its origin.
        if request::check_head(request).is_some() || (self.allows_origins && request.headers().contains_key(ORIGIN)) {
            return None;
        }
        let caller = match self.callers.recognize(request.headers()).ok()? {
            Authentication::Anonymous => None,
            Authentication::Caller(id) => Some(id),
            Authentication::Token(_) => return None,
        };
        let target = request.uri().path_and_query()?.as_str();
        Some(ResponseKeyRef { caller, codings: AcceptedCodings::new(request.headers()), target })
    }

    /// Answers a request from the cache. `None` if no response with fresh pages
    /// is cached, or if the caller's quota is exhausted.
    fn lookup(&self, key: ResponseKeyRef<'_>, request: &HeaderMap) -> Option<http::Response<Full<Bytes>>> {
        let cached = self.responses.get(&key)?;
        let now = self.clock.elapsed();
        let is_current = now < cached.fresh_until && cached.lists_are_current();
        let Some(pages) = cached.pages().filter(|_| is_current) else {
            self.responses.invalidate(&key);
            return None;
        };
        // If the unread responses have reached their bound, the router writes the problem.
        let bytes = self.unread.hold(&self.callers.access(key.caller).name(), &cached.body.bytes)?;
        let body = EncodedBody { bytes, coding: cached.body.coding };
        // If the quota is exhausted, the router writes the problem.
        self.callers.charge(key.caller).ok()?;
        for page in pages {
            page.count_hit();
        }
        let span = cached.hits.begin(request);
        let freshness = Some(cached.freshness_headers(now));
        let mut response =
            conditional::build_response(request, body, cached.tag.clone(), cached.links.clone(), freshness);
        let id = request::request_id(request);
        let duration = self.clock.elapsed().saturating_sub(now);
        cached.hits.record(span, response.status(), id.to_str().unwrap_or_default(), duration);
        request::add_headers(response.headers_mut(), id);
        if let Some(status) = self.callers.quota_status(key.caller) {
            rate_limit::add_headers(response.headers_mut(), &status);
        }
        Some(response)
    }
}

impl CachedResponse {
    fn new(
        CacheableResponse { body, tag, links, freshness }: CacheableResponse,
        hits: HitRecorder,
        now: Duration,
    ) -> Self {
        let ttl = Duration::try_from(freshness.status.ttl).unwrap_or_default();
        Self {
            body,
            tag,
            links,
            pages: freshness.entries.iter().map(Arc::downgrade).collect(),
            lists: freshness.lists.iter().map(Arc::downgrade).collect(),
            fetched: now.saturating_sub(freshness.age),
            fresh_until: now + ttl,
            headers: Mutex::new(None),
            hits,
        }
    }

    /// Returns the pages of the response. `None` if a page was replaced or evicted.
    fn pages(&self) -> Option<Vec<Arc<Entry>>> {
        self.pages.iter().map(|page| page.upgrade().filter(|page| !page.is_superseded())).collect()
    }

    /// Returns false if a stored list was replaced.
    fn lists_are_current(&self) -> bool {
        self.lists.iter().all(|list| list.upgrade().is_some_and(|list| !list.is_superseded()))
    }

    /// Returns the freshness headers, which change as `Age` does.
    fn freshness_headers(&self, now: Duration) -> FreshnessHeaders {
        let age = now.saturating_sub(self.fetched);
        let mut cached = self.headers.lock();
        if let Some((second, headers)) = &*cached
            && *second == age.as_secs()
        {
            return headers.clone();
        }
        let status = CacheStatus::fresh(self.fresh_until.saturating_sub(now));
        let headers = FreshnessHeaders::new(age, &status);
        *cached = Some((age.as_secs(), headers.clone()));
        headers
    }
}

impl Equivalent<ResponseKey> for ResponseKeyRef<'_> {
    fn equivalent(&self, key: &ResponseKey) -> bool {
        self.caller == key.caller && self.codings == key.codings && *self.target == *key.target
    }
}

impl From<ResponseKeyRef<'_>> for ResponseKey {
    fn from(ResponseKeyRef { caller, codings, target }: ResponseKeyRef<'_>) -> Self {
        Self { caller, codings, target: target.into() }
    }
}
