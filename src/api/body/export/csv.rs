//! CSV (RFC 4180): a header, and one line per row.
//!
//! Members of objects are separate columns (`referral.partner_id`), lists are
//! joined by semicolons, and null is empty. The checkpoint columns come last.
//! They are filled in the last row of each page. The last checkpoint, and the
//! checkpoint of a page without rows, have a row of their own without an `id`.
//! [`Marks::None`] omits the columns.

use ::csv::{Terminator, Writer, WriterBuilder};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    api::{
        body::export::{Checkpoint, RowWriter},
        parameters::Marks,
    },
    directory::{ExportPage, SourceOutcome},
};

/// Writes the header.
pub(super) fn header(rows: &RowWriter, marks: Marks) -> Bytes {
    let checkpoint = if marks == Marks::All { &CheckpointCells::COLUMNS[..] } else { &[] };
    write(|writer| writer.write_record(rows.columns().into_iter().chain(checkpoint.iter().copied())))
}

/// Writes the rows of a page and its checkpoint. Without a checkpoint, the rows
/// have no checkpoint columns.
pub(super) fn page(rows: &RowWriter, page: &ExportPage, checkpoint: Option<&Checkpoint<'_>>) -> Bytes {
    let columns = rows.columns();
    let records = page.segments.iter().flat_map(|segment| segment.records.clone().map(move |index| (segment, index)));
    let cells = checkpoint.map(|checkpoint| CheckpointCells::new(page, checkpoint));
    let is_last = checkpoint.is_some_and(Checkpoint::is_last);
    write(|writer| {
        let mut records = records.peekable();
        let is_empty = records.peek().is_none();
        while let Some((segment, index)) = records.next() {
            let row: Value = serde_json::from_slice(&rows.json(&segment.page, index)).unwrap_or_default();
            let has_checkpoint = records.peek().is_none() && !is_last;
            let checkpoint =
                cells.as_ref().map(|cells| if has_checkpoint { cells.clone() } else { CheckpointCells::default() });
            let checkpoint = checkpoint.into_iter().flat_map(CheckpointCells::into_row);
            writer.write_record(columns.iter().map(|column| cell(&row, column)).chain(checkpoint))?;
        }
        if let Some(cells) = cells
            && (is_last || is_empty)
        {
            writer.write_record(std::iter::repeat_n(String::new(), columns.len()).chain(cells.into_row()))?;
        }
        Ok(())
    })
}

/// Values of the checkpoint columns. All are empty in a row without a checkpoint.
#[derive(Debug, Clone, Default)]
struct CheckpointCells {
    status: String,
    count: String,
    cursor: String,
    problem: String,
    omitted: String,
}

impl CheckpointCells {
    const COLUMNS: [&'static str; 5] =
        ["export.status", "export.count", "export.cursor", "export.problem", "export.omitted"];

    fn new(page: &ExportPage, checkpoint: &Checkpoint<'_>) -> Self {
        let problem = checkpoint.problem.as_ref().map(|problem| problem.code().to_owned());
        Self {
            status: checkpoint.status.name().to_owned(),
            count: checkpoint.count.to_string(),
            cursor: checkpoint.cursor.clone().unwrap_or_default(),
            problem: problem.unwrap_or_default(),
            omitted: if checkpoint.is_last() { omitted(page) } else { String::new() },
        }
    }

    /// Returns the values in the order of `COLUMNS`.
    fn into_row(self) -> [String; 5] {
        let Self { status, count, cursor, problem, omitted } = self;
        [status, count, cursor, problem, omitted]
    }
}

/// Returns the names of the connections with missing rows.
fn omitted(page: &ExportPage) -> String {
    let is_omitted = |outcome: &SourceOutcome| match outcome {
        SourceOutcome::Failed(_) | SourceOutcome::Skipped(_) => true,
        SourceOutcome::Answered { shortfall, unserved, .. } => shortfall.is_some() || unserved.has_content(),
        SourceOutcome::NotAsked => false,
    };
    let sources = page.sources.iter().filter(|source| is_omitted(&source.outcome));
    sources.map(|source| source.connection.as_str()).collect::<Vec<_>>().join(";")
}

fn cell(row: &Value, column: &str) -> String {
    let value = column.split('.').try_fold(row, |value, member| value.get(member));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            items.collect::<Vec<_>>().join(";")
        }
        Some(other) => other.to_string(),
    }
}

/// Collects records in memory, where writing does not fail.
fn write(records: impl FnOnce(&mut Writer<Vec<u8>>) -> ::csv::Result<()>) -> Bytes {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let _ = records(&mut writer);
    writer.into_inner().unwrap_or_default().into()
}
