//! Deserialization of vendor fields. Every JSON value is accepted; a value of
//! another type is read as unreadable.

use std::{borrow::Cow, fmt, marker::PhantomData};

use memchr::memchr;
use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::value::RawValue;

use super::{Elements, Field, Nested, Text, TextList, scalar::Scalar};
use crate::vendors::json::{JSON_TEXT, LOST, SCALAR};

impl<'de, T: Scalar<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SCALAR, FieldVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(JSON_TEXT, TextListVisitor(PhantomData))
    }
}

/// Returns the text of a JSON string.
fn text(json: &str) -> serde_json::Result<Cow<'_, str>> {
    let plain = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    match plain {
        Some(plain) if memchr(b'\\', plain.as_bytes()).is_none() => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(json).map(Cow::Owned),
    }
}

struct FieldVisitor<T>(PhantomData<T>);
struct ObjectVisitor<T>(PhantomData<T>);
struct TextListVisitor<'a>(PhantomData<&'a str>);
struct ListVisitor<'a>(PhantomData<&'a str>);

/// Implements visitor methods for the JSON types that a field does not accept.
macro_rules! reject {
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

impl<'de, T: Scalar<'de>> FieldVisitor<T> {
    fn read_text(text: Cow<'de, str>) -> Field<T> {
        if text.is_empty() { Field::Missing } else { T::from_text(text) }
    }
}

impl<'de, T: Scalar<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Self::read_text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Self::read_text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_bytes<E: Error>(self, number: &'de [u8]) -> Result<Self::Value, E> {
        str::from_utf8(number).map(T::from_number).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(boolean))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Missing)
    }

    /// Reads the scalar with `serde_json`, from its JSON text: a parsed number has lost
    /// digits.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match json.as_bytes().first() {
            Some(b'"') => Self::read_text(text(json).map_err(D::Error::custom)?),
            Some(b'n') => Field::Missing,
            Some(b't') => T::from_bool(true),
            Some(b'f') => T::from_bool(false),
            Some(b'-' | b'0'..=b'9') => T::from_number(json),
            _ => Field::Unreadable,
        })
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

    reject!(Field::Unreadable; visit_str(&str), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_bool(bool));

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        skip_list(list).map(|()| Field::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Field::Value)
    }
}

/// A list is read from its JSON text, because a lost list has no elements.
impl<'de: 'a, 'a> Visitor<'de> for TextListVisitor<'a> {
    type Value = TextList<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the JSON text of a list")
    }

    fn visit_borrowed_str<E: Error>(self, json: &'de str) -> Result<Self::Value, E> {
        if json == LOST {
            return Ok(TextList(vec![Field::Unreadable]));
        }
        let list = serde_json::Deserializer::from_str(json).deserialize_any(ListVisitor(PhantomData));
        list.map(TextList).map_err(E::custom)
    }

    /// Reads the list with `serde_json`.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let json: &RawValue = Deserialize::deserialize(deserializer)?;
        self.visit_borrowed_str(json.get())
    }
}

impl<'de: 'a, 'a> Visitor<'de> for ListVisitor<'a> {
    type Value = Vec<Text<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of texts")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    reject!(vec![Field::Unreadable];
        visit_str(&str), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_bool(bool));

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let texts: Elements<Text<'a>> = Elements::deserialize(SeqAccessDeserializer::new(list))?;
        Ok(texts.into_all().unwrap_or_else(|_| vec![Field::Unreadable]))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        skip_object(object).map(|()| vec![Field::Unreadable])
    }
}
