//! When a vendor says to come back.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};

/// The wait that an answer names: `Retry-After` in seconds or as a date
/// (RFC 9110, section 10.2.3), else `X-RateLimit-Reset` in epoch seconds (as
/// Tolt's v2 sends it).
pub(super) fn named_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = |instant: Timestamp| Duration::try_from(instant.duration_since(now)).unwrap_or(Duration::ZERO);

    if let Some(wait) = text(RETRY_AFTER.as_str()) {
        if let Ok(seconds) = wait.parse() {
            return Some(Duration::from_secs(seconds));
        }
        if let Ok(date) = rfc2822::parse(wait) {
            return Some(until(date.timestamp()));
        }
    }
    let reset = text("x-ratelimit-reset")?.parse().ok()?;
    Timestamp::from_second(reset).ok().map(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        named_wait(&headers, "2025-11-01T00:00:00Z".parse().unwrap()).map(|wait| wait.as_secs())
    }

    #[test]
    fn every_way_to_name_a_time_is_read() {
        assert_eq!(wait("retry-after", "7"), Some(7));
        assert_eq!(wait("retry-after", "0"), Some(0));
        assert_eq!(wait("retry-after", "Sat, 01 Nov 2025 00:01:30 GMT"), Some(90));
        assert_eq!(wait("retry-after", "Fri, 31 Oct 2025 23:00:00 GMT"), Some(0));
        assert_eq!(wait("x-ratelimit-reset", "1761955205"), Some(5));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "-1"), None);
    }
}
