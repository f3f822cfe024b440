//! State of an export file: the rows up to the last checkpoint.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use anyhow::Context;
use csv::StringRecord;
use serde::Deserialize;

use super::Format;

/// Contents of an export file.
#[derive(Debug, Default)]
pub(super) struct PartialExport {
    /// Number of rows before the last checkpoint.
    pub(super) rows: u64,
    /// Offset in bytes after the last checkpoint. If the export is incomplete, the
    /// offset before it, because the next stream replaces the checkpoint.
    pub(super) end: u64,
    /// Size of the file in bytes.
    pub(super) length: u64,
    /// Last checkpoint.
    pub(super) checkpoint: Option<Checkpoint>,
}

/// A checkpoint record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum Checkpoint {
    /// More rows follow.
    Continues {
        /// Position after the preceding rows.
        cursor: String,
    },
    /// The export contains all rows.
    Complete,
    /// The gateway ended the export early.
    Incomplete {
        /// Position after the preceding rows, if known.
        cursor: Option<String>,
        /// Reason for the end.
        #[serde(rename = "problem")]
        failure: ExportFailure,
    },
}

/// Reason for an incomplete export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ExportFailure {
    code: String,
    #[serde(default)]
    detail: Option<String>,
}

/// Positions of the columns that describe checkpoints in CSV.
struct CheckpointColumns {
    id: usize,
    status: usize,
    cursor: usize,
    problem: usize,
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

impl PartialExport {
    /// Reads a file. A missing file is an empty export.
    pub(super) fn read(path: &Path, format: Format) -> anyhow::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        let partial = match format {
            Format::Ndjson => Self::from_ndjson(file).map_err(anyhow::Error::from),
            Format::Csv => Self::from_csv(file).map_err(anyhow::Error::from),
        };
        let partial = partial.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { length, ..partial })
    }

    fn from_ndjson(mut file: impl BufRead) -> std::io::Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            export: Checkpoint,
        }
        let (mut partial, mut rows, mut end) = (Self::default(), 0, 0);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let start = end;
            end += line.len() as u64;
            match serde_json::from_slice::<Line>(&line) {
                Ok(Line { export }) => partial = Self::at(export, rows, start, end),
                Err(_) => rows += 1,
            }
            line.clear();
        }
        Ok(partial)
    }

    fn from_csv(file: impl BufRead) -> csv::Result<Self> {
        let mut reader = csv::Reader::from_reader(file);
        let Some(columns) = CheckpointColumns::find(reader.headers()?) else { return Ok(Self::default()) };
        let (mut partial, mut rows) = (Self::default(), 0);
        let mut record = StringRecord::new();
        let mut start = reader.position().byte();
        // A truncated row ends the contents.
        while let Ok(true) = reader.read_record(&mut record) {
            let end = reader.position().byte();
            rows += u64::from(!record.get(columns.id).unwrap_or_default().is_empty());
            if let Some(checkpoint) = columns.checkpoint(&record) {
                partial = Self::at(checkpoint, rows, start, end);
            }
            start = end;
        }
        Ok(partial)
    }

    /// Creates the state at a checkpoint whose record spans `start` to `end`.
    fn at(checkpoint: Checkpoint, rows: u64, start: u64, end: u64) -> Self {
        let end = if matches!(checkpoint, Checkpoint::Incomplete { .. }) { start } else { end };
        Self { rows, end, checkpoint: Some(checkpoint), length: 0 }
    }
}

impl CheckpointColumns {
    fn find(header: &StringRecord) -> Option<Self> {
        let column = |name: &str| header.iter().position(|column| column == name);
        Some(Self {
            id: column("id")?,
            status: column("export.status")?,
            cursor: column("export.cursor")?,
            problem: column("export.problem")?,
        })
    }

    fn checkpoint(&self, record: &StringRecord) -> Option<Checkpoint> {
        let text = |column: usize| record.get(column).unwrap_or_default().to_owned();
        let cursor = text(self.cursor);
        match record.get(self.status)? {
            "continues" => Some(Checkpoint::Continues { cursor }),
            "complete" => Some(Checkpoint::Complete),
            "incomplete" => {
                let failure = ExportFailure { code: text(self.problem), detail: None };
                Some(Checkpoint::Incomplete { cursor: Some(cursor).filter(|cursor| !cursor.is_empty()), failure })
            }
            _ => None,
        }
    }
}
