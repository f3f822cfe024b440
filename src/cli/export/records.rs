//! Records of an export stream: rows, and the checkpoints between them.

use anyhow::{Context, bail, ensure};
use csv::ByteRecord;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::Format;

/// Maximum length of a record in bytes. A vendor response has at most 8 MiB.
const MAX_RECORD: usize = 64 << 20;
const NOT_AN_EXPORT: &str = "the response is not an export; is --url a customer gateway?";

/// A part of an export stream.
#[derive(Debug, PartialEq)]
pub(super) enum Record {
    /// Header of a table, with its line break.
    Header(Vec<u8>),
    /// Row, with its line break.
    Row(Vec<u8>),
    /// Checkpoint after the preceding rows.
    Checkpoint(Checkpoint),
}

/// State of an export after the preceding rows.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum Checkpoint {
    /// More rows follow.
    Continues {
        /// Position after the preceding rows.
        cursor: String,
    },
    /// The stream contains all rows.
    Complete {
        /// Contribution of each connection.
        #[serde(default)]
        sources: Vec<Source>,
    },
    /// The gateway ended the export early.
    Incomplete {
        /// Position after the preceding rows, if known.
        cursor: Option<String>,
        /// Reason for the end.
        #[serde(rename = "problem")]
        failure: ExportFailure,
    },
}

/// Contribution of a connection.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Source {
    connection: String,
    status: String,
}

/// Reason for an incomplete export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ExportFailure {
    code: String,
    #[serde(default)]
    detail: Option<String>,
}

/// Parser of a stream that arrives in chunks.
pub(super) struct RecordParser {
    format: Format,
    /// Received bytes without a complete record.
    buffer: Vec<u8>,
    /// Number of bytes of `buffer` that contain no end of a record.
    scanned: usize,
    is_quoted: bool,
    columns: Option<Columns>,
}

/// Columns of a CSV stream.
struct Columns {
    count: usize,
    id: usize,
    status: usize,
    cursor: usize,
    problem: usize,
    omitted: Option<usize>,
    /// Columns of the table: all except those of checkpoints.
    kept: Vec<usize>,
}

impl std::fmt::Display for ExportFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the export ended with `{}`", self.code)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Source {
    /// Returns the name of a connection that contributed no rows.
    pub(super) fn omitted(&self) -> Option<&str> {
        matches!(&*self.status, "failed" | "skipped").then_some(&self.connection)
    }
}

impl RecordParser {
    pub(super) fn new(format: Format) -> Self {
        Self { format, buffer: Vec::new(), scanned: 0, is_quoted: false, columns: None }
    }

    /// Parses the records that a chunk completes. An incomplete last record is kept
    /// until the next chunk.
    pub(super) fn push(&mut self, chunk: &[u8]) -> anyhow::Result<Vec<Record>> {
        self.buffer.extend_from_slice(chunk);
        let (mut records, mut start) = (Vec::new(), 0);
        while let Some(end) = self.find_end() {
            let record = self.buffer[start..end].to_vec();
            start = end;
            match self.format {
                Format::Ndjson => records.push(ndjson_record(record)?),
                Format::Csv => self.parse_csv(&record, &mut records)?,
            }
        }
        self.buffer.drain(..start);
        self.scanned -= start;
        ensure!(
            self.buffer.len() <= MAX_RECORD,
            "a record exceeds {} MiB; is --url a customer gateway?",
            MAX_RECORD >> 20
        );
        Ok(records)
    }

    /// Returns the offset after the next line break that ends a record. A line break
    /// in a quoted CSV value ends none.
    fn find_end(&mut self) -> Option<usize> {
        while let Some(&byte) = self.buffer.get(self.scanned) {
            self.scanned += 1;
            match byte {
                b'"' if self.format == Format::Csv => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => return Some(self.scanned),
                _ => {}
            }
        }
        None
    }

    fn parse_csv(&mut self, line: &[u8], records: &mut Vec<Record>) -> anyhow::Result<()> {
        let mut record = ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
        if !reader.read_byte_record(&mut record)? {
            return Ok(());
        }
        let Some(columns) = &self.columns else {
            let columns = Columns::find(&record).context(NOT_AN_EXPORT)?;
            records.push(Record::Header(columns.row(&record)?));
            self.columns = Some(columns);
            return Ok(());
        };
        ensure!(record.len() == columns.count, "a row has {} columns instead of {}", record.len(), columns.count);
        if !record[columns.id].is_empty() {
            records.push(Record::Row(columns.row(&record)?));
        }
        records.extend(columns.checkpoint(&record)?.map(Record::Checkpoint));
        Ok(())
    }
}

impl Columns {
    fn find(header: &ByteRecord) -> Option<Self> {
        let column = |name: &str| header.iter().position(|column| column == name.as_bytes());
        let kept = header.iter().enumerate().filter(|(_, name)| !name.starts_with(b"export."));
        Some(Self {
            count: header.len(),
            id: column("id")?,
            status: column("export.status")?,
            cursor: column("export.cursor")?,
            problem: column("export.problem")?,
            omitted: column("export.omitted"),
            kept: kept.map(|(index, _)| index).collect(),
        })
    }

    /// Writes the columns of the table as a line.
    fn row(&self, record: &ByteRecord) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(self.kept.iter().map(|index| &record[*index]))?;
        Ok(writer.into_inner()?)
    }

    fn checkpoint(&self, record: &ByteRecord) -> anyhow::Result<Option<Checkpoint>> {
        let text = |column: usize| String::from_utf8_lossy(&record[column]).into_owned();
        let cursor = text(self.cursor);
        Ok(Some(match &record[self.status] {
            b"" => return Ok(None),
            b"continues" => Checkpoint::Continues { cursor },
            b"complete" => {
                let omitted = self.omitted.map(text).unwrap_or_default();
                let names = omitted.split(';').filter(|name| !name.is_empty());
                let source = |name: &str| Source { connection: name.to_owned(), status: "skipped".to_owned() };
                Checkpoint::Complete { sources: names.map(source).collect() }
            }
            b"incomplete" => {
                let failure = ExportFailure { code: text(self.problem), detail: None };
                Checkpoint::Incomplete { cursor: Some(cursor).filter(|cursor| !cursor.is_empty()), failure }
            }
            other => bail!("the gateway sent the unknown status `{}`", String::from_utf8_lossy(other)),
        }))
    }
}

fn ndjson_record(line: Vec<u8>) -> anyhow::Result<Record> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        export: Value,
    }
    if let Ok(Line { export }) = serde_json::from_slice(&line) {
        return Ok(Record::Checkpoint(
            serde_json::from_value(export).context("the gateway sent an unknown checkpoint")?,
        ));
    }
    ensure!(line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&line).is_ok(), NOT_AN_EXPORT);
    Ok(Record::Row(line))
}
