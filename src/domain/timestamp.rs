//! Timestamps: the formats of vendors, and the format of the gateway.

mod rfc3339;

use std::{borrow::Cow, fmt};

use jiff::{SignedDuration, civil, tz};
use serde::{Serialize, Serializer};

/// Instant with the number of fractional digits of the vendor's text, so no
/// digit is lost. It is served as RFC 3339 in UTC with `Z` and at least three
/// fractional digits.
///
/// ```
/// use customer_gateway::domain::timestamp::Timestamp;
/// let served = |text| Timestamp::parse(text).map(|t| t.to_string());
/// assert_eq!(served("2024-11-25T17:24:26.846428+02:00").unwrap(), "2024-11-25T15:24:26.846428Z");
/// assert_eq!(served("2025-01-15T14:30:00").unwrap(), "2025-01-15T14:30:00.000Z");
/// assert_eq!(served("yesterday"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    instant: jiff::Timestamp,
    digits: u8,
}

impl Timestamp {
    /// Parses an ISO 8601 date-time. A date-time without an offset is UTC, and
    /// `24:00` is midnight of the next day. A leap second is the first instant
    /// of the next day, as in POSIX. Digits beyond nanoseconds are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_usual(text).or_else(|| Self::parse_general(text))
    }

    /// Parses the usual form: RFC 3339 in UTC. `None` for other text, which may be
    /// a date-time in another form.
    #[must_use]
    pub fn parse_usual(text: &str) -> Option<Self> {
        let (instant, digits) = rfc3339::parse(text)?;
        Some(Self { instant, digits: digits.clamp(3, 9) })
    }

    fn parse_general(text: &str) -> Option<Self> {
        let normalized = Normalized::new(text);
        let text = &*normalized.text;
        if has_impossible_offset(text) {
            return None;
        }
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant,
            Err(_) => text.parse::<civil::DateTime>().ok()?.to_zoned(tz::TimeZone::UTC).ok()?.timestamp(),
        };
        let digits = fractional_digits(text).clamp(3, 9);
        Some(Self { instant: normalized.rolled_over(instant)?, digits })
    }

    /// Converts an epoch number in nanoseconds. It is served with at least
    /// `digits` fractional digits.
    #[must_use]
    pub fn from_nanosecond(number: i128, digits: u8) -> Option<Self> {
        Some(Self { instant: jiff::Timestamp::from_nanosecond(number).ok()?, digits: digits.clamp(3, 9) })
    }

    /// Appends the timestamp as it is served.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        if !rfc3339::write(self.instant, self.digits, out) {
            out.extend_from_slice(self.to_string().as_bytes());
        }
    }

    /// Returns the instant.
    #[must_use]
    pub fn instant(self) -> jiff::Timestamp {
        self.instant
    }
}

impl From<jiff::Timestamp> for Timestamp {
    /// Returns the instant with millisecond precision.
    fn from(instant: jiff::Timestamp) -> Self {
        Self { instant, digits: 3 }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", usize::from(self.digits), self.instant)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns the whole millisecond at or before an instant.
#[must_use]
pub fn floor_to_millisecond(instant: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(instant.as_nanosecond().div_euclid(1_000_000).try_into().unwrap_or(i64::MIN))
        .unwrap_or(instant)
}

/// Returns the whole millisecond at or after an instant.
#[must_use]
pub fn ceil_to_millisecond(instant: jiff::Timestamp) -> jiff::Timestamp {
    let floor = floor_to_millisecond(instant);
    if floor == instant { floor } else { floor.saturating_add(SignedDuration::from_millis(1)).unwrap_or(floor) }
}

/// Text of a date-time in the form that the parser accepts.
struct Normalized<'t> {
    text: Cow<'t, str>,
    rollover: Rollover,
}

/// Instant that the text names beyond the last second of a day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rollover {
    None,
    /// Second 60.
    LeapSecond,
    /// Hour 24.
    Midnight,
}

impl<'t> Normalized<'t> {
    fn new(text: &'t str) -> Self {
        let mut normalized = Self { text: Cow::Borrowed(text.trim()), rollover: Rollover::None };
        normalized.limit_fraction();
        let Some(time) = normalized.text.find(['T', 't', ' ']).map(|at| at + 1) else { return normalized };
        if normalized.text[..time].contains(':') {
            return normalized;
        }
        normalized.join_offset(time);
        normalized.replace_rollover(time);
        normalized
    }

    /// Drops the digits beyond nanoseconds.
    fn limit_fraction(&mut self) {
        let Some(start) = self.text.find(['.', ',']).map(|at| at + 1) else { return };
        let digits = usize::from(fractional_digits(&self.text));
        if digits > 9 {
            self.text.to_mut().replace_range(start + 9..start + digits, "");
        }
    }

    /// Removes the space before an offset, and replaces `UTC` and `GMT`.
    fn join_offset(&mut self, time: usize) {
        let Some((clock, offset)) = self.text[time..].split_once(' ') else { return };
        let offset = match offset.trim() {
            "UTC" | "GMT" | "utc" | "gmt" => "Z",
            offset => offset,
        };
        self.text = Cow::Owned(format!("{}{clock}{offset}", &self.text[..time]));
    }

