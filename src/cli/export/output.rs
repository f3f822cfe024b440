//! Output of an export: a file that can be resumed, or standard output.

use std::{
    io::{BufWriter, Stdout, Write},
    path::Path,
};

use anyhow::Context;

use super::{output_file::OutputFile, state::ExportState};

/// Destination of the rows.
pub(super) enum Output {
    /// Standard output.
    Stdout {
        writer: BufWriter<Stdout>,
        /// Number of rows written.
        rows: u64,
    },
    /// A file with a state beside it.
    File(Box<OutputFile>),
}

impl Output {
    pub(super) fn stdout() -> Self {
        Self::Stdout { writer: BufWriter::new(std::io::stdout()), rows: 0 }
    }

    /// Checks a path for an export that starts as `initial`, or that resumes an
    /// earlier run of the same export. Changes no file.
    pub(super) fn file(path: &Path, initial: ExportState, overwrite: bool) -> anyhow::Result<Self> {
        Ok(Self::File(Box::new(OutputFile::prepare(path, initial, overwrite)?)))
    }

    pub(super) fn write_header(&mut self, header: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Stdout { writer, .. } => Ok(writer.write_all(header)?),
            Self::File(file) => file.write_header(header),
        }
        .with_context(|| self.failure())
    }

    pub(super) fn write_row(&mut self, row: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Stdout { writer, rows } => {
                *rows += 1;
                writer.write_all(row).map_err(anyhow::Error::from)
            }
            Self::File(file) => file.write_row(row),
        }
        .with_context(|| self.failure())
    }

    /// Records a checkpoint after the rows written so far.
    pub(super) fn save(&mut self, cursor: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout { writer, .. } => Ok(writer.flush()?),
            Self::File(file) => file.save(cursor),
        }
        .with_context(|| self.failure())
    }

    /// Ends a complete export, and removes its state.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Stdout { writer, .. } => Ok(writer.flush()?),
            Self::File(file) => file.finish(),
        }
        .with_context(|| self.failure())
    }

    /// Discards the rows after the last checkpoint. Standard output keeps them.
    pub(super) fn rewind(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Stdout { writer, .. } => Ok(writer.flush()?),
            Self::File(file) => file.rewind(),
        }
        .with_context(|| self.failure())
    }

    /// Returns the state at the last checkpoint, if the export can be resumed.
    pub(super) fn state(&self) -> Option<&ExportState> {
        match self {
            Self::Stdout { .. } => None,
            Self::File(file) => Some(file.state()),
        }
    }

    /// Returns the number of rows.
    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Stdout { rows, .. } => *rows,
            Self::File(file) => file.rows(),
        }
    }

    /// Describes an incomplete output and its remedy.
    pub(super) fn remedy(&self) -> String {
        let rows = self.rows();
        match self {
            Self::Stdout { .. } => format!("{self} contains {rows} rows and cannot be resumed"),
            Self::File(_) => format!("{self} contains {rows} rows, run the same command again to resume"),
        }
    }

    fn failure(&self) -> String {
        format!("cannot write {self}")
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout { .. } => f.write_str("standard output"),
            Self::File(file) => file.path().display().fmt(f),
        }
    }
}
