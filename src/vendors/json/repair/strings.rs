//! Repair of strings.

use super::{Fault, Repairer};

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Repairer<'_> {
    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<(), Fault> {
        self.push_ascii();
        let mut is_clean = true;
        loop {
            let rest = &self.body[self.at..];
            let plain = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
            let plain = &rest[..plain.ok_or(Fault::Truncated)?];
            for chunk in plain.utf8_chunks() {
                self.out.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    self.out.push(char::REPLACEMENT_CHARACTER);
                    is_clean = false;
                }
            }
            self.at += plain.len();
            match self.body[self.at] {
                b'"' => break,
                b'\\' => is_clean &= self.escape()?,
                control => {
                    self.out.push_str("\\u00");
                    self.out.extend([control >> 4, control & 15].map(|digit| char::from(HEX[usize::from(digit)])));
                    self.at += 1;
                    is_clean = false;
                }
            }
        }
        self.push_ascii();
        if !is_clean {
            self.count();
        }
        Ok(())
    }

    /// Reads an escape sequence. Returns false if it was replaced.
    fn escape(&mut self) -> Result<bool, Fault> {
        let length = match self.body.get(self.at + 1).ok_or(Fault::Truncated)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
            b'u' => match self.code_unit(self.at) {
                Some(0xD800..=0xDBFF) => matches!(self.code_unit(self.at + 6), Some(0xDC00..=0xDFFF)).then_some(12),
                Some(0xDC00..=0xDFFF) => None,
                Some(_) => Some(6),
                // The backslash is replaced, and the rest is read as text.
                None => return Ok(self.replace(1)),
            },
            _ => return Ok(self.replace(1)),
        };
        let Some(length) = length else { return Ok(self.replace(6)) };
        for _ in 0..length {
            self.push_ascii();
        }
        Ok(true)
    }

    /// Returns the code unit of the escape sequence at an offset.
    fn code_unit(&self, at: usize) -> Option<u16> {
        let digits = self.body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_hex)?, 16).ok()
    }

    fn replace(&mut self, length: usize) -> bool {
        self.out.push(char::REPLACEMENT_CHARACTER);
        self.at += length;
        false
    }
}
