//! HTTP caching towards callers: what a request demands, and what an answer
//! says of its freshness (RFC 9110, 9111, 9211).

use std::time::Duration;

use axum::{body::Body, response::Response};
use headers::{CacheControl, ETag, HeaderMapExt, IfNoneMatch};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY},
};

use bytes::Bytes;
use http_body_util::Full;

use crate::{
    cache::{CacheDirectives, CacheStatus},
    directory::Freshness,
    web::middleware::record::ResponseOrigin,
};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What an answer depends on besides its URL: connections differ by caller,
/// lists come in several media types, and a caller may be lenient.
pub(crate) const VARIES_BY: HeaderValue = HeaderValue::from_static("authorization, accept, prefer");

/// An answer's body, and what identifies it.
pub(crate) struct Representation {
    /// JSON.
    pub(crate) body: Vec<u8>,
    /// A hash of all that the body is made of.
    pub(crate) hash: blake3::Hash,
    /// How fresh it is; `None` where it is not to be kept.
    pub(crate) freshness: Option<Freshness>,
}

/// Response that may be repeated while its pages are fresh. Handlers attach it to
/// the response's extensions.
#[derive(Debug, Clone)]
pub(crate) struct CacheableResponse {
    pub(crate) body: Bytes,
    pub(crate) tag: HeaderValue,
    pub(crate) freshness: Freshness,
}

/// What a request's `Cache-Control` demands.
pub(crate) fn parse_cache_control(headers: &HeaderMap) -> CacheDirectives {
    let Some(control) = headers.typed_get::<CacheControl>() else { return CacheDirectives::default() };
    // Without a number it accepts any staleness, for which `headers` has no word.
    let is_boundless = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("max-stale"));
    CacheDirectives {
        no_cache: control.no_cache(),
        no_store: control.no_store(),
        only_if_cached: control.only_if_cached(),
        max_age: control.max_age(),
        max_stale: if is_boundless { Some(Duration::MAX) } else { control.max_stale() },
    }
}

/// The headers that change as an answer ages.
#[derive(Debug, Clone)]
pub(crate) struct FreshnessHeaders {
    age: HeaderValue,
    cache_control: HeaderValue,
    cache_status: HeaderValue,
}

impl FreshnessHeaders {
    /// Those of an answer of this age.
    pub(crate) fn new(age: Duration, status: &CacheStatus) -> Self {
        // What has passed of the freshness lifetime and what is left: a
        // caller's cache compares it with `Age` (RFC 9111, section 4.2).
        let lifetime = i64::try_from(age.as_secs()).unwrap_or(i64::MAX).saturating_add(status.ttl).max(0);
        Self {
            age: HeaderValue::from(age.as_secs()),
            cache_control: value(&format!("private, max-age={lifetime}")),
            cache_status: value(&status.to_string()),
        }
    }

    fn insert(self, headers: &mut HeaderMap) {
        headers.insert(AGE, self.age);
        headers.insert(CACHE_CONTROL, self.cache_control);
        headers.insert(CACHE_STATUS, self.cache_status);
    }
}

/// Answers a request with a representation. What may be given out again is
/// left to the front.
pub(crate) fn answer(request: &HeaderMap, representation: Representation) -> Response {
    let Representation { body, hash, freshness } = representation;
    let tag = value(&format!("\"{}\"", &hash.to_hex()[..32]));
    let body = Bytes::from(body);
    let origin = freshness.as_ref().map(ResponseOrigin::from);
    let headers = freshness.as_ref().map(|freshness| FreshnessHeaders::new(freshness.age, &freshness.status));
    let mut response = respond(request, body.clone(), tag.clone(), headers).map(Body::new);
    if let Some(origin) = origin {
        response.extensions_mut().insert(origin);
    }
    if let Some(freshness) = freshness.filter(|freshness| freshness.status.is_fresh_hit()) {
        response.extensions_mut().insert(CacheableResponse { body, tag, freshness });
    }
    response
}

/// The response of a body, or 304 where the caller has it already.
pub(crate) fn respond(
    request: &HeaderMap,
    body: Bytes,
    tag: HeaderValue,
    freshness: Option<FreshnessHeaders>,
) -> http::Response<Full<Bytes>> {
    let is_known = etag_matches(request, &tag);
    let mut response = http::Response::new(Full::new(if is_known { Bytes::new() } else { body }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.reserve(8);
    if !is_known {
        headers.insert(CONTENT_TYPE, JSON);
    }
    headers.insert(VARY, VARIES_BY);
    headers.insert(ETAG, tag);
    match freshness {
        Some(freshness) => freshness.insert(headers),
        None => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    response
}

/// Whether a request's `If-None-Match` names a representation (RFC 9110,
/// section 13.1.2).
pub(crate) fn etag_matches(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let Some(known) = request.typed_get::<IfNoneMatch>() else { return false };
    let tag = tag.to_str().ok().and_then(|tag| tag.parse::<ETag>().ok());
    tag.is_some_and(|tag| !known.precondition_passes(&tag))
}

/// A header's value of our own making, which is always one.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
