//! A line of JSON for each row, and one for each mark: an object whose only
//! member is `export`.

use bytes::Bytes;
use serde::Serialize;

use crate::{api::body::export::Checkpoint, directory::ExportPage, domain::query::ListQuery};

#[derive(Serialize)]
struct Line<'m> {
    export: &'m Checkpoint<'m>,
}

/// The lines of a page and its mark.
pub(super) fn page(question: &ListQuery, page: &ExportPage, mark: &Checkpoint<'_>) -> Bytes {
    let records: usize = page.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut lines = Vec::with_capacity(records + 512);
    for segment in &page.segments {
        for index in segment.records.clone() {
            let start = lines.len();
            lines.extend_from_slice(segment.page.json(index));
            // A vendor's own object may be laid out in lines. Within JSON a
            // break is white space: in text it is escaped.
            if question.shape.raw {
                lines[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
            }
            lines.push(b'\n');
        }
    }
    // An unfinished write to memory is not possible.
    let _ = serde_json::to_writer(&mut lines, &Line { export: mark });
    lines.push(b'\n');
    lines.into()
}
