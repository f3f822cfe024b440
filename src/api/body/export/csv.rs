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
    api::{body::export::Checkpoint, parameters::Marks},
    directory::{ExportPage, SourceOutcome},
    domain::{query::ListQuery, record::RecordFields},
};

/// Writes the header.
pub(super) fn header(query: &ListQuery, marks: Marks) -> Bytes {
    let checkpoint = if marks == Marks::All { &CheckpointCells::COLUMNS[..] } else { &[] };
    write(|writer| writer.write_record(columns(query).chain(checkpoint.iter().copied())))
}

/// Writes the rows of a page and its checkpoint. Without a checkpoint, the rows
/// have no checkpoint columns.
pub(super) fn page(query: &ListQuery, page: &ExportPage, checkpoint: Option<&Checkpoint<'_>>) -> Bytes {
    let Some(checkpoint) = checkpoint else { return rows(query, page) };
    let width = columns(query).count();
    let rows: Vec<_> = page
        .segments
        .iter()
        .flat_map(|segment| segment.records.clone().map(|index| segment.page.json(index)))
        .collect();
    let cells = CheckpointCells::new(page, checkpoint);
    write(|writer| {
        for (index, row) in rows.iter().enumerate() {
            let row: Value = serde_json::from_slice(row).unwrap_or_default();
            let has_checkpoint = index + 1 == rows.len() && !checkpoint.is_last();
            let checkpoint = if has_checkpoint { cells.clone() } else { CheckpointCells::default() };
            writer.write_record(columns(query).map(|column| cell(&row, column)).chain(checkpoint.into_row()))?;
        }
        if checkpoint.is_last() || rows.is_empty() {
            writer.write_record(std::iter::repeat_n(String::new(), width).chain(cells.into_row()))?;
        }
        Ok(())
    })
}

/// Writes the rows of a page without checkpoint columns.
fn rows(query: &ListQuery, page: &ExportPage) -> Bytes {
    write(|writer| {
        for segment in &page.segments {
            for index in segment.records.clone() {
                let row: Value = serde_json::from_slice(segment.page.json(index)).unwrap_or_default();
                writer.write_record(columns(query).map(|column| cell(&row, column)))?;
            }
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

/// Returns the columns of a row, including the columns of expanded objects.
fn columns(query: &ListQuery) -> impl Iterator<Item = &'static str> {
    RecordFields::get(query.resource).paths(&query.shape)
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
