//! `Cache-Control` of requests (RFC 9111, section 5.2.1).

use std::time::Duration;

use http::{HeaderMap, header::CACHE_CONTROL};

use crate::cache::CacheDirectives;

use super::list_value::{elements, unquote};

/// Largest number of seconds (RFC 9111, section 1.2.2).
const MAX_SECONDS: u64 = 1 << 31;

/// Reads the directives of a request. A directive that cannot be read is
/// ignored and costs no other directive. Of repeated times, the strictest counts.
pub(crate) fn parse(headers: &HeaderMap) -> CacheDirectives {
    let mut directives = CacheDirectives::default();
    for element in elements(headers, CACHE_CONTROL) {
        let (name, value) = match element.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value)),
            None => (element, None),
        };
        match name.to_ascii_lowercase().as_str() {
            "no-cache" => directives.no_cache = true,
            "no-store" => directives.no_store = true,
            "only-if-cached" => directives.only_if_cached = true,
            "max-age" => directives.max_age = strictest(directives.max_age, value.and_then(seconds)),
            "max-stale" => {
                // Without a number, any staleness is accepted.
                let accepted = value.map_or(Some(Duration::MAX), seconds);
                directives.max_stale = strictest(directives.max_stale, accepted);
            }
            _ => {}
        }
    }
    directives
}

fn strictest(known: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    known.into_iter().chain(other).min()
}

/// Reads delta-seconds, also in quotes. A number that overflows is the largest.
fn seconds(value: &str) -> Option<Duration> {
    let digits = unquote(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(MAX_SECONDS).min(MAX_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(lines: &[&str]) -> CacheDirectives {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, line.parse().unwrap());
        }
        parse(&headers)
    }

    #[test]
    fn unreadable_directive_costs_no_other() {
        for value in [
            "no-cache, max-age=abc",
            "max-age=, No-Cache",
            "max-age=-1,no-cache",
            "x=\"a, b\", NO-CACHE",
            ",, no-cache,",
        ] {
            let directives = directives(&[value]);
            assert!(directives.no_cache && directives.max_age.is_none(), "{value}");
        }
    }

    #[test]
    fn quoted_extension_has_no_directives() {
        assert_eq!(directives(&["ext=\"no-cache, no-store\""]), CacheDirectives::default());
    }

    #[test]
    fn strictest_time_counts() {
        let directives = directives(&["max-age=60, MAX-STALE", "Max-Age=\"30\", max-stale=5"]);
        assert_eq!(directives.max_age, Some(Duration::from_secs(30)));
        assert_eq!(directives.max_stale, Some(Duration::from_secs(5)));
    }

    #[test]
    fn overflowing_time_is_clamped() {
        let directives = directives(&["max-age=99999999999999999999"]);
        assert_eq!(directives.max_age, Some(Duration::from_secs(MAX_SECONDS)));
    }
}
