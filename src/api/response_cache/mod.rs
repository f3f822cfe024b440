//! Cache of complete responses, outside the router.
//!
//! A page cache hit still requires routing, parameters, a plan, a walk and two
//! sealed cursors. The result depends only on the caller, the target and the
//! cached pages. This cache stores such responses, and serves them by reference
//! until a page of a response is stale or replaced. `docs/PERFORMANCE.md` has
//! the measurements.

mod cached_response;
mod hit_request;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{BoxError, Router, body::Body, extract::Request, response::IntoResponse};
use bytes::Bytes;
use futures_util::{FutureExt, future};
use hashbrown::Equivalent;
use http::StatusCode;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use tower::{Service, ServiceExt};

use crate::{
    api::{self, ApiState},
    callers::{Authentication, CallerId, Callers, RememberedCaller},
    clock::SharedClock,
    server::{HttpService, Responding},
    web::{
        coding::AcceptedCodings,
        conditional::{self, CacheableResponse},
        middleware::{observe::Observer, record::RequestLabels, request, unread::UnreadMemory},
    },
};
use cached_response::CachedResponse;
use hit_request::HitRequest;

/// Minimum capacity of a shard of the cache. A larger response is not cached.
const MIN_SHARD_BYTES: u64 = 4 << 20;
/// Maximum number of shards.
const MAX_SHARDS: u64 = 64;
/// Size of a usual response in bytes, for the expected number of responses.
const USUAL_BYTES: u64 = 16 << 10;

/// Cache of complete responses in front of the router. Clones share it.
#[derive(Clone)]
pub struct ResponseCache(Arc<Shared>);

/// A cached body, or a body of the router.
pub type ResponseCacheBody = Either<Full<Bytes>, Body>;

/// Future of a response of the router.
pub(super) type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<http::Response<ResponseCacheBody>, Infallible>> + Send>>;

struct Shared {
    router: Router,
    observer: Observer,
    callers: Callers,
    /// True if pages of other origins may read responses.
    allows_origins: bool,
    responses: Responses,
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

type Responses = Cache<ResponseKey, Arc<CachedResponse>, ResponseSize>;

/// Weight of a response: its size in bytes.
#[derive(Clone)]
struct ResponseSize;

impl ResponseCache {
    /// Creates an empty cache with a capacity of `max_bytes`, in front of a router with
    /// this state.
    #[must_use]
    pub(crate) fn new(state: ApiState, max_bytes: u64) -> Self {
        let responses = new_cache(max_bytes);
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
            let unread = self.0.unread.part(&self.0.callers.access(key.caller).name());
            let hits = self.0.observer.hits(labels);
            let cached = CachedResponse::new(cacheable, hits, unread, self.0.clock.elapsed());
            self.0.responses.insert(key, Arc::new(cached));
        }
        response.map(Either::Right)
    }

    /// Answers a request. `remembered` is the caller of the last request on the
    /// connection.
    fn answer<B>(
        &self,
        request: Request<B>,
        remembered: &mut RememberedCaller,
    ) -> Responding<ResponseCacheBody, ResponseFuture>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let read = HitRequest::read(&request, self.0.allows_origins);
        let key = read.as_ref().and_then(|read| self.0.key(read, remembered));
        if let (Some(read), Some(key)) = (&read, key)
            && let Some(response) = self.0.lookup(key, read)
        {
            return Responding::Ready(response.map(Either::Left));
        }
        let key = key.map(ResponseKey::from);
        Responding::Pending(Box::pin(self.clone().forward(key, request.map(Body::new)).map(Ok)))
    }
}

impl HttpService<ResponseCacheBody> for ResponseCache {
    type Connection = RememberedCaller;
    type Future = ResponseFuture;

    fn respond(
        &self,
        request: Request<Incoming>,
        remembered: &mut RememberedCaller,
    ) -> Responding<ResponseCacheBody, ResponseFuture> {
        self.answer(request, remembered)
    }
}

/// Service without connections, for requests within the process.
impl<B> Service<Request<B>> for ResponseCache
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<ResponseCacheBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        match self.answer(request, &mut RememberedCaller::default()) {
            Responding::Ready(response) => Box::pin(future::ready(Ok(response))),
            Responding::Pending(response) => response,
        }
    }
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseCache").field("responses", &self.0.responses.len()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Returns the key of a request; `None` if its caller is not known yet.
    fn key<'r>(&self, request: &HitRequest<'r>, remembered: &mut RememberedCaller) -> Option<ResponseKeyRef<'r>> {
        let caller = match self.callers.recognize_header(request.authorization, remembered).ok()? {
            Authentication::Anonymous => None,
            Authentication::Caller(id) => Some(id),
            Authentication::Token(_) => return None,
        };
        Some(ResponseKeyRef { caller, codings: request.codings, target: request.target })
    }

    /// Answers a request from the cache. `None` if no response with fresh pages
    /// is cached, or if the caller's quota is exhausted.
    fn lookup(&self, key: ResponseKeyRef<'_>, request: &HitRequest<'_>) -> Option<http::Response<Full<Bytes>>> {
        let cached = self.responses.get(&key)?;
        let now = self.clock.elapsed();
        if !cached.is_current(now) {
            self.responses.remove_if(&key, |cached| !cached.is_current(now));
            return None;
        }
        // If the unread responses have reached their bound, the router writes the problem.
        let bytes = cached.unread.hold(&cached.body.bytes)?;
        // If the quota is exhausted, the router writes the problem.
        let (quota, Ok(())) = self.callers.charge(key.caller, now) else { return None };
        cached.count_hits();
        let span = cached.hits.begin(request.headers, request.has_trace);
        let is_match = request.has_condition && cached.matches(request.headers);
        let status = if is_match { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let time = self.clock.now();
        let id = request::request_id(request.id, || request::uuid_at(time));
        let duration = self.clock.elapsed().saturating_sub(now);
        cached.hits.record(span, status, id.to_str().unwrap_or_default(), duration, time);
        let headers = cached.headers(is_match, now, id, quota.as_ref());
        Some(conditional::build_response(is_match, Full::new(bytes), headers))
    }
}

fn new_cache(max_bytes: u64) -> Responses {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut options = OptionsBuilder::new();
    options
        .shards(number((max_bytes / MIN_SHARD_BYTES).clamp(1, MAX_SHARDS)))
        .estimated_items_capacity(number(max_bytes / USUAL_BYTES))
        .weight_capacity(max_bytes);
    // Fails only without a capacity.
    match options.build() {
        Ok(options) => {
            Cache::with_options(options, ResponseSize, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        Err(_) => Cache::with_weighter(0, 0, ResponseSize),
    }
}

impl Weighter<ResponseKey, Arc<CachedResponse>> for ResponseSize {
    fn weight(&self, key: &ResponseKey, response: &Arc<CachedResponse>) -> u64 {
        (size_of::<ResponseKey>() + key.target.len() + response.weight()) as u64
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
