//! A line of comma-separated values for each row (RFC 4180), under a header.
//!
//! Members of objects are columns of their own (`referral.partner_id`), lists
//! are joined by semicolons, and null is empty. The last columns are the marks:
//! filled in the last row of each page, and in a row of their own (which has no
//! `id`) at the end, and where a page has no rows.

use ::csv::Writer;
use bytes::Bytes;
use serde_json::Value;

use crate::{
    api::body::export::{Checkpoint, omitted},
    directory::ExportPage,
    domain::{query::ListQuery, record::RecordFields},
};

const MARKS: &[&str] = &["export.status", "export.count", "export.cursor", "export.problem", "export.omitted"];

fn columns(question: &ListQuery) -> impl Iterator<Item = &'static str> {
    RecordFields::get(question.resource).paths(&question.shape)
}

/// The header.
pub(super) fn head(question: &ListQuery) -> Bytes {
    written(|writer| writer.write_record(columns(question).chain(MARKS.iter().copied())))
}

/// The rows of a page, and its mark.
pub(super) fn page(question: &ListQuery, page: &ExportPage, mark: &Checkpoint<'_>) -> Bytes {
    let width = columns(question).count();
    let rows: Vec<_> = page
        .segments
        .iter()
        .flat_map(|segment| segment.records.clone().map(|index| segment.page.json(index)))
        .collect();
    written(|writer| {
        for (at, row) in rows.iter().enumerate() {
            let row: Value = serde_json::from_slice(row).unwrap_or_default();
            let cells = columns(question).map(|column| cell(&row, column));
            let is_marked = at + 1 == rows.len() && !mark.is_end();
            writer.write_record(cells.chain(if is_marked { marks(page, mark) } else { Default::default() }))?;
        }
        if mark.is_end() || rows.is_empty() {
            writer.write_record(std::iter::repeat_n(String::new(), width).chain(marks(page, mark)))?;
        }
        Ok(())
    })
}

fn marks(page: &ExportPage, mark: &Checkpoint<'_>) -> [String; 5] {
    let problem = mark.problem.as_ref().map(|problem| problem.code().to_owned());
    [
        mark.status.to_owned(),
        mark.count.to_string(),
        mark.cursor.clone().unwrap_or_default(),
        problem.unwrap_or_default(),
        if mark.is_end() { omitted(page).collect::<Vec<_>>().join(";") } else { String::new() },
    ]
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

/// What is written to memory, where no write fails.
fn written(write: impl FnOnce(&mut Writer<Vec<u8>>) -> ::csv::Result<()>) -> Bytes {
    let mut writer = Writer::from_writer(Vec::new());
    let _ = write(&mut writer);
    writer.into_inner().unwrap_or_default().into()
}