    /// Replaces an hour of 24 and a second of 60, which the parser does not
    /// count.
    fn replace_rollover(&mut self, time: usize) {
        let clock = &self.text[time..];
        let is_extended = clock.as_bytes().get(2) == Some(&b':');
        let second = if is_extended { 6 } else { 4 };
        let is_after_separator = !is_extended || clock.as_bytes().get(5) == Some(&b':');
        if clock.starts_with("24") {
            let end = clock.find(['Z', 'z', '+', '-', '[']).unwrap_or(clock.len());
            if clock[2..end].bytes().all(|byte| matches!(byte, b'0' | b':' | b'.' | b',')) {
                self.text.to_mut().replace_range(time..time + 2, "00");
                self.rollover = Rollover::Midnight;
            }
        } else if is_after_separator && clock.get(second..second + 2) == Some("60") {
            self.text.to_mut().replace_range(time + second..time + second + 2, "59");
            self.rollover = Rollover::LeapSecond;
        }
    }

    /// Returns the instant that the original text names.
    fn rolled_over(&self, instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
        match self.rollover {
            Rollover::None => Some(instant),
            Rollover::Midnight => instant.checked_add(SignedDuration::from_hours(24)).ok(),
            Rollover::LeapSecond => {
                let next = instant.checked_add(SignedDuration::from_secs(1)).ok()?;
                // A leap second is the last second of a day in UTC.
                (next.as_second() % 86_400 == 0).then_some(next)
            }
        }
    }
}

/// Returns true if a text has a time and an offset of 24 hours or more.
fn has_impossible_offset(text: &str) -> bool {
    let time = text.find(['T', 't', ' ']).map_or("", |at| &text[at..]);
    let hours = time.find(['+', '-']).and_then(|at| time.get(at + 1..at + 3));
    hours.and_then(|hours| hours.parse().ok()).is_some_and(|hours: u8| hours >= 24)
}

fn fractional_digits(text: &str) -> u8 {
    let Some((_, fraction)) = text.split_once(['.', ',']) else { return 0 };
    u8::try_from(fraction.bytes().take_while(u8::is_ascii_digit).count()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_formats_are_parsed() {
        let cases = [
            ("2025-01-15T14:30:00.000Z", "2025-01-15T14:30:00.000Z"),
            ("2024-03-05T10:28:08.984+00:00", "2024-03-05T10:28:08.984Z"),
            ("2024-11-25T15:24:26.846428+00:00", "2024-11-25T15:24:26.846428Z"),
            ("2024-11-25T15:24:26.846000Z", "2024-11-25T15:24:26.846000Z"),
            ("2024-11-25T15:24:26,846428Z", "2024-11-25T15:24:26.846428Z"),
            ("2025-01-15T14:30:00+0530", "2025-01-15T09:00:00.000Z"),
            ("2025-01-15", "2025-01-15T00:00:00.000Z"),
            ("20250115", "2025-01-15T00:00:00.000Z"),
            ("20250115T143000Z", "2025-01-15T14:30:00.000Z"),
            ("2025-01-15 14:30:00", "2025-01-15T14:30:00.000Z"),
            ("2025-01-15 14:30:00+00", "2025-01-15T14:30:00.000Z"),
            ("2025-01-15 14:30:00 +0100", "2025-01-15T13:30:00.000Z"),
            ("2025-01-15 14:30:00.5 UTC", "2025-01-15T14:30:00.500Z"),
            (" 2025-01-15t14:30:00z ", "2025-01-15T14:30:00.000Z"),
            ("2025-01-15T14:30Z", "2025-01-15T14:30:00.000Z"),
            ("2025-01-15T14:30:00.1234567891234Z", "2025-01-15T14:30:00.123456789Z"),
            ("2025-01-15T24:00:00Z", "2025-01-16T00:00:00.000Z"),
            ("2025-01-15T24:00Z", "2025-01-16T00:00:00.000Z"),
            ("20250115T240000+0100", "2025-01-15T23:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
            ("2016-12-31T23:59:60.250Z", "2017-01-01T00:00:00.250Z"),
            ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00.000Z"),
        ];
        for (written, served) in cases {
            assert_eq!(Timestamp::parse(written).map(|t| t.to_string()).as_deref(), Some(served), "{written}");
        }
    }

    #[test]
    fn impossible_instants_are_rejected() {
        for text in [
            "",
            "2025-02-30T00:00:00Z",
            "2025-01-15T24:00:01Z",
            "2025-01-15T25:00:00Z",
            "2025-01-15T12:30:60Z",
            "2025-01-15T14:30:00+25:00",
            "0000-00-00 00:00:00",
            "2025-01-15T14:30:00Z tomorrow",
            "24",
            "T",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}", date in "[0-9TtZz:+. ,-]{0,40}") {
            let _ = (Timestamp::parse(&text), Timestamp::parse(&date));
        }
    }

    #[test]
    fn rounding_yields_whole_milliseconds() {
        let instant: jiff::Timestamp = "2025-01-15T14:30:00.0005Z".parse().unwrap();
        assert_eq!(floor_to_millisecond(instant), "2025-01-15T14:30:00Z".parse().unwrap());
        assert_eq!(ceil_to_millisecond(instant), "2025-01-15T14:30:00.001Z".parse().unwrap());
    }
}
