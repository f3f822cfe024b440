//! Fast path of reading JSON: strings and numbers are borrowed from the text.
//!
//! `serde_json` reads a number with a fraction as a float, which loses digits. With it, a
//! field is therefore read from its JSON text, which is parsed twice. This reader passes
//! the text of a scalar directly. It supports the usual bodies only: `serde_json` reads
//! all others, and states the fault of a body that is not JSON.

mod access;
mod tokens;

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
    forward_to_deserialize_any,
};

use access::{Elements, Members};

/// Name of a newtype struct whose visitor takes a JSON scalar: a string, the text of a
/// number as bytes, a boolean, or a unit for null.
pub(in crate::vendors) const SCALAR: &str = "customer_gateway::Scalar";

/// Name of a newtype struct whose visitor takes the JSON text of a value.
pub(in crate::vendors) const JSON_TEXT: &str = "customer_gateway::JsonText";

/// Deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 32;

/// Reads a JSON text. Returns none if `serde_json` must read it: the text is not JSON, or
/// the type contains `RawValue`.
pub(in crate::vendors) fn read_fast<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let mut reader = Reader { json, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader).ok()?;
    reader.is_at_end().then_some(value)
}

/// A JSON text and the position of the next value.
struct Reader<'de> {
    json: &'de str,
    at: usize,
    depth: usize,
}

/// Error for JSON that `serde_json` must read.
#[derive(Debug)]
struct Unsupported;

impl<'de> Reader<'de> {
    fn is_at_end(&mut self) -> bool {
        self.peek().is_err()
    }

    /// Returns the next byte after whitespace without reading it. Fails at the end.
    fn peek(&mut self) -> Result<u8, Unsupported> {
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(Unsupported),
            }
        }
    }

    /// Reads the next byte after whitespace if it is `byte`.
    fn take(&mut self, byte: u8) -> Result<bool, Unsupported> {
        let is_next = self.peek()? == byte;
        self.at += usize::from(is_next);
        Ok(is_next)
    }

    /// Reads `word` at this position.
    fn expect(&mut self, word: &str) -> Result<(), Unsupported> {
        if !self.json.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Unsupported);
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads an array or an object with `read`, from its first byte to its last.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unsupported>) -> Result<T, Unsupported> {
        if self.depth == MAX_DEPTH {
            return Err(Unsupported);
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unsupported> {
        self.nested(|reader| {
            let mut elements = Elements::new(reader);
            let value = visitor.visit_seq(&mut elements)?;
            elements.end().map(|()| value)
        })
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unsupported> {
        self.nested(|reader| {
            let mut members = Members::new(reader);
            let value = visitor.visit_map(&mut members)?;
            members.end().map(|()| value)
        })
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unsupported;

    /// Numbers are read as scalars only.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
        match self.peek()? {
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            b'"' => self.string(visitor),
            b'n' => self.expect("null").and_then(|()| visitor.visit_unit()),
            b't' => self.expect("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.expect("false").and_then(|()| visitor.visit_bool(false)),
            _ => Err(Unsupported),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unsupported> {
        match self.peek()? {
            b'-' | b'0'..=b'9' if name == SCALAR => {
                let number = self.number()?;
                visitor.visit_borrowed_bytes(number.as_bytes())
            }
            b'"' | b'n' | b't' | b'f' if name == SCALAR => self.deserialize_any(visitor),
            _ if name == JSON_TEXT => {
                let start = self.at;
                self.skip()?;
                visitor.visit_borrowed_str(&self.json[start..self.at])
            }
            _ => Err(Unsupported),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
        if self.peek()? == b'n' {
            return self.expect("null").and_then(|()| visitor.visit_none());
        }
        visitor.visit_some(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unsupported> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("serde_json must read this text")
    }
}

impl std::error::Error for Unsupported {}

impl de::Error for Unsupported {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests;
