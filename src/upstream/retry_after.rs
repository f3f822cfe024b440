//! Waits that a vendor requests.
//!
//! `Retry-After` and `retry-after-ms` take precedence over rate limit fields,
//! because the fields may describe another limit. Of several values, the
//! longest applies. A wait of zero, or one that has passed, names no time.

use std::time::Duration;

use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};
use jiff::{Timestamp, fmt::rfc2822};

use super::rate_limit_fields::reset;

/// Longest wait that is honoured. Longer waits are shortened where they are
/// read, so later arithmetic cannot overflow.
pub(super) const MAX_WAIT: Duration = Duration::from_hours(1);

/// Prefixes of the names of all fields that request a wait.
pub(super) const PREFIXES: &[&str] = &["retry-after", "ratelimit", "x-ratelimit", "x-rate-limit"];

/// Returns the wait that a response requests: above zero, at most [`MAX_WAIT`].
///
/// Instants are compared with the `Date` of the response, because the vendor's
/// clock may differ from ours. `now` is used if the response has no `Date`.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    // Most responses have no such field. One pass over the names saves ten lookups.
    if !headers.keys().any(|name| PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))) {
        return None;
    }
    let now = texts(headers, DATE.as_str()).find_map(instant).unwrap_or(now);
    let seconds = texts(headers, RETRY_AFTER.as_str()).filter_map(|text| seconds_or_date(text, now));
    let millis = texts(headers, "retry-after-ms").filter_map(|text| longest(text, milliseconds));
    seconds.chain(millis).max().or_else(|| reset(headers, now))
}

/// Returns the values of a field that are text.
pub(super) fn texts<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).map(str::trim)
}

/// Reads a wait in seconds, rounded up to whole seconds.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    wait(number(text)?.ceil())
}

/// Returns the longest wait of a list. Proxies join repeated fields with a comma.
pub(super) fn longest(text: &str, read: impl Fn(&str) -> Option<Duration>) -> Option<Duration> {
    text.split(',').filter_map(|part| read(part.trim())).max()
}

/// Reads a number without sign and exponent.
pub(super) fn number(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_number)
}

/// Returns a wait of seconds, shortened to [`MAX_WAIT`]. `None` if the wait is
/// zero or negative.
pub(super) fn wait(seconds: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(seconds.min(MAX_WAIT.as_secs_f64())).ok()?;
    (!wait.is_zero()).then_some(wait)
}

/// Returns the wait until an instant. `None` if the instant has passed.
pub(super) fn until(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    let wait = Duration::try_from(instant.duration_since(now)).ok()?;
    (!wait.is_zero()).then_some(wait.min(MAX_WAIT))
}

/// Reads an instant in any form of an HTTP date (RFC 9110, section 5.6.7). The
/// forms of RFC 2822 and RFC 3339 are accepted too.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    // The year 9999 ends after the last timestamp.
    let http_date = httpdate::parse_http_date(text).ok();
    let http_date = http_date.map(|time| Timestamp::try_from(time).unwrap_or(Timestamp::MAX));
    http_date.or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())).or_else(|| text.parse().ok())
}

fn seconds_or_date(text: &str, now: Timestamp) -> Option<Duration> {
    match instant(text) {
        Some(date) => until(date, now),
        None => longest(text, seconds),
    }
}

fn milliseconds(text: &str) -> Option<Duration> {
    wait(number(text)?.ceil() / 1_000.0)
}

#[cfg(test)]
mod tests;
