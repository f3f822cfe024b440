//! Fast paths for the usual form of a date-time: RFC 3339 in UTC. They agree with
//! the general parser and printer.

use jiff::{civil::DateTime, tz::Offset};

use crate::domain::digits::padded;

/// Maximum number of fractional digits.
const MAX_DIGITS: usize = 9;
/// Powers of ten, by exponent.
const POWERS_OF_TEN: [u32; MAX_DIGITS + 1] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Parses `YYYY-MM-DDTHH:MM:SS`, a fraction of at most nine digits, and `Z` or
/// `+00:00`. Returns the instant and the number of fractional digits. `None` for other
/// text, which may be a date-time in another form.
pub(super) fn parse(text: &str) -> Option<(jiff::Timestamp, u8)> {
    let (date_time, rest) = text.as_bytes().split_first_chunk()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', time @ ..]: &[u8; 19] = date_time else { return None };
    let [h1, h2, b':', n1, n2, b':', s1, s2] = time else { return None };
    let (digits, nanosecond, offset) = match rest {
        [b'.', fraction @ ..] => split_fraction(fraction)?,
        offset => (0, 0, offset),
    };
    if !matches!(offset, b"Z" | b"+00:00") {
        return None;
    }
    let all = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
    // `all` would take one branch per digit.
    if !all.iter().fold(true, |are_digits, byte| are_digits & byte.is_ascii_digit()) {
        return None;
    }
    let pair = |tens: &u8, ones: &u8| ((tens - b'0') * 10 + (ones - b'0')).cast_signed();
    let year = i16::from(pair(y1, y2)) * 100 + i16::from(pair(y3, y4));
    let (month, day) = (pair(m1, m2), pair(d1, d2));
    let (hour, minute, second) = (pair(h1, h2), pair(n1, n2), pair(s1, s2));
    let date_time = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    Some((Offset::UTC.to_timestamp(date_time).ok()?, digits))
}

/// Appends an instant with `digits` fractional digits. Further digits are dropped.
/// Returns false, and appends nothing, for a year without four digits.
pub(super) fn write(instant: jiff::Timestamp, digits: u8, out: &mut Vec<u8>) -> bool {
    let at = Offset::UTC.to_datetime(instant);
    let (Ok(year), Ok(nanosecond)) = (u32::try_from(at.year()), u32::try_from(at.subsec_nanosecond())) else {
        return false;
    };
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    text[..4].copy_from_slice(&padded::<4>(year));
    let parts = [(5, at.month()), (8, at.day()), (11, at.hour()), (14, at.minute()), (17, at.second())];
    for (start, value) in parts {
        text[start..start + 2].copy_from_slice(&padded::<2>(u32::from(value.unsigned_abs())));
    }
    text[20..29].copy_from_slice(&padded::<MAX_DIGITS>(nanosecond));
    let digits = usize::from(digits).min(MAX_DIGITS);
    text[20 + digits] = b'Z';
    out.extend_from_slice(&text[..21 + digits]);
    true
}

/// Returns the number of digits, the fraction in nanoseconds, and the rest.
fn split_fraction(text: &[u8]) -> Option<(u8, i32, &[u8])> {
    let (mut length, mut fraction) = (0, 0);
    while let Some(digit @ b'0'..=b'9') = text.get(length) {
        if length == MAX_DIGITS {
            return None;
        }
        fraction = fraction * 10 + u32::from(digit - b'0');
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let nanosecond = i32::try_from(fraction * POWERS_OF_TEN[MAX_DIGITS - length]).ok()?;
    Some((u8::try_from(length).ok()?, nanosecond, &text[length..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::timestamp::Timestamp;

    /// Text near the fast form, valid or not.
    fn texts() -> impl Strategy<Value = String> {
        let date = ("[0-9]{4}|-000001|10000", 0..14, 0..33).prop_map(|(year, m, d)| format!("{year}-{m:02}-{d:02}"));
        let time = (0..26, 0..62, 0..62).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}"));
        let tail = ("|[.][0-9]{0,11}|,[0-9]{3}", "Z|z|\\+00:00|-00:00|\\+0000|\\+01:00|| UTC|Z ");
        (date, "[Tt ]", time, tail).prop_map(|(date, t, time, (fraction, zone))| date + &t + &time + &fraction + &zone)
    }

    proptest! {
        #[test]
        fn fast_parser_agrees_with_general(text in texts()) {
            if let Some((instant, digits)) = parse(&text) {
                let general = Timestamp::parse_general(&text);
                prop_assert_eq!(general, Some(Timestamp { instant, digits: digits.clamp(3, 9) }), "{}", text);
            }
        }

        #[test]
        fn fast_printer_agrees_with_general(
            second in -377_705_023_201_i64..=253_402_207_200,
            nanosecond in 0..1_000_000_000,
            digits in 3_u8..=9,
        ) {
            let instant = jiff::Timestamp::new(second, nanosecond).unwrap();
            let mut out = Vec::new();
            let expected = format!("{instant:.*}", usize::from(digits));
            if write(instant, digits, &mut out) {
                prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
            } else {
                prop_assert!(out.is_empty() && expected.starts_with('-'));
            }
        }
    }

    #[test]
    fn usual_form_takes_the_fast_path() {
        for text in ["2025-01-15T14:30:00.000Z", "2024-02-29T00:00:00Z", "2024-11-25T15:24:26.846428+00:00"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["2025-02-29T00:00:00Z", "2025-01-15T24:00:00Z", "2016-12-31T23:59:60Z", "2025-01-15"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
