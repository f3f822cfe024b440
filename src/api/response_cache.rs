//! In front of the router: answers to requests that were answered before,
//! while every page behind them is fresh.
//!
//! A hit costs routing, parameters, a plan, a walk and two sealed cursors to
//! work out, and comes out the same each time: it depends on the caller, the
//! target and the kept pages, and on nothing else. So it is responses whole,
//! and given out again by reference until one of its pages is stale or
//! replaced. `docs/PERFORMANCE.md` says what that brings.

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
use http::{HeaderMap, HeaderValue, Method, header::CACHE_CONTROL};
use http_body_util::{Either, Full};
use moka::{Equivalent, sync::Cache};
use parking_lot::Mutex;
use tower::{Service, ServiceExt};

use crate::{
    api::body::export::Format,
    cache::{CacheStatus, Entry},
    callers::{Authentication, CallerId, Callers},
    clock::SharedClock,
    telemetry::{metrics::Registry, trace::Tracer},
    web::{
        conditional::{self, CacheableResponse, FreshnessHeaders},
        middleware::{
            observe::{HitRecorder, Observer},
            record::RequestLabels,
            request,
        },
        prefer,
    },
};

/// What answers every request. Clones share it.
#[derive(Clone)]
pub struct ResponseCache(Arc<Shared>);

struct Shared {
    router: Router,
    observer: Observer,
    callers: Callers,
    responses: Cache<ResponseKey, Arc<CachedResponse>>,
    clock: SharedClock,
}

/// A body that is given out by reference, or one of the router's.
pub type ResponseCacheBody = Either<Full<Bytes>, Body>;

/// What an answer depends on besides the kept pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ResponseKey {
    caller: Option<CallerId>,
    target: Box<str>,
}

/// A question as it is asked, to look up.
#[derive(Debug, Clone, Copy, Hash)]
struct ResponseKeyRef<'r> {
    caller: Option<CallerId>,
    target: &'r str,
}

impl Equivalent<ResponseKey> for ResponseKeyRef<'_> {
    fn equivalent(&self, question: &ResponseKey) -> bool {
        self.caller == question.caller && *self.target == *question.target
    }
}

/// A responses answer.
#[derive(Debug)]
struct CachedResponse {
    body: Bytes,
    tag: HeaderValue,
    /// The pages behind it. What is responses keeps none of them in memory.
    pages: Vec<Weak<Entry>>,
    /// By the clock: when its oldest page was fetched, and until when all are
    /// fresh.
    fetched: Duration,
    fresh_until: Duration,
    /// The headers that change by the second, and the second.
    headers: Mutex<Option<(u64, FreshnessHeaders)>>,
    hits: HitRecorder,
}

impl CachedResponse {
    fn new(CacheableResponse { body, tag, freshness }: CacheableResponse, hits: HitRecorder, now: Duration) -> Self {
        let ttl = Duration::from_secs(freshness.status.ttl.try_into().unwrap_or(0));
        Self {
            body,
            tag,
            pages: freshness.entries.iter().map(Arc::downgrade).collect(),
            fetched: now.saturating_sub(freshness.age),
            fresh_until: now + ttl,
            headers: Mutex::new(None),
            hits,
        }
    }

    /// The pages behind it; `None` where one has been replaced.
    fn pages(&self) -> Option<Vec<Arc<Entry>>> {
        self.pages.iter().map(|page| page.upgrade().filter(|page| !page.is_superseded())).collect()
    }

    fn freshness_headers(&self, now: Duration) -> FreshnessHeaders {
        let mut origin = self.headers.lock();
        if let Some((second, headers)) = &*origin
            && *second == now.as_secs()
        {
            return headers.clone();
        }
        let age = now.saturating_sub(self.fetched);
        let status = CacheStatus::fresh(self.fresh_until.saturating_sub(now));
        let headers = FreshnessHeaders::new(age, &status);
        *origin = Some((now.as_secs(), headers.clone()));
        headers
    }
}

impl ResponseCache {
    /// A front that remembers answers of `max_bytes` together.
    #[must_use]
    pub fn new(
        router: Router,
        callers: Callers,
        max_bytes: u64,
        registry: Registry,
        tracer: Tracer,
        clock: SharedClock,
    ) -> Self {
        let weigh = |question: &ResponseKey, answer: &Arc<CachedResponse>| {
            let bytes =
                size_of::<ResponseKey>() + question.target.len() + size_of::<CachedResponse>() + answer.body.len();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let responses = Cache::builder().weigher(weigh).max_capacity(max_bytes).build();
        let observer = Observer::new(registry, tracer, Arc::clone(&clock));
        Self(Arc::new(Shared { router, observer, callers, responses, clock }))
    }

    async fn route(self, key: Option<ResponseKey>, request: Request) -> http::Response<ResponseCacheBody> {
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

/// A cached response is ready at once. Any other future is boxed, to keep a hit
/// from carrying the router's state.
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
        let key = key.map(|ResponseKeyRef { caller, target }| ResponseKey { caller, target: target.into() });
        future::Either::Right(Box::pin(self.clone().route(key, request.map(Body::new)).map(Ok)))
    }
}

impl Shared {
    /// What may have been responses: a bare `GET` of a known caller that
    /// demands nothing of freshness and prefers nothing.
    fn key<'r, B: http_body::Body>(&self, request: &'r Request<B>) -> Option<ResponseKeyRef<'r>> {
        let is_plain = |headers: &HeaderMap| {
            !headers.contains_key(CACHE_CONTROL)
                && !headers.contains_key(prefer::PREFER)
                && !Format::may_be_asked(headers)
        };
        if request.method() != Method::GET || !request.body().is_end_stream() || !is_plain(request.headers()) {
            return None;
        }
        let caller = match self.callers.recognize(request.headers()).ok()? {
            Authentication::Anonymous => None,
            Authentication::Caller(id) => Some(id),
            Authentication::Token(_) => return None,
        };
        let target = request.uri().path_and_query()?.as_str();
        Some(ResponseKeyRef { caller, target })
    }

    fn lookup(&self, asked: ResponseKeyRef<'_>, request: &HeaderMap) -> Option<http::Response<Full<Bytes>>> {
        let answer = self.responses.get(&asked)?;
        let now = self.clock.elapsed();
        let Some(pages) = answer.pages().filter(|_| now < answer.fresh_until) else {
            self.responses.invalidate(&asked);
            return None;
        };
        // Where the quota is spent, the router says so.
        self.callers.charge(asked.caller).ok()?;
        for page in pages {
            page.count_hit();
        }
        let span = answer.hits.begin(request);
        let freshness = Some(answer.freshness_headers(now));
        let mut response = conditional::respond(request, answer.body.clone(), answer.tag.clone(), freshness);
        let id = request::request_id(request);
        let duration = self.clock.elapsed().saturating_sub(now);
        answer.hits.record(span, response.status(), id.to_str().unwrap_or_default(), duration);
        response.headers_mut().insert(request::REQUEST_ID, id);
        Some(response)
    }
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("responses", &self.0.responses.entry_count()).finish_non_exhaustive()
    }
}
