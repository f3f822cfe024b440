//! Conversion of JSON scalars to the types of vendor fields, by value and never
//! through a float (FACTS.md, cases 7, 11, 16 and 46).

use std::borrow::Cow;

use crate::domain::timestamp::Timestamp;

use super::{Field, decimal::Decimal, instant};

/// The type of a scalar field.
pub(in crate::vendors) trait Scalar<'de>: Sized {
    /// Reads text that is not empty.
    fn from_text(text: Cow<'de, str>) -> Field<Self>;
    /// Reads the text of a JSON number.
    fn from_number(number: &'de str) -> Field<Self>;
    /// Reads a boolean.
    fn from_bool(boolean: bool) -> Field<Self>;
}

/// Text: a number keeps its digits, without exponent.
impl<'de: 'a, 'a> Scalar<'de> for Cow<'a, str> {
    fn from_text(text: Cow<'de, str>) -> Field<Self> {
        Field::Value(text)
    }

    fn from_number(number: &'de str) -> Field<Self> {
        if number != "-0" && !number.contains(['.', 'e', 'E']) {
            return Field::Value(Cow::Borrowed(number));
        }
        readable(Decimal::parse(number).and_then(|decimal| decimal.to_plain()).map(Cow::Owned))
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

/// Amounts and counts.
impl Scalar<'_> for i64 {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        Self::from_number(text.trim())
    }

    fn from_number(number: &str) -> Field<Self> {
        readable(number.parse().ok().or_else(|| Decimal::parse(number)?.to_integer()))
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

impl Scalar<'_> for Timestamp {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        instant::from_text(text.trim())
    }

    fn from_number(number: &str) -> Field<Self> {
        instant::from_number(number)
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

/// Flags: booleans, 0 and 1, and their text forms.
impl Scalar<'_> for bool {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Field::Value(true),
            "false" | "no" => Field::Value(false),
            number => Self::from_number(number),
        }
    }

    fn from_number(number: &str) -> Field<Self> {
        match Decimal::parse(number).and_then(|decimal| decimal.to_integer()) {
            Some(0) => Field::Value(false),
            Some(1) => Field::Value(true),
            _ => Field::Unreadable,
        }
    }

    fn from_bool(boolean: bool) -> Field<Self> {
        Field::Value(boolean)
    }
}

fn readable<T>(value: Option<T>) -> Field<T> {
    value.map_or(Field::Unreadable, Field::Value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::vendors::wire::Text;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn amount_is_read_by_value() {
        for (json, amount) in [
            ("-42", -42),
            ("\"629\"", 629),
            ("629.0", 629),
            ("\"629.00\"", 629),
            ("6.29e2", 629),
            ("\" 629 \"", 629),
            ("9007199254740993", 9_007_199_254_740_993),
        ] {
            assert_eq!(read::<Field<i64>>(json), Field::Value(amount), "{json}");
        }
        for odd in ["1.5", "\"12.50\"", "18446744073709551615", "1e400", "\"1,234\"", "[]", "{\"a\":1}", "true"] {
            assert_eq!(read::<Field<i64>>(odd), Field::Unreadable, "{odd}");
        }
        assert_eq!(read::<Field<i64>>("null"), Field::Missing);
    }

    #[test]
    fn number_as_text_keeps_its_digits() {
        for (json, text) in [
            ("18446744073709551616", "18446744073709551616"),
            ("-9223372036854775809", "-9223372036854775809"),
            ("12345678901234567890123.0", "12345678901234567890123"),
            ("1.2e3", "1200"),
            ("12.5", "12.5"),
            ("-0", "0"),
        ] {
            assert_eq!(read::<Text<'_>>(json), Field::Value(text.into()), "{json}");
        }
        assert_eq!(read::<Text<'_>>("1e400"), Field::Unreadable);
    }

    #[test]
    fn flag_is_read_by_meaning() {
        for json in ["true", "1", "1.0", "\"true\"", "\"TRUE\"", "\"1\"", "\"yes\""] {
            assert_eq!(read::<Field<bool>>(json), Field::Value(true), "{json}");
        }
        for json in ["false", "0", "-0", "\"False\"", "\"0\"", "\"no\""] {
            assert_eq!(read::<Field<bool>>(json), Field::Value(false), "{json}");
        }
        for json in ["2", "\"maybe\"", "[]", "0.5"] {
            assert_eq!(read::<Field<bool>>(json), Field::Unreadable, "{json}");
        }
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Field::Value(Cow::Borrowed("plain")) = read::<Text<'_>>("\"plain\"") else { panic!() };
        let Field::Value(Cow::Owned(text)) = read::<Text<'_>>("\"a\\nb\"") else { panic!() };
        assert_eq!(text, "a\nb");
        assert_eq!(read::<Text<'_>>("\"\""), Field::Missing);
    }
}
