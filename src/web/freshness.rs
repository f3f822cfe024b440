//! Freshness of responses: `Age`, `Cache-Control` and `Cache-Status` (RFC 9111,
//! RFC 9211).

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AGE, CACHE_CONTROL},
};

use jiff::SignedDuration;

use crate::cache::CacheStatus;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Headers that change as a response ages.
#[derive(Debug, Clone)]
pub(crate) struct FreshnessHeaders {
    age: HeaderValue,
    cache_control: HeaderValue,
    cache_status: HeaderValue,
}

impl FreshnessHeaders {
    /// Creates the headers of a response with an age and a cache status.
    pub(crate) fn new(age: Duration, status: &CacheStatus) -> Self {
        // `max-age` is the whole freshness lifetime: a cache of the caller
        // subtracts `Age` (RFC 9111, section 4.2). The sum is rounded once, so each
        // response of a page has the same `max-age`.
        let exact_age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        let lifetime = exact_age.saturating_add(status.ttl).as_secs().max(0);
        Self {
            age: HeaderValue::from(age.as_secs()),
            cache_control: header_value(&format!("private, max-age={lifetime}")),
            cache_status: header_value(&status.to_string()),
        }
    }

    /// Adds the headers to a response.
    pub(super) fn insert(self, headers: &mut HeaderMap) {
        headers.insert(AGE, self.age);
        headers.insert(CACHE_CONTROL, self.cache_control);
        headers.insert(CACHE_STATUS, self.cache_status);
    }
}

/// Converts ASCII text of the gateway to a header value.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
