//! `Cache-Control` of requests (RFC 9111, section 5.2.1).

use std::time::Duration;

use headers::{CacheControl, HeaderMapExt};
use http::{HeaderMap, header::CACHE_CONTROL};

use crate::cache::CacheDirectives;

/// Reads the directives of a request.
pub(crate) fn parse(headers: &HeaderMap) -> CacheDirectives {
    let Some(control) = headers.typed_get::<CacheControl>() else { return CacheDirectives::default() };
    // `max-stale` without a number accepts any staleness, which `headers` does
    // not represent.
    let accepts_any_staleness = headers
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
        max_stale: if accepts_any_staleness { Some(Duration::MAX) } else { control.max_stale() },
    }
}
