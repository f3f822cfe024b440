//! Repair of a JSON body that has bad values.
//!
//! The structure of the body must be JSON. Each bad value is repaired by
//! itself:
//!
//! | In the body | In the repaired text |
//! |---|---|
//! | Lone surrogate, invalid escape, invalid UTF-8 | U+FFFD |
//! | Raw control character in a string | The character, escaped |
//! | Repeated name in an object | The last member |
//! | Number beyond a float, `NaN`, other bare words | [`LOST`] |
//! | Container below `MAX_DEPTH` | [`LOST`] |
//! | Byte order mark, padding after the document | Nothing |

mod lost;
mod strings;

use std::ops::Range;

use super::{
    super::VendorError,
    members::{Container, Members, Replaced},
};

/// Placeholder of a value that is not JSON. Scalars and objects read an array as
/// unreadable, and lists compare the text. The text appears in repaired JSON only
/// as the placeholder: other empty arrays have no content, and a string has no
/// raw tab.
pub(in crate::vendors) const LOST: &str = "[\t\r\t]";

/// Maximum depth of containers. It is below the recursion limit of `serde_json`.
const MAX_DEPTH: usize = 100;
/// Maximum number of members in the objects around a value. A member takes more than ten
/// times its length in memory.
const MAX_MEMBERS: usize = 50_000;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Number of repairs of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::vendors) struct Repairs {
    /// Repaired strings and replaced members.
    pub(in crate::vendors) values: u32,
    /// Rows in replaced lists.
    pub(in crate::vendors) rows: u32,
    /// Placeholders. A field type counts the placeholders that it reads.
    pub(in crate::vendors) lost: u32,
}

/// Returns the body as valid JSON.
pub(in crate::vendors) fn repair(body: &[u8]) -> Result<(String, Repairs), VendorError> {
    let repairer = Repairer {
        body,
        at: 0,
        out: String::with_capacity(body.len()),
        open: Vec::new(),
        open_members: 0,
        replaced: Vec::new(),
        repairs: Repairs::default(),
    };
    repairer.run().map_err(|fault| {
        VendorError::Unreadable(match fault {
            Fault::Truncated => "the body is truncated".to_owned(),
            Fault::TooManyMembers => format!("the objects around a value have more than {MAX_MEMBERS} members"),
            Fault::Syntax(at) => {
                let lines = body[..at].split(|&byte| byte == b'\n');
                let column = 1 + lines.clone().next_back().map_or(0, <[u8]>::len);
                let line = lines.count();
                format!("the body is not JSON (line {line}, column {column})")
            }
        })
    })
}

struct Repairer<'b> {
    body: &'b [u8],
    at: usize,
    out: String,
    open: Vec<Container>,
    /// Number of members in the open objects.
    open_members: usize,
    /// Members to remove from the output.
    replaced: Vec<Range<usize>>,
    repairs: Repairs,
}

/// A fault in the structure of a body.
enum Fault {
    /// The body ends within the document.
    Truncated,
    /// The byte at this offset is not JSON.
    Syntax(usize),
    /// The objects have more than `MAX_MEMBERS` members.
    TooManyMembers,
}

impl Repairer<'_> {
    fn run(mut self) -> Result<(String, Repairs), Fault> {
        self.skip_padding(false);
        loop {
            if self.value()? {
                continue;
            }
            while let Some(container) = self.open.last() {
                let end = container.end();
                self.copy_whitespace();
                match self.peek()? {
                    b',' => {
                        self.push_ascii();
                        if end == b'}' {
                            self.name()?;
                        }
                        break;
                    }
                    byte if byte == end => self.close(),
                    _ => return Err(Fault::Syntax(self.at)),
                }
            }
            if self.open.is_empty() {
                self.skip_padding(true);
                return if self.at == self.body.len() { Ok(self.finish()) } else { Err(Fault::Syntax(self.at)) };
            }
        }
    }

    /// Reads a value. Returns true if a value follows inside it.
    fn value(&mut self) -> Result<bool, Fault> {
        self.copy_whitespace();
        match self.peek()? {
            b'{' | b'[' if self.open.len() >= MAX_DEPTH => self.skip_container().map(|()| false),
            b'{' => self.begin(Container::Object(Members::default())),
            b'[' => self.begin(Container::Array(0)),
            b'"' => self.string().map(|()| false),
            b',' | b':' | b']' | b'}' => Err(Fault::Syntax(self.at)),
            _ => {
                self.word();
                Ok(false)
            }
        }
    }

    fn begin(&mut self, container: Container) -> Result<bool, Fault> {
        self.push_ascii();
        let (end, start) = (container.end(), self.out.len());
        self.open.push(container);
        self.copy_whitespace();
        if self.peek()? == end {
            self.out.truncate(start);
            self.close();
            return Ok(false);
        }
        if end == b'}' {
            self.name()?;
        }
        Ok(true)
    }

    fn close(&mut self) {
        self.push_ascii();
        let depth = self.open.len();
        let Some(closed) = self.open.pop() else { return };
        self.open_members -= closed.member_count();
        if let Some(parent) = self.open.last_mut() {
            parent.record(&closed, depth);
        }
    }

    /// Reads the name of a member, with its colon.
    fn name(&mut self) -> Result<(), Fault> {
        let start = self.out.len();
        self.copy_whitespace();
        let name_start = self.out.len();
        if self.peek()? != b'"' {
            return Err(Fault::Syntax(self.at));
        }
        self.string()?;
        self.open_members += 1;
        if self.open_members > MAX_MEMBERS {
            return Err(Fault::TooManyMembers);
        }
        let name = serde_json::from_str(&self.out[name_start..]).unwrap_or_default();
        if let Some(Container::Object(members)) = self.open.last_mut()
            && let Some(Replaced { range, rows }) = members.insert(name, start)
        {
            self.replaced.push(range);
            self.repairs.rows = self.repairs.rows.saturating_add(rows);
            self.count();
        }
        self.copy_whitespace();
        if self.peek()? != b':' {
            return Err(Fault::Syntax(self.at));
        }
        self.push_ascii();
        Ok(())
    }

    fn count(&mut self) {
        self.repairs.values = self.repairs.values.saturating_add(1);
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.body.get(self.at).copied().ok_or(Fault::Truncated)
    }

    /// Copies a byte that is known to be ASCII.
    fn push_ascii(&mut self) {
        self.out.push(char::from(self.body[self.at]));
        self.at += 1;
    }

    fn copy_whitespace(&mut self) {
        while self.body.get(self.at).copied().is_some_and(is_whitespace) {
            self.push_ascii();
        }
    }

    /// Skips byte order marks and whitespace around the document. NUL bytes
    /// after the document are padding.
    fn skip_padding(&mut self, allows_nul: bool) {
        loop {
            let rest = &self.body[self.at..];
            let length = match rest.first() {
                _ if rest.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
                Some(&byte) if is_whitespace(byte) || (allows_nul && byte == 0) => 1,
                _ => return,
            };
            self.at += length;
        }
    }

    /// Removes the replaced members from the output.
    fn finish(mut self) -> (String, Repairs) {
        if self.replaced.is_empty() {
            return (self.out, self.repairs);
        }
        self.replaced.sort_unstable_by_key(|range| range.start);
        let mut text = String::with_capacity(self.out.len());
        let mut copied = 0;
        for range in self.replaced {
            if copied < range.start {
                text.push_str(&self.out[copied..range.start]);
            }
            // A replaced member may contain other replaced members.
            copied = copied.max(range.end);
        }
        text.push_str(&self.out[copied..]);
        (text, self.repairs)
    }
}

fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests;
