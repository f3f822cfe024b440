//! Cached responses.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;

use crate::{
    cache::{CacheStatus, Entry, EntryWatch},
    callers::QuotaStatus,
    copies::ListWatch,
    web::{
        coding::EncodedBody,
        conditional::{self, CacheableResponse},
        freshness::FreshnessHeaders,
        middleware::{observe::HitRecorder, request, unread::UnreadPart},
        rate_limit,
    },
};

/// Approximate size of a response's cached headers in bytes.
const HEADER_BYTES: usize = 1_600;

/// A cached response.
#[derive(Debug)]
pub(super) struct CachedResponse {
    /// Body in its coding, so hits do not encode.
    pub(super) body: EncodedBody,
    /// Recorder of hits.
    pub(super) hits: HitRecorder,
    /// Unread responses of the caller.
    pub(super) unread: UnreadPart,
    /// Entity tag.
    tag: HeaderValue,
    /// Value of `Link`, for a page of a list.
    links: Option<HeaderValue>,
    /// Pages of the response, which this cache does not keep in memory.
    pages: Vec<EntryWatch>,
    /// Stored lists of the response, likewise.
    lists: Vec<ListWatch>,
    /// Time on the clock when the oldest page was fetched.
    fetched: Duration,
    /// Time on the clock until which all pages are fresh.
    fresh_until: Duration,
    headers: Mutex<Option<Arc<CurrentHeaders>>>,
}

/// Headers of a 200 at one age, with the indices of the values that each hit replaces. An
/// index saves the lookup of the name.
#[derive(Debug)]
struct CurrentHeaders {
    /// Age in whole seconds.
    second: u64,
    headers: HeaderMap,
    /// Index of the request id.
    id_index: Option<usize>,
    /// Index of the state of the quota, if any.
    quota_index: Option<usize>,
}

impl CachedResponse {
    /// Creates a response of the current instant of the clock.
    pub(super) fn new(
        CacheableResponse { body, tag, links, freshness }: CacheableResponse,
        hits: HitRecorder,
        unread: UnreadPart,
        now: Duration,
    ) -> Self {
        let ttl = Duration::try_from(freshness.status.ttl).unwrap_or_default();
        Self {
            body,
            tag,
            links,
            hits,
            unread,
            pages: freshness.entries.iter().map(|entry| Entry::watch(entry)).collect(),
            lists: freshness.lists.iter().map(|list| list.watch()).collect(),
            fetched: now.saturating_sub(freshness.age),
            fresh_until: now + ttl,
            headers: Mutex::new(None),
        }
    }

    /// Returns the bytes that the response occupies.
    pub(super) fn weight(&self) -> usize {
        let links = self.links.as_ref().map_or(0, HeaderValue::len);
        size_of::<Self>()
            + size_of_val(&*self.pages)
            + size_of_val(&*self.lists)
            + self.body.bytes.len()
            + links
            + HEADER_BYTES
    }

    /// Returns whether all pages and lists are fresh, and none was replaced or evicted.
    pub(super) fn is_current(&self, now: Duration) -> bool {
        now < self.fresh_until
            && !self.pages.iter().any(EntryWatch::is_superseded)
            && !self.lists.iter().any(ListWatch::is_superseded)
    }

    /// Counts a hit of each page.
    pub(super) fn count_hits(&self) {
        self.pages.iter().for_each(EntryWatch::count_hit);
    }

    /// Returns whether the tag is in `If-None-Match`.
    pub(super) fn matches(&self, request: &HeaderMap) -> bool {
        conditional::etag_matches(request, &self.tag)
    }

    /// Returns the headers of a 200, or of a 304 if the request's tag matches. `quota` is
    /// the state of the caller's quota, whose policy does not change.
    pub(super) fn headers(
        &self,
        is_match: bool,
        now: Duration,
        id: HeaderValue,
        quota: Option<&QuotaStatus>,
    ) -> HeaderMap {
        if is_match {
            let mut headers = self.build_headers(is_match, now, quota);
            headers.insert(request::REQUEST_ID, id);
            return headers;
        }
        // A clone takes fewer instructions than the insertion of each header.
        let current = self.current_headers(now, quota);
        let mut headers = current.headers.clone();
        replace(&mut headers, current.id_index, id);
        if let Some(quota) = quota {
            replace(&mut headers, current.quota_index, rate_limit::rate_limit(quota));
        }
        headers
    }

    /// Returns the headers of a 200, which change once per second.
    fn current_headers(&self, now: Duration, quota: Option<&QuotaStatus>) -> Arc<CurrentHeaders> {
        let second = now.saturating_sub(self.fetched).as_secs();
        let mut cached = self.headers.lock();
        if let Some(current) = &*cached
            && current.second == second
        {
            return Arc::clone(current);
        }
        let current = Arc::new(CurrentHeaders::new(second, self.build_headers(false, now, quota)));
        *cached = Some(Arc::clone(&current));
        current
    }

    fn build_headers(&self, is_match: bool, now: Duration, quota: Option<&QuotaStatus>) -> HeaderMap {
        let age = now.saturating_sub(self.fetched);
        let freshness = FreshnessHeaders::new(age, &CacheStatus::fresh(self.fresh_until.saturating_sub(now)));
        let (tag, links) = (self.tag.clone(), self.links.clone());
        let mut headers = conditional::headers(is_match, self.body.coding, tag, links, Some(freshness));
        request::add_headers(&mut headers, HeaderValue::from_static("-"));
        if let Some(quota) = quota {
            rate_limit::add_headers(&mut headers, quota);
        }
        headers
    }
}

impl CurrentHeaders {
    fn new(second: u64, headers: HeaderMap) -> Self {
        // Each name has one value, so the values are in the order of the names.
        let index = |name| headers.keys().position(|other| *other == name);
        let (id_index, quota_index) = (index(request::REQUEST_ID), index(rate_limit::RATE_LIMIT));
        Self { second, headers, id_index, quota_index }
    }
}

fn replace(headers: &mut HeaderMap, index: Option<usize>, value: HeaderValue) {
    if let Some(old) = index.and_then(|index| headers.values_mut().nth(index)) {
        *old = value;
    }
}
