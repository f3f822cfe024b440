//! Newline-delimited JSON: one line per row, and one line per checkpoint. The
//! only member of a checkpoint line is `export`.

use bytes::Bytes;
use serde::Serialize;

use crate::{api::body::export::Checkpoint, directory::ExportPage, domain::query::ListQuery};

#[derive(Serialize)]
struct CheckpointLine<'c> {
    export: &'c Checkpoint<'c>,
}

/// Writes the rows of a page and the checkpoint after it, if any.
pub(super) fn page(query: &ListQuery, page: &ExportPage, checkpoint: Option<&Checkpoint<'_>>) -> Bytes {
    let records: usize = page.segments.iter().map(|segment| segment.json().len() + 1).sum();
    let mut lines = Vec::with_capacity(records + 512);
    for segment in &page.segments {
        for index in segment.records.clone() {
            let start = lines.len();
            lines.extend_from_slice(segment.page.json(index));
            // The vendor's own object may contain line breaks. JSON escapes line
            // breaks in strings, so each raw line break is white space.
            if query.shape.raw {
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
    lines.into()
}
