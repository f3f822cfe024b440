//! Timestamps: the formats of vendors, and the format of the gateway.

use std::fmt;

use jiff::{SignedDuration, civil, tz};
use serde::{Serialize, Serializer};

/// Smallest epoch number in milliseconds. In seconds, this number is beyond the
/// year 5138 (FACTS.md, case 16: 13-digit milliseconds).
const FIRST_MILLISECOND_EPOCH: i64 = 100_000_000_000;

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
    /// Parses an ISO 8601 date-time. A date-time without an offset is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant,
            Err(_) => text.parse::<civil::DateTime>().ok()?.to_zoned(tz::TimeZone::UTC).ok()?.timestamp(),
        };
        Some(Self { instant, digits: fractional_digits(text).clamp(3, 9) })
    }

    /// Converts an epoch number in seconds, or in milliseconds if it has at least
    /// 12 digits. Returns `None` for zero, which vendors use for "not set".
    #[must_use]
    pub fn from_epoch(number: i64) -> Option<Self> {
        let instant = match number {
            0 => return None,
            n if n.abs() >= FIRST_MILLISECOND_EPOCH => jiff::Timestamp::from_millisecond(n).ok()?,
            n => jiff::Timestamp::from_second(n).ok()?,
        };
        Some(Self { instant, digits: 3 })
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
        ];
        for (written, served) in cases {
            assert_eq!(Timestamp::parse(written).map(|t| t.to_string()).as_deref(), Some(served), "{written}");
        }
    }

    #[test]
    fn epochs_are_seconds_or_milliseconds() {
        let served = |n| Timestamp::from_epoch(n).map(|t| t.to_string());
        assert_eq!(served(1_706_000_000).as_deref(), Some("2024-01-23T08:53:20.000Z"));
        assert_eq!(served(1_706_000_000_123).as_deref(), Some("2024-01-23T08:53:20.123Z"));
        assert_eq!(served(0), None);
        assert_eq!(served(i64::MAX), None);
    }

    #[test]
    fn rounding_yields_whole_milliseconds() {
        let instant: jiff::Timestamp = "2025-01-15T14:30:00.0005Z".parse().unwrap();
        assert_eq!(floor_to_millisecond(instant), "2025-01-15T14:30:00Z".parse().unwrap());
        assert_eq!(ceil_to_millisecond(instant), "2025-01-15T14:30:00.001Z".parse().unwrap());
    }
}
