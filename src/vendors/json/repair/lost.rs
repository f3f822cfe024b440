//! Values that have no place in JSON, or are too deep.

use super::{Fault, LOST, Repairer, is_whitespace};

impl Repairer<'_> {
    /// Reads a literal, a number or another bare word.
    pub(super) fn word(&mut self) {
        let rest = &self.body[self.at..];
        let is_end = |byte: &u8| matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}' | b'"') || is_whitespace(*byte);
        let word = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        let value =
            std::str::from_utf8(word).ok().filter(|word| serde_json::from_str::<serde_json::Value>(word).is_ok());
        match value {
            Some(value) => self.out.push_str(value),
            None => self.lose(),
        }
    }

    fn lose(&mut self) {
        self.out.push_str(LOST);
        self.repairs.lost = self.repairs.lost.saturating_add(1);
    }

    /// Skips a container that is too deep.
    pub(super) fn skip_container(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => {
                    let (start, repairs) = (self.out.len(), self.repairs);
                    self.string()?;
                    self.out.truncate(start);
                    self.repairs = repairs;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                self.lose();
                return Ok(());
            }
        }
    }
}
