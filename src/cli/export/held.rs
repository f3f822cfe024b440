//! What of an export a file holds: the rows up to the last mark.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use anyhow::Context;
use csv::StringRecord;
use serde::Deserialize;

use super::Format;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct PartialExport {
    /// How many rows precede the last mark.
    pub(super) rows: u64,
    /// Where in the file they end, in bytes; what follows is not whole.
    pub(super) end: u64,
    /// How long the file is.
    pub(super) length: u64,
    /// The last mark, if there is one.
    pub(super) mark: Option<Checkpoint>,
}

/// Where an export stood.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum Checkpoint {
    /// It went on.
    Continues {
        /// From here.
        cursor: String,
    },
    /// It was over.
    Complete,
    /// It had to end.
    Incomplete {
        /// Here, if it could say so.
        cursor: Option<String>,
        /// Because of this.
        problem: ExportFailure,
    },
}

/// Why an export had to end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ExportFailure {
    code: String,
    #[serde(default)]
    detail: Option<String>,
}

impl std::fmt::Display for ExportFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "the export stopped with `{}`: {detail}", self.code),
            None => write!(f, "the export stopped with `{}`", self.code),
        }
    }
}

impl PartialExport {
    /// Reads a file; one that is not there holds nothing.
    pub(super) fn read(path: &Path, format: Format) -> anyhow::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        let held = match format {
            Format::Ndjson => Self::of_ndjson(file).map_err(anyhow::Error::from),
            Format::Csv => Self::of_csv(file).map_err(anyhow::Error::from),
        };
        let held = held.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { length, ..held })
    }

    fn of_ndjson(mut file: impl BufRead) -> std::io::Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            export: Checkpoint,
        }
        let (mut held, mut rows, mut at) = (Self::default(), 0, 0);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let begin = at;
            at += line.len() as u64;
            match serde_json::from_slice::<Line>(&line) {
                // What comes next takes the place of a mark that ends nothing.
                Ok(Line { export }) => {
                    let end = if matches!(export, Checkpoint::Incomplete { .. }) { begin } else { at };
                    held = Self { rows, end, mark: Some(export), ..held };
                }
                Err(_) => rows += 1,
            }
            line.clear();
        }
        Ok(held)
    }

    fn of_csv(file: impl BufRead) -> csv::Result<Self> {
        let mut reader = csv::Reader::from_reader(file);
        let headers = reader.headers()?.clone();
        let column = |name: &str| headers.iter().position(|header| header == name);
        let marks = ["id", "export.status", "export.cursor", "export.problem"].map(column);
        let [Some(id), Some(status), Some(cursor), Some(problem)] = marks else { return Ok(Self::default()) };
        let (mut held, mut rows) = (Self::default(), 0);
        let mut record = StringRecord::new();
        let mut begin = reader.position().byte();
        // A row that is not whole ends what is held.
        while let Ok(true) = reader.read_record(&mut record) {
            let end = reader.position().byte();
            let text = |column: usize| record.get(column).unwrap_or_default().to_owned();
            rows += u64::from(!text(id).is_empty());
            let mark = match &*text(status) {
                "continues" => Some((end, Checkpoint::Continues { cursor: text(cursor) })),
                "complete" => Some((end, Checkpoint::Complete)),
                "incomplete" => {
                    let problem = ExportFailure { code: text(problem), detail: None };
                    Some((
                        begin,
                        Checkpoint::Incomplete {
                            cursor: Some(text(cursor)).filter(|cursor| !cursor.is_empty()),
                            problem,
                        },
                    ))
                }
                _ => None,
            };
            if let Some((end, mark)) = mark {
                held = Self { rows, end, mark: Some(mark), ..held };
            }
            begin = end;
        }
        Ok(held)
    }
}
