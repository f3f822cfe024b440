//! HTTP caching towards callers: what a request demands, and what an answer
//! says of its freshness (RFC 9110, 9111, 9211).

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use headers::{CacheControl, ETag, HeaderMapExt, IfNoneMatch};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY},
};

use crate::{cache::Demand, directory::Freshness};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What an answer depends on besides its URL: connections differ by caller.
const VARIES_BY: HeaderValue = HeaderValue::from_static("authorization");

/// An answer's body, and what identifies it.
pub(super) struct Representation {
    /// JSON.
    pub(super) body: Vec<u8>,
    /// A hash of all that the body is made of.
    pub(super) hash: blake3::Hash,
    /// How fresh it is.
    pub(super) freshness: Option<Freshness>,
}

/// What a request's `Cache-Control` demands.
pub(super) fn demand(headers: &HeaderMap) -> Demand {
    let Some(control) = headers.typed_get::<CacheControl>() else { return Demand::default() };
    // Without a number it accepts any staleness, for which `headers` has no word.
    let is_boundless = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("max-stale"));
    Demand {
        no_cache: control.no_cache(),
        no_store: control.no_store(),
        only_if_cached: control.only_if_cached(),
        max_age: control.max_age(),
        max_stale: if is_boundless { Some(Duration::MAX) } else { control.max_stale() },
    }
}

/// Answers a request with a representation, or with 304 where the caller has
/// it already.
pub(super) fn answer(request: &HeaderMap, representation: Representation) -> Response {
    let Representation { body, hash, freshness } = representation;
    let tag = format!("\"{}\"", &hash.to_hex()[..32]);
    let is_known = tag
        .parse::<ETag>()
        .is_ok_and(|tag| request.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(&tag)));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, JSON)], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(VARY, VARIES_BY);
    insert(headers, ETAG, tag);
    if let Some(Freshness { status, age, .. }) = freshness {
        headers.insert(AGE, HeaderValue::from(age.as_secs()));
        insert(headers, CACHE_CONTROL, format!("private, max-age={}", lifetime(age, status.ttl)));
        insert(headers, CACHE_STATUS, status.to_string());
    }
    response
}

/// The freshness lifetime, which a caller's cache compares with `Age` (RFC
/// 9111, section 4.2): what has passed of it and what is left.
fn lifetime(age: Duration, ttl: i64) -> i64 {
    i64::try_from(age.as_secs()).unwrap_or(i64::MAX).saturating_add(ttl).max(0)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
