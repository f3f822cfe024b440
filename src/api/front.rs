//! In front of the router: answers to requests that were answered before,
//! while every page behind them is fresh.
//!
//! A hit costs routing, parameters, a plan, a walk and two sealed cursors to
//! work out, and comes out the same each time: it depends on the caller, the
//! target and the kept pages, and on nothing else. So it is remembered whole,
//! and given out again by reference until one of its pages is stale or
//! replaced. `docs/PERFORMANCE.md` says what that brings.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::CACHE_CONTROL};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use moka::sync::Cache;
use parking_lot::Mutex;
use tower::ServiceExt;

use crate::{clock::SharedClock, config::Caller, directory::Freshness};

use super::{
    access,
    caching::{self, FreshnessHeaders},
    edge,
};

/// What answers every request.
#[derive(Clone)]
pub struct Front {
    router: Router,
    callers: Arc<[Arc<Caller>]>,
    remembered: Cache<Question, Arc<Answer>>,
    clock: SharedClock,
}

/// A body that is given out by reference, or one of the router's.
pub type FrontBody = Either<Full<Bytes>, Body>;

/// What an answer depends on besides the kept pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    /// The caller's place in the configuration.
    caller: usize,
    target: Box<str>,
}

/// An answer that may be given out again; the router leaves it in its
/// response's extensions.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) body: Bytes,
    pub(super) tag: HeaderValue,
    pub(super) freshness: Freshness,
    headers: Arc<Mutex<Option<(u64, FreshnessHeaders)>>>,
    /// By the clock, when the answer was made and until when it is fresh.
    made: Duration,
    fresh_until: Duration,
}

impl Answer {
    pub(super) fn new(body: Bytes, tag: HeaderValue, freshness: Freshness) -> Self {
        Self { body, tag, freshness, headers: Arc::default(), made: Duration::ZERO, fresh_until: Duration::ZERO }
    }

    /// The headers that change by the second, made once a second.
    fn freshness_headers(&self, now: Duration) -> FreshnessHeaders {
        let mut made = self.headers.lock();
        if let Some((second, headers)) = &*made
            && *second == now.as_secs()
        {
            return headers.clone();
        }
        let age = self.freshness.age + now.saturating_sub(self.made);
        let ttl = self.fresh_until.saturating_sub(now).as_secs();
        let headers = FreshnessHeaders::fresh(age, ttl);
        *made = Some((now.as_secs(), headers.clone()));
        headers
    }
}

impl Front {
    /// A front that remembers answers of `max_bytes` together.
    #[must_use]
    pub fn new(router: Router, callers: Arc<[Arc<Caller>]>, max_bytes: u64, clock: SharedClock) -> Self {
        let weigh = |question: &Question, answer: &Arc<Answer>| {
            let bytes = size_of::<Question>() + question.target.len() + size_of::<Answer>() + answer.body.len();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let remembered = Cache::builder().weigher(weigh).max_capacity(max_bytes).build();
        Self { router, callers, remembered, clock }
    }

    /// Answers a request.
    pub async fn answer(self, request: Request<Incoming>) -> Result<http::Response<FrontBody>, Infallible> {
        let Some(question) = self.question(&request) else { return self.route(request.map(Body::new)).await };
        if let Some(response) = self.recall(&question, request.headers()) {
            return Ok(response.map(Either::Left));
        }
        let mut response = self.router.clone().oneshot(request.map(Body::new)).await.into_response();
        if let Some(answer) = response.extensions_mut().remove::<Answer>() {
            self.remember(question, answer);
        }
        Ok(response.map(Either::Right))
    }

    async fn route(self, request: Request) -> Result<http::Response<FrontBody>, Infallible> {
        Ok(self.router.oneshot(request).await.into_response().map(Either::Right))
    }

    /// What may be remembered: a `GET` of a known caller that demands nothing
    /// of freshness.
    fn question(&self, request: &Request<Incoming>) -> Option<Question> {
        if request.method() != Method::GET || request.headers().contains_key(CACHE_CONTROL) {
            return None;
        }
        let caller = access::caller(&self.callers, request.headers()).ok()?;
        let target = request.uri().path_and_query()?.as_str().into();
        Some(Question { caller, target })
    }

    fn recall(&self, question: &Question, request: &HeaderMap) -> Option<http::Response<Full<Bytes>>> {
        let answer = self.remembered.get(question)?;
        let now = self.clock.elapsed();
        if now >= answer.fresh_until || answer.freshness.entries.iter().any(|entry| entry.is_superseded()) {
            self.remembered.invalidate(question);
            return None;
        }
        for entry in &answer.freshness.entries {
            entry.count_hit();
        }
        let id = edge::request_id(request);
        Some(caching::recalled(request, &answer, answer.freshness_headers(now), id))
    }

    fn remember(&self, question: Question, answer: Answer) {
        let made = self.clock.elapsed();
        let ttl = Duration::from_secs(answer.freshness.status.ttl.try_into().unwrap_or(0));
        let answer = Answer { made, fresh_until: made + ttl, ..answer };
        self.remembered.insert(question, Arc::new(answer));
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("remembered", &self.remembered.entry_count()).finish_non_exhaustive()
    }
}
