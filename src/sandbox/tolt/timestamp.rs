//! Timestamps of Tolt's rows, parameters and responses.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::super::query::{InvalidParameter, Query};

/// Parses a row's timestamp in any of the formats that FACTS lists. A timestamp without an offset
/// is UTC. An unreadable timestamp is [`Timestamp::MIN`].
pub(crate) fn parse_row(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|_| {
        text.parse::<civil::DateTime>()
            .and_then(|local| local.to_zoned(TimeZone::UTC))
            .map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    })
}

/// Parses a parameter as an RFC 3339 date-time in UTC, the format that the gateway sends (FACTS).
/// Rejecting all other formats exposes local offsets and a `+` that became a space.
pub(crate) fn parse_parameter(query: &Query, parameter: &str) -> Result<Option<Timestamp>, InvalidParameter> {
    let Some(text) = query.get(parameter) else {
        return Ok(None);
    };
    let separators: Vec<u8> = [4, 7, 10, 13, 16].iter().filter_map(|&at| text.as_bytes().get(at).copied()).collect();
    // jiff alone would also accept a space for the T, no seconds, and a zone in brackets.
    let utc = separators == b"--T::" && (text.ends_with('Z') || text.ends_with("+00:00"));
    utc.then(|| text.parse().ok())
        .flatten()
        .map(Some)
        .ok_or_else(|| InvalidParameter::new(parameter, format!("{parameter} must be an RFC 3339 date-time in UTC")))
}

/// Returns the instant a second after a row's timestamp, in the format of the vendor.
pub(crate) fn next_second(text: &str) -> String {
    let at = parse_row(text);
    format_millis(at.checked_add(SignedDuration::from_secs(1)).unwrap_or(at))
}

/// Formats a timestamp in milliseconds, as in the examples of Tolt's pages.
pub(crate) fn format_millis(at: Timestamp) -> String {
    format!("{at:.3}")
}
