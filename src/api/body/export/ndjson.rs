//! Newline-delimited JSON: one line per row, and one line per checkpoint. The
//! only member of a checkpoint line is `export`.
//!
//! No line contains a character that a reader may take for a line break. JSON
//! escapes control characters below U+0020 in strings. U+0085, U+2028 and U+2029
//! are escaped here: Python's `str.splitlines` and the Unicode newline
//! guidelines (UAX 14, class BK and NL) end lines there.

use bytes::Bytes;
use memchr::memchr2;
use serde::Serialize;

use crate::{
    api::body::export::{Checkpoint, RowWriter},
    directory::ExportPage,
};

#[derive(Serialize)]
struct CheckpointLine<'c> {
    export: &'c Checkpoint<'c>,
}

/// Writes the rows of a page and the checkpoint after it, if any.
pub(super) fn page(rows: &RowWriter, page: &ExportPage, checkpoint: Option<&Checkpoint<'_>>) -> Bytes {
    let records: usize = page.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut lines = Vec::with_capacity(records + 512);
    for segment in &page.segments {
        for index in segment.records.clone() {
            let start = lines.len();
            lines.extend_from_slice(&rows.json(&segment.page, index));
            // The vendor's own object may contain line breaks. JSON escapes line
            // breaks in strings, so each raw line break is white space.
            if rows.has_raw() {
                lines[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
            }
            lines.push(b'\n');
        }
    }
    if let Some(checkpoint) = checkpoint {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut lines, &CheckpointLine { export: checkpoint });
        lines.push(b'\n');
    }
    escape_line_breaks(lines).into()
}

/// Escapes U+0085, U+2028 and U+2029, which JSON text contains in strings only.
fn escape_line_breaks(text: Vec<u8>) -> Vec<u8> {
    let mut escaped = Vec::new();
    let (mut copied, mut position) = (0, 0);
    // First bytes of the characters in UTF-8.
    while let Some(found) = memchr2(0xc2, 0xe2, &text[position..]) {
        let start = position + found;
        let (length, escape): (_, &[u8]) = match &text[start..] {
            [0xc2, 0x85, ..] => (2, br"\u0085"),
            [0xe2, 0x80, 0xa8, ..] => (3, br"\u2028"),
            [0xe2, 0x80, 0xa9, ..] => (3, br"\u2029"),
            _ => {
                position = start + 1;
                continue;
            }
        };
        escaped.extend_from_slice(&text[copied..start]);
        escaped.extend_from_slice(escape);
        position = start + length;
        copied = position;
    }
    if copied == 0 {
        return text;
    }
    escaped.extend_from_slice(&text[copied..]);
    escaped
}
