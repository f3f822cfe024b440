//! Conversion of JSON scalars to the types of vendor fields.

use std::borrow::Cow;

use crate::domain::timestamp::Timestamp;

use super::Field;

/// The type of a scalar field.
pub(in crate::vendors) trait Scalar<'de>: Sized {
    /// Reads text that is not empty.
    fn from_text(text: Cow<'de, str>) -> Field<Self>;
    /// Reads an integer.
    fn from_integer(integer: i64) -> Field<Self>;
    /// Reads a boolean.
    fn from_bool(boolean: bool) -> Field<Self>;
}

impl<'de: 'a, 'a> Scalar<'de> for Cow<'a, str> {
    fn from_text(text: Cow<'de, str>) -> Field<Self> {
        Field::Value(text)
    }

    fn from_integer(integer: i64) -> Field<Self> {
        Field::Value(integer.to_string().into())
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

/// Amounts and counts: integers, also as text. Never converted through a float
/// (FACTS.md, case 7).
impl Scalar<'_> for i64 {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        text.parse().map_or(Field::Unreadable, Field::Value)
    }

    fn from_integer(integer: i64) -> Field<Self> {
        Field::Value(integer)
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

/// Timestamps: ISO 8601 text, or an epoch number, also as text (FACTS.md,
/// cases 11 and 16).
impl Scalar<'_> for Timestamp {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        match text.parse() {
            Ok(epoch) => Self::from_integer(epoch),
            Err(_) => Self::parse(&text).map_or(Field::Unreadable, Field::Value),
        }
    }

    fn from_integer(integer: i64) -> Field<Self> {
        match integer {
            0 => Field::Missing,
            epoch => Self::from_epoch(epoch).map_or(Field::Unreadable, Field::Value),
        }
    }

    fn from_bool(_: bool) -> Field<Self> {
        Field::Unreadable
    }
}

impl Scalar<'_> for bool {
    fn from_text(text: Cow<'_, str>) -> Field<Self> {
        text.parse().map_or(Field::Unreadable, Field::Value)
    }

    fn from_integer(_: i64) -> Field<Self> {
        Field::Unreadable
    }

    fn from_bool(boolean: bool) -> Field<Self> {
        Field::Value(boolean)
    }
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
    fn amount_must_be_an_integer() {
        assert_eq!(read::<Field<i64>>("-42"), Field::Value(-42));
        assert_eq!(read::<Field<i64>>("\"629\""), Field::Value(629));
        assert_eq!(read::<Field<i64>>("9007199254740993"), Field::Value(9_007_199_254_740_993));
        for odd in ["1.5", "\"12.50\"", "18446744073709551615", "1e4", "[]", "{\"a\":1}", "true"] {
            assert_eq!(read::<Field<i64>>(odd), Field::Unreadable, "{odd}");
        }
        assert_eq!(read::<Field<i64>>("null"), Field::Missing);
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Field::Value(Cow::Borrowed("plain")) = read::<Text<'_>>("\"plain\"") else { panic!() };
        let Field::Value(Cow::Owned(text)) = read::<Text<'_>>("\"a\\nb\"") else { panic!() };
        assert_eq!(text, "a\nb");
        assert_eq!(read::<Text<'_>>("\"\""), Field::Missing);
    }
}
