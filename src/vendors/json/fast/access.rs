//! Elements of an array and members of an object.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::{Reader, Unsupported};

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
        if self.reader.take(self.close)? {
            self.has_ended = true;
            return Ok(false);
        }
        if !self.is_first && !self.reader.take(b',')? {
            return Err(Unsupported);
        }
        self.is_first = false;
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
        seed.deserialize(&mut *self.0.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unsupported> {
        if !self.0.reader.take(b':')? {
            return Err(Unsupported);
        }
        seed.deserialize(&mut *self.0.reader)
    }
}
