//! Strings, numbers and skipped values.

use serde::de::{IgnoredAny, Visitor};

use super::{Reader, Unsupported};
use crate::domain::json::find_escape;

impl<'de> Reader<'de> {
    /// Reads a string.
    pub(super) fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unsupported> {
        let (json, is_escaped) = self.quoted()?;
        if is_escaped {
            let string: String = serde_json::from_str(json).map_err(|_| Unsupported)?;
            return visitor.visit_string(string);
        }
        visitor.visit_borrowed_str(&json[1..json.len() - 1])
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
            b'"' => {
                let (json, is_escaped) = self.quoted()?;
                let is_valid = !is_escaped || serde_json::from_str::<IgnoredAny>(json).is_ok();
                if is_valid { Ok(()) } else { Err(Unsupported) }
            }
            b'n' => self.expect("null"),
            b't' => self.expect("true"),
            b'f' => self.expect("false"),
            _ => self.number().map(|_| ()),
        }
    }

    /// Reads a string. Returns its JSON, and whether it contains escapes.
    fn quoted(&mut self) -> Result<(&'de str, bool), Unsupported> {
        let (start, bytes) = (self.at, self.json.as_bytes());
        let (mut at, mut is_escaped) = (start + 1, false);
        loop {
            let rest = bytes.get(at..).ok_or(Unsupported)?;
            let found = find_escape(rest).ok_or(Unsupported)?;
            at += found + 1;
            match rest[found] {
                b'"' => break,
                // The escaped byte may be a quotation mark.
                b'\\' => (at, is_escaped) = (at + 1, true),
                _ => return Err(Unsupported),
            }
        }
        self.at = at;
        self.json.get(start..at).map(|json| (json, is_escaped)).ok_or(Unsupported)
    }

    /// Skips digits, of which there must be one.
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
