//! A line of JSON for each row, and one for each mark: an object whose only
//! member is `export`.

use bytes::Bytes;
use serde::Serialize;

use crate::directory::ExportPage;

use super::Mark;

#[derive(Serialize)]
struct Line<'m> {
    export: &'m Mark,
}

/// The lines of a page and its mark.
pub(super) fn page(page: &ExportPage, mark: &Mark) -> Bytes {
    let records: usize = page.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut lines = Vec::with_capacity(records + 512);
    for segment in &page.segments {
        // Records are kept without a line break in them.
        for index in segment.records.clone() {
            lines.extend_from_slice(segment.entry.page.json(index));
            lines.push(b'\n');
        }
    }
    // An unfinished write to memory is not possible.
    let _ = serde_json::to_writer(&mut lines, &Line { export: mark });
    lines.push(b'\n');
    lines.into()
}
