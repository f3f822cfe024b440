//! Strings, numbers and skipped values.

use serde::de::{IgnoredAny, Visitor};

use super::{Reader, Unsupported};
use crate::domain::json::find_escape;

/// String token.
pub(super) enum Quoted<'de> {
    /// The text of a string without escapes.
    Plain(&'de str),
    /// The JSON of a string with escapes.
    Escaped(&'de str),
}

impl<'de> Reader<'de> {
    /// Reads a string.
    pub(super) fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unsupported> {
        match self.quoted()? {
            Quoted::Plain(text) => visitor.visit_borrowed_str(text),
            Quoted::Escaped(json) => visitor.visit_string(unescape(json)?),
        }
    }

    /// Reads a number, and returns its text.
    pub(super) fn number(&mut self) -> Result<&'de str, Unsupported> {
        let start = self.at;
        self.skip_byte(b"-");
        if !self.skip_byte(b"0") {
            self.digits()?;
        }
        if self.skip_byte(b".") {
            self.digits()?;
        }
        if self.skip_byte(b"eE") {
            self.skip_byte(b"+-");
            self.digits()?;
        }
        Ok(&self.json[start..self.at])
    }

    /// Skips a value, and checks its syntax.
    pub(super) fn skip(&mut self) -> Result<(), Unsupported> {
        match self.peek()? {
            b'{' => self.object(IgnoredAny).map(|_| ()),
            b'[' => self.array(IgnoredAny).map(|_| ()),
            b'"' => match self.quoted()? {
                Quoted::Plain(_) => Ok(()),
                Quoted::Escaped(json) => serde_json::from_str::<IgnoredAny>(json).map(|_| ()).map_err(|_| Unsupported),
            },
            b'n' => self.expect("null"),
            b't' => self.expect("true"),
            b'f' => self.expect("false"),
            _ => self.number().map(|_| ()),
        }
    }

    /// Reads a string. `escaped` is a separate function, because few strings contain an escape.
    pub(super) fn quoted(&mut self) -> Result<Quoted<'de>, Unsupported> {
        let start = self.at + 1;
        let rest = self.json.as_bytes().get(start..).ok_or(Unsupported)?;
        let length = find_escape(rest).ok_or(Unsupported)?;
        if rest[length] != b'"' {
            return self.escaped(length);
        }
        self.at = start + length + 1;
        self.json.get(start..start + length).map(Quoted::Plain).ok_or(Unsupported)
    }

    /// Reads a string whose text begins with `plain` bytes before the first escape.
    #[cold]
    fn escaped(&mut self, plain: usize) -> Result<Quoted<'de>, Unsupported> {
        let (start, mut at) = (self.at, self.at + 1 + plain);
        loop {
            let rest = self.json.as_bytes().get(at..).ok_or(Unsupported)?;
            let length = find_escape(rest).ok_or(Unsupported)?;
            at += length + 1;
            match rest[length] {
                b'"' => break,
                // The escaped byte may be a quotation mark.
                b'\\' => at += 1,
                _ => return Err(Unsupported),
            }
        }
        self.at = at;
        self.json.get(start..at).map(Quoted::Escaped).ok_or(Unsupported)
    }

    /// Skips digits. Fails if there are none.
    fn digits(&mut self) -> Result<(), Unsupported> {
        let digits = self.json.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits == 0 { Err(Unsupported) } else { Ok(()) }
    }

    fn skip_byte(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.json.as_bytes().get(self.at).is_some_and(|byte| bytes.contains(byte));
        self.at += usize::from(is_next);
        is_next
    }
}

/// Parses a JSON string that contains escapes.
pub(super) fn unescape(json: &str) -> Result<String, Unsupported> {
    serde_json::from_str(json).map_err(|_| Unsupported)
}
