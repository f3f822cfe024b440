//! Instants in parameters: RFC 3339 date-times and dates.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

/// End of a range that an instant bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Lower end, inclusive.
    Lower,
    /// Upper end, inclusive.
    Upper,
}

/// Parses an instant. A date stands for the first instant of the day in UTC as
/// a lower bound, and for the last instant as an upper bound.
pub(super) fn parse_instant(text: &str, bound: Bound) -> Option<Timestamp> {
    // jiff also accepts years before 0 and names of time zones. RFC 3339 does not.
    if text.starts_with(['-', '+']) || text.ends_with(']') {
        return None;
    }
    if let Some(date) = text.parse::<civil::Date>().ok().filter(|_| !text.contains(['T', 't', ' '])) {
        let day = date.to_zoned(TimeZone::UTC).ok()?;
        return match bound {
            Bound::Lower => Some(day.timestamp()),
            Bound::Upper => Some(day.checked_add(1.day()).ok()?.checked_sub(1.nanosecond()).ok()?.timestamp()),
        };
    }
    // A `+` that is not percent-encoded is decoded as a space (FACTS.md, case 26).
    let (rest, offset) = text.rsplit_once(' ').filter(|(rest, _)| rest.contains(['T', 't'])).unzip();
    match (rest, offset) {
        (Some(rest), Some(offset)) => format!("{rest}+{offset}").parse().ok(),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_covers_the_whole_day() {
        let parse = |text, bound| parse_instant(text, bound).map(|instant| instant.to_string());
        assert_eq!(parse("2025-01-31", Bound::Lower).as_deref(), Some("2025-01-31T00:00:00Z"));
        assert_eq!(parse("2025-01-31", Bound::Upper).as_deref(), Some("2025-01-31T23:59:59.999999999Z"));
    }

    #[test]
    fn offset_formats_are_accepted() {
        for text in [
            "2025-01-15T14:30:00Z",
            "2025-01-15T14:30:00.000+00:00",
            "2025-01-15T14:30:00+0000",
            "2025-01-15T16:30:00+02:00",
            "2025-01-15T16:30:00 02:00",
        ] {
            let instant = parse_instant(text, Bound::Lower).map(|instant| instant.to_string());
            assert_eq!(instant.as_deref(), Some("2025-01-15T14:30:00Z"), "{text}");
        }
    }

    #[test]
    fn other_formats_are_rejected() {
        for text in [
            "2025-01-15T14:30:00",
            "yesterday",
            "1736951400",
            "2025-13-01",
            "-000001-01-01T00:00:00Z",
            "-000001-01-01",
            "2025-01-15T14:30:00+00:00[UTC]",
        ] {
            assert_eq!(parse_instant(text, Bound::Lower), None, "{text}");
        }
    }
}
