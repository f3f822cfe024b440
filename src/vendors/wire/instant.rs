//! Instants: epoch numbers in any unit, and the date-times of vendors.

use crate::domain::timestamp::Timestamp;

use super::{Field, decimal::Decimal};

/// Power of ten of a nanosecond epoch for each unit, with the smallest number
/// of the unit. The first milliseconds are the seconds of the year 5138, and
/// likewise for the other units (FACTS.md, case 16).
const UNITS: &[(i128, i64)] = &[(100_000_000_000_000_000, 0), (100_000_000_000_000, 3), (100_000_000_000, 6), (0, 9)];

/// Reads the text of a number as an epoch. Zero means "not set".
pub(super) fn from_number(number: &str) -> Field<Timestamp> {
    if let Some(timestamp) = usual_epoch(number) {
        return Field::Value(timestamp);
    }
    let Some(decimal) = Decimal::parse(number) else { return Field::Unreadable };
    if decimal.is_zero() {
        return Field::Missing;
    }
    match decimal.to_integer() {
        // Programs write the largest integer for "never".
        Some(i64::MAX | i64::MIN) => return Field::Unreadable,
        Some(integer) if is_compact_date(integer) => return Field::Unreadable,
        _ => {}
    }
    epoch(&decimal).map_or(Field::Unreadable, Field::Value)
}

/// Reads a date-time, or an epoch as text.
pub(super) fn from_text(text: &str) -> Field<Timestamp> {
    if let Some(timestamp) = Timestamp::parse_usual(text) {
        return Field::Value(timestamp);
    }
    let is_basic_date = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = if is_basic_date { Timestamp::parse(text) } else { None };
    match date {
        Some(date) => Field::Value(date),
        None if Decimal::parse(text).is_some() => from_number(text),
        None => Timestamp::parse(text).map_or(Field::Unreadable, Field::Value),
    }
}

/// Reads whole seconds or milliseconds of the years 2001 to 2286, which have 10 or
/// 13 digits. `None` for other text, which may be another number.
fn usual_epoch(number: &str) -> Option<Timestamp> {
    let nanoseconds = match number.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        _ => return None,
    };
    let is_usual = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = number.parse().ok().filter(|_| is_usual)?;
    Timestamp::from_nanosecond(i128::from(number) * nanoseconds, 3)
}

fn epoch(decimal: &Decimal) -> Option<Timestamp> {
    // The integer part determines the unit.
    let magnitude = decimal.scaled(0)?.unsigned_abs();
    let &(_, power) = UNITS.iter().find(|(smallest, _)| magnitude >= smallest.unsigned_abs())?;
    let places = decimal.fractional_digits().saturating_add(9 - power);
    Timestamp::from_nanosecond(decimal.scaled(power)?, u8::try_from(places).unwrap_or(u8::MAX))
}

/// Returns true for a number of the form `YYYY`, `YYYYMM`, `YYYYMMDD` or longer
/// that may be a date after 1900. As an epoch, it would be a wrong instant.
fn is_compact_date(integer: i64) -> bool {
    let digits = integer.to_string();
    let part = |range: std::ops::Range<usize>, values: std::ops::RangeInclusive<u32>| match digits.get(range) {
        Some(part) => part.parse().is_ok_and(|value| values.contains(&value)),
        None => true,
    };
    matches!(digits.len(), 4 | 6 | 8 | 12 | 14 | 17)
        && part(0..4, 1900..=2199)
        && part(4..6, 1..=12)
        && part(6..8, 1..=31)
        && part(8..10, 0..=24)
        && part(10..12, 0..=59)
        && part(12..14, 0..=60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn served(field: impl Into<Option<Field<Timestamp>>>) -> String {
        match field.into().unwrap_or_default() {
            Field::Missing => "missing".to_owned(),
            Field::Value(timestamp) => timestamp.to_string(),
            Field::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn epoch_is_read_by_value() {
        for (number, expected) in [
            ("1706000000", "2024-01-23T08:53:20.000Z"),
            ("1706000000.0", "2024-01-23T08:53:20.000Z"),
            ("1706000000.5", "2024-01-23T08:53:20.500Z"),
            ("1.706e9", "2024-01-23T08:53:20.000Z"),
            ("1706000000.123456789", "2024-01-23T08:53:20.123456789Z"),
            ("1706000000.1234567891", "2024-01-23T08:53:20.123456789Z"),
            ("1706000000123", "2024-01-23T08:53:20.123Z"),
            ("1706000000123.25", "2024-01-23T08:53:20.12325Z"),
            ("1.706000000123E12", "2024-01-23T08:53:20.123Z"),
            ("1706000000123456", "2024-01-23T08:53:20.123456Z"),
            ("1706000000123456789", "2024-01-23T08:53:20.123456789Z"),
            ("-1", "1969-12-31T23:59:59.000Z"),
            ("-0.5", "1969-12-31T23:59:59.500Z"),
            ("0", "missing"),
            ("-0.0", "missing"),
            ("0e400", "missing"),
            ("9223372036854775807", "unreadable"),
            ("1e400", "unreadable"),
            ("1e25", "unreadable"),
            ("20250115", "unreadable"),
            ("20250115143000", "unreadable"),
            ("2025", "unreadable"),
        ] {
            assert_eq!(served(from_number(number)), expected, "{number}");
            if number != "20250115" {
                assert_eq!(served(from_text(number)), expected, "{number} as text");
            }
        }
    }

    #[test]
    fn digits_of_a_date_are_not_an_epoch() {
        assert_eq!(served(from_text("20250115")), "2025-01-15T00:00:00.000Z");
        assert_eq!(served(from_text("20251399")), "1970-08-23T09:23:19.000Z");
        assert_eq!(served(from_text("20250115T143000Z")), "2025-01-15T14:30:00.000Z");
        assert_eq!(served(from_text("1,706,000,000")), "unreadable");
        assert_eq!(served(from_text("NaN")), "unreadable");
    }

    proptest! {
        #[test]
        fn usual_epoch_agrees_with_general(number in "[0-9]{9,14}|[+-][0-9]{9,12}|[0-9]{8,11}[.][0-9]") {
            if let Some(timestamp) = usual_epoch(&number) {
                prop_assert_eq!(epoch(&Decimal::parse(&number).unwrap()), Some(timestamp));
            }
        }
    }
}
