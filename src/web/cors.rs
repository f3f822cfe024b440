//! Cross-origin requests of pages (Fetch standard, section 3.2).
//!
//! Credentials are not allowed: a page sends its key itself, and browsers attach
//! none.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Method,
    header::{
        ACCEPT, AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH, LINK, ORIGIN, RETRY_AFTER,
    },
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::middleware::request::REQUEST_ID;

/// Time for which a browser keeps the response to a preflight. Chromium keeps none
/// for longer.
const PREFLIGHT_AGE: Duration = Duration::from_hours(2);

/// Request headers that a page may send.
const REQUEST_HEADERS: [HeaderName; 8] = [
    ACCEPT,
    AUTHORIZATION,
    CACHE_CONTROL,
    IF_NONE_MATCH,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    REQUEST_ID,
];

/// Response headers that a page may read, besides those that each page may read.
pub(crate) const EXPOSED_HEADERS: [HeaderName; 10] = [
    AGE,
    HeaderName::from_static("cache-status"),
    CONTENT_DISPOSITION,
    ETAG,
    LINK,
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    RETRY_AFTER,
    REQUEST_ID,
];

/// Returns the layer that answers preflights, and lets pages of these origins read
/// responses.
pub(crate) fn layer(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(EXPOSED_HEADERS)
        .max_age(PREFLIGHT_AGE)
        .vary([ORIGIN])
}
