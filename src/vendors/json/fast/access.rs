//! Elements of an array and members of an object.

use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, value::BorrowedStrDeserializer};

use super::{
    Reader, Unsupported,
    tokens::{Quoted, unescape},
};

/// The elements of an array, after its bracket.
pub(super) struct Elements<'r, 'de>(Items<'r, 'de>);

/// The members of an object, after its brace.
pub(super) struct Members<'r, 'de>(Items<'r, 'de>);

/// Items that are separated by commas.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    close: u8,
    is_first: bool,
    has_ended: bool,
}

impl<'r, 'de> Elements<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>) -> Self {
        Self(Items { reader, close: b']', is_first: true, has_ended: false })
    }

    /// Fails if elements remain.
    pub(super) fn end(self) -> Result<(), Unsupported> {
        self.0.end()
    }
}

impl<'r, 'de> Members<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>) -> Self {
        Self(Items { reader, close: b'}', is_first: true, has_ended: false })
    }

    /// Fails if members remain.
    pub(super) fn end(self) -> Result<(), Unsupported> {
        self.0.end()
    }
}

impl Items<'_, '_> {
    /// Moves to the next item. Returns false at the end.
    fn advance(&mut self) -> Result<bool, Unsupported> {
        if self.has_ended {
            return Ok(false);
        }
        let next = self.reader.peek()?;
        if next == self.close {
            self.reader.at += 1;
            self.has_ended = true;
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            if next != b',' {
                return Err(Unsupported);
            }
            self.reader.at += 1;
        }
        Ok(true)
    }

    fn end(mut self) -> Result<(), Unsupported> {
        if self.advance()? { Err(Unsupported) } else { Ok(()) }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Unsupported;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unsupported> {
        if !self.0.advance()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.0.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = Unsupported;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unsupported> {
        if !self.0.advance()? {
            return Ok(None);
        }
        if self.0.reader.peek()? != b'"' {
            return Err(Unsupported);
        }
        match self.0.reader.quoted()? {
            Quoted::Plain(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Quoted::Escaped(json) => seed.deserialize(unescape(json)?.into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unsupported> {
        if !self.0.reader.take(b':')? {
            return Err(Unsupported);
        }
        seed.deserialize(&mut *self.0.reader)
    }
}
