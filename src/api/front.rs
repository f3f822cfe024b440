//! In front of the router: answers to requests that were answered before,
//! while every page behind them is fresh.
//!
//! A hit costs routing, parameters, a plan, a walk and two sealed cursors to
//! work out, and comes out the same each time: it depends on the caller, the
//! target and the kept pages, and on nothing else. So it is remembered whole,
//! and given out again by reference until one of its pages is stale or
//! replaced. `docs/PERFORMANCE.md` says what that brings.

use std::{
    convert::Infallible,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{BoxError, Router, body::Body, extract::Request, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::CACHE_CONTROL};
use http_body_util::{Either, Full};
use moka::sync::Cache;
use parking_lot::Mutex;
use tower::ServiceExt;

use crate::{cache::Entry, clock::SharedClock, config::Caller, directory::Freshness};

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

/// What may be given out again; the router leaves it in its response's
/// extensions.
#[derive(Debug, Clone)]
pub(super) struct Repeatable {
    pub(super) body: Bytes,
    pub(super) tag: HeaderValue,
    pub(super) freshness: Freshness,
}

/// A remembered answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Bytes,
    pub(super) tag: HeaderValue,
    /// The pages behind it. What is remembered keeps none of them in memory.
    pages: Vec<Weak<Entry>>,
    /// By the clock: when its oldest page was fetched, and until when all are
    /// fresh.
    fetched: Duration,
    fresh_until: Duration,
    /// The headers that change by the second, and the second.
    headers: Mutex<Option<(u64, FreshnessHeaders)>>,
}

impl Answer {
    fn new(Repeatable { body, tag, freshness }: Repeatable, now: Duration) -> Self {
        let ttl = Duration::from_secs(freshness.status.ttl.try_into().unwrap_or(0));
        Self {
            body,
            tag,
            pages: freshness.entries.iter().map(Arc::downgrade).collect(),
            fetched: now.saturating_sub(freshness.age),
            fresh_until: now + ttl,
            headers: Mutex::new(None),
        }
    }

    /// Counts a hit in each of the pages; `false` where one has been replaced.
    fn count_hit(&self) -> bool {
        self.pages.iter().all(|page| {
            let page = page.upgrade().filter(|page| !page.is_superseded());
            page.inspect(|page| page.count_hit()).is_some()
        })
    }

    fn freshness_headers(&self, now: Duration) -> FreshnessHeaders {
        let mut made = self.headers.lock();
        if let Some((second, headers)) = &*made
            && *second == now.as_secs()
        {
            return headers.clone();
        }
        let age = now.saturating_sub(self.fetched);
        let ttl = self.fresh_until.saturating_sub(now).as_secs().try_into().unwrap_or(i64::MAX);
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
    pub async fn answer<B>(self, request: Request<B>) -> Result<http::Response<FrontBody>, Infallible>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Some(question) = self.question(&request) else { return self.route(request.map(Body::new)).await };
        if let Some(response) = self.recall(&question, request.headers()) {
            return Ok(response.map(Either::Left));
        }
        let mut response = self.router.clone().oneshot(request.map(Body::new)).await.into_response();
        if let Some(answer) = response.extensions_mut().remove::<Repeatable>() {
            self.remember(question, answer);
        }
        Ok(response.map(Either::Right))
    }

    async fn route(self, request: Request) -> Result<http::Response<FrontBody>, Infallible> {
        Ok(self.router.oneshot(request).await.into_response().map(Either::Right))
    }

    /// What may be remembered: a `GET` of a known caller that demands nothing
    /// of freshness.
    fn question<B>(&self, request: &Request<B>) -> Option<Question> {
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
        if now >= answer.fresh_until || !answer.count_hit() {
            self.remembered.invalidate(question);
            return None;
        }
        let id = edge::request_id(request);
        Some(caching::recalled(request, &answer, answer.freshness_headers(now), id))
    }

    fn remember(&self, question: Question, answer: Repeatable) {
        self.remembered.insert(question, Arc::new(Answer::new(answer, self.clock.elapsed())));
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("remembered", &self.remembered.entry_count()).finish_non_exhaustive()
    }
}
