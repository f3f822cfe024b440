//! Instants in parameters: RFC 3339 date-times and dates.

use std::borrow::Cow;

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
        let start = date.to_zoned(TimeZone::UTC);
        let instant = start.and_then(|day| match bound {
            Bound::Lower => Ok(day.timestamp()),
            Bound::Upper => Ok(day.checked_add(1.day())?.checked_sub(1.nanosecond())?.timestamp()),
        });
        // Only the last days of the year 9999 are beyond the last instant.
        return Some(instant.unwrap_or(Timestamp::MAX));
    }
    // A `+` that is not percent-encoded is decoded as a space (FACTS.md, case 26).
    let (rest, offset) = text.rsplit_once(' ').filter(|(rest, _)| rest.contains(['T', 't'])).unzip();
    let text = match (rest, offset) {
        (Some(rest), Some(offset)) => Cow::Owned(format!("{rest}+{offset}")),
        _ => Cow::Borrowed(text),
    };
    let instant = text.parse().ok().or_else(|| is_beyond_last_instant(&text).then_some(Timestamp::MAX));
    instant.filter(|_| has_possible_offset(&text))
}

/// Returns true for a date-time with an offset in the last two days of the year
/// 9999, which `Timestamp` cannot represent.
fn is_beyond_last_instant(text: &str) -> bool {
    let end = text.rfind(['Z', 'z', '+']).or_else(|| text.rfind('-').filter(|&dash| dash > 10));
    let date_time = end.and_then(|end| text[..end].parse::<civil::DateTime>().ok());
    date_time.is_some_and(|date_time| date_time.date() >= civil::date(9999, 12, 30))
}

/// Returns false for an offset of 24 hours or more, or with more than 59 minutes
/// (RFC 3339, section 5.6). jiff accepts offsets up to 25:59.
fn has_possible_offset(text: &str) -> bool {
    let Some((_, offset)) = text.rsplit_once(['+', '-']).filter(|(rest, _)| rest.contains(['T', 't'])) else {
        return true;
    };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let part = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |digits| digits.parse::<u32>().ok());
    matches!((part(0..2), part(2..4)), (Some(0..=23), Some(0..=59)))
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
    fn last_day_is_clamped() {
        let parse = |bound| parse_instant("9999-12-31", bound).map(|instant| instant.to_string());
        assert_eq!(parse(Bound::Lower), Some(Timestamp::MAX.to_string()));
        assert_eq!(parse(Bound::Upper), Some(Timestamp::MAX.to_string()));
        for text in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-12:00", "9999-12-31T00:00:00+01:00"] {
            assert_eq!(parse_instant(text, Bound::Upper), Some(Timestamp::MAX), "{text}");
        }
        assert_eq!(parse_instant("9999-12-31T23:59:59+24:00", Bound::Upper), None);
        assert_eq!(parse_instant("9999-12-31Tnoon", Bound::Upper), None);
    }

    #[test]
    fn impossible_offset_is_rejected() {
        for offset in ["+24:00", "-24:00", "+25:59", "+2500", "+00:60", "+99:99"] {
            assert_eq!(parse_instant(&format!("2025-01-15T14:30:00{offset}"), Bound::Lower), None, "{offset}");
        }
        assert!(parse_instant("2025-01-15T14:30:00-23:59", Bound::Lower).is_some());
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
