//! Waits requested by a vendor.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};

/// Returns the wait that a response requests.
///
/// Reads `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). The
/// fallback is `X-RateLimit-Reset` in epoch seconds, which Tolt's v2 sends.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
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

    fn seconds(name: &'static str, value: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        retry_after(&headers, "2025-11-01T00:00:00Z".parse().unwrap()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_dates_and_epochs_are_read() {
        assert_eq!(seconds("retry-after", "7"), Some(7));
        assert_eq!(seconds("retry-after", "0"), Some(0));
        assert_eq!(seconds("retry-after", "Sat, 01 Nov 2025 00:01:30 GMT"), Some(90));
        assert_eq!(seconds("retry-after", "Fri, 31 Oct 2025 23:00:00 GMT"), Some(0));
        assert_eq!(seconds("x-ratelimit-reset", "1761955205"), Some(5));
        assert_eq!(seconds("retry-after", "soon"), None);
        assert_eq!(seconds("retry-after", "-1"), None);
    }
}
