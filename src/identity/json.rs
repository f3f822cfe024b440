//! JSON objects of tokens, without repeated members.
//!
//! Parsers differ in the value that they use for a repeated member, so a token
//! with repeated members could mean different things to the provider and to the
//! gateway. A parser may reject such a token (RFC 7515, section 4; RFC 7519,
//! section 4). The rule covers nested objects, too.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// A JSON object without repeated members at any depth.
pub(super) struct UniqueObject(pub(super) Map<String, Value>);

/// A JSON value without repeated members at any depth.
struct UniqueValue(Value);

/// Reason why a text is not such an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectError {
    /// Not a JSON object.
    NotObject,
    /// A member is repeated.
    Repeated,
}

impl UniqueObject {
    /// Parses a JSON text.
    pub(super) fn parse(json: &[u8]) -> Result<Self, ObjectError> {
        // A value of the right syntax can only violate the uniqueness.
        let object_error = |error: serde_json::Error| {
            if error.is_data() { ObjectError::Repeated } else { ObjectError::NotObject }
        };
        match serde_json::from_slice(json).map_err(object_error)? {
            UniqueValue(Value::Object(object)) => Ok(Self(object)),
            UniqueValue(_) => Err(ObjectError::NotObject),
        }
    }
}

impl<'de> Deserialize<'de> for UniqueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(UniqueValue(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, UniqueValue(value))) = members.next_entry::<String, _>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(object.into())
    }
}
