//! Reading what vendors write, whatever they write: a field that cannot be
//! read becomes null and is counted, and costs neither its row nor its page.
//! Text borrows from the answer's bytes.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{error::Category, value::RawValue};

use super::VendorError;
use crate::domain::{page::Anomalies, timestamp::Timestamp};

/// A field of a vendor's object.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) enum Field<T> {
    /// Absent, null or empty: vendors use all three for "none".
    #[default]
    Missing,
    /// What it says.
    Value(T),
    /// Something of another type or form.
    Unreadable,
}

/// What a scalar field may be read as.
pub(super) trait Scalar<'de>: Sized {
    /// Reads text that is not empty.
    fn from_text(text: Cow<'de, str>) -> Field<Self>;
    /// Reads a whole number.
    fn from_integer(integer: i64) -> Field<Self>;
    /// Reads a truth value.
    fn from_bool(truth: bool) -> Field<Self>;
}

/// An object that is written as one: what is derived would also read a list,
/// member by member.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

/// A field that holds an object.
#[derive(Debug)]
pub(super) struct Nested<T>(Field<T>);

/// A field that holds a list of texts.
#[derive(Debug, Default)]
pub(super) struct TextList<'a>(Vec<Field<Cow<'a, str>>>);

/// A row, with the vendor's own bytes of it where they were asked for.
#[derive(Debug)]
pub(super) struct Row<'a, T> {
    /// The row as the vendor's type.
    pub(super) wire: T,
    /// The row untouched.
    pub(super) raw: Option<&'a RawValue>,
}

/// What is wrong with an answer, in words that quote nothing of it: the
/// parser's own message may show customers' data.
pub(super) fn unreadable(error: &serde_json::Error) -> VendorError {
    let fault = match error.classify() {
        Category::Eof => "the body is cut off",
        Category::Syntax => "the body is not JSON",
        Category::Data => "the JSON is not of the documented shape",
        Category::Io => "the body cannot be read",
    };
    match error.line() {
        0 => VendorError::Unreadable(fault.to_owned()),
        line => VendorError::Unreadable(format!("{fault} (line {line}, column {})", error.column())),
    }
}

/// The answer lacks a member without which it says nothing.
pub(super) fn missing(what: &str) -> VendorError {
    VendorError::Unreadable(format!("`{what}` is missing"))
}

impl<T> Field<T> {
    /// The value, counting what cannot be read.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Option<T> {
        match self {
            Self::Missing => None,
            Self::Value(value) => Some(value),
            Self::Unreadable => {
                anomalies.unreadable_values = anomalies.unreadable_values.saturating_add(1);
                None
            }
        }
    }

    /// The value, where there is one.
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Unreadable => None,
        }
    }
}

impl<T> Nested<T> {
    /// The object, counting what is none.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Option<T> {
        self.0.take(anomalies)
    }
}

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Self(Field::Missing)
    }
}

impl<'a> TextList<'a> {
    /// The texts, counting what is none.
    pub(super) fn take(self, anomalies: &mut Anomalies) -> Vec<Cow<'a, str>> {
        self.0.into_iter().filter_map(|text| text.take(anomalies)).collect()
    }
}

impl<'a> Row<'a, &'a RawValue> {
    /// Reads the row as the vendor's type.
    pub(super) fn parse<T: Deserialize<'a>>(raw: &'a RawValue) -> Result<Row<'a, T>, VendorError> {
        let Object(wire) = serde_json::from_str(raw.get()).map_err(|error| unreadable(&error))?;
        Ok(Row { wire, raw: Some(raw) })
    }
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

/// Money and counts: whole numbers, also when written as text; never through
/// a float (FACTS.md, case 7).
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

/// Instants: ISO 8601, or an epoch number, also when written as text
/// (FACTS.md, cases 11 and 16).
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

    fn from_bool(truth: bool) -> Field<Self> {
        Field::Value(truth)
    }
}

impl<'de, T: Scalar<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ObjectVisitor(PhantomData))? {
            Field::Value(object) => Ok(Self(object)),
            Field::Missing | Field::Unreadable => Err(D::Error::custom("an object was expected")),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData)).map(Self)
    }
}

struct ScalarVisitor<T>(PhantomData<T>);
struct ObjectVisitor<T>(PhantomData<T>);
struct ListVisitor<'a>(PhantomData<&'a str>);

/// The visits that mean "of another type" for a visitor, written once.
macro_rules! unreadable {
    ($value:expr; $($visit:ident($type:ty)),+) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> { Ok($value) })+
    };
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de, T: Scalar<'de>> Visitor<'de> for ScalarVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(if text.is_empty() { Field::Missing } else { T::from_text(Cow::Borrowed(text)) })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(if text.is_empty() { Field::Missing } else { T::from_text(Cow::Owned(text)) })
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Self::Value, E> {
        Ok(T::from_integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(integer).map_or(Field::Unreadable, T::from_integer))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(truth))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Missing)
    }

    unreadable!(Field::Unreadable; visit_f64(f64));

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        skip_list(list).map(|()| Field::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        skip_object(object).map(|()| Field::Unreadable)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Missing)
    }

    unreadable!(Field::Unreadable; visit_str(&str), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_bool(bool));

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        skip_list(list).map(|()| Field::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Field::Value)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for ListVisitor<'a> {
    type Value = Vec<Field<Cow<'a, str>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    unreadable!(vec![Field::Unreadable];
        visit_str(&str), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_bool(bool));

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        skip_object(object).map(|()| vec![Field::Unreadable])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn money_is_a_whole_number_or_nothing() {
        assert_eq!(read::<Field<i64>>("-42"), Field::Value(-42));
        assert_eq!(read::<Field<i64>>("\"629\""), Field::Value(629));
        assert_eq!(read::<Field<i64>>("9007199254740993"), Field::Value(9_007_199_254_740_993));
        for odd in ["1.5", "\"12.50\"", "18446744073709551615", "1e400000".get(..3).unwrap(), "[]", "{\"a\":1}", "true"]
        {
            assert_eq!(read::<Field<i64>>(odd), Field::Unreadable, "{odd}");
        }
        assert_eq!(read::<Field<i64>>("null"), Field::Missing);
    }

    #[test]
    fn text_is_borrowed_unless_it_is_escaped() {
        let Field::Value(Cow::Borrowed("plain")) = read::<Field<Cow<'_, str>>>("\"plain\"") else { panic!() };
        let Field::Value(Cow::Owned(text)) = read::<Field<Cow<'_, str>>>("\"a\\nb\"") else { panic!() };
        assert_eq!(text, "a\nb");
        assert_eq!(read::<Field<Cow<'_, str>>>("\"\""), Field::Missing);
    }
}
