//! Output file of an export, and the state of the export beside it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::state::{ExportState, StateFile};

/// A file and the state of its export.
pub(super) struct OutputFile {
    path: PathBuf,
    state_file: StateFile,
    state: ExportState,
    start: Start,
    /// Open after the gateway has accepted the export.
    file: Option<BufWriter<File>>,
    /// Size of the file, including rows after the last checkpoint.
    length: u64,
    /// Number of rows, including rows after the last checkpoint.
    rows: u64,
}

/// Start of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Creates the file.
    New,
    /// Replaces the file.
    Overwrite,
    /// Continues at the last checkpoint.
    Resume,
}

impl OutputFile {
    /// Checks a path for an export that starts as `initial`, or that resumes an
    /// earlier run of the same export. Changes no file.
    pub(super) fn prepare(path: &Path, initial: ExportState, overwrite: bool) -> anyhow::Result<Self> {
        let shown = path.display();
        let length = match path.metadata() {
            Ok(metadata) if metadata.is_file() => Some(metadata.len()),
            Ok(_) => bail!("{shown} is not a regular file; pass `--output -` for standard output"),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
        };
        let state_file = StateFile::beside(path);
        let stored = if overwrite { None } else { state_file.read()? };
        let (start, state) = match (stored, length) {
            _ if overwrite => (Start::Overwrite, initial),
            (None, None) => (Start::New, initial),
            (None, Some(_)) => {
                bail!("{shown} exists and is not an unfinished export; choose another file, or pass --overwrite")
            }
            (Some(stored), _) if !stored.belongs_to(&initial) => bail!(
                "{shown} contains an unfinished export of {} as {}, not of {} as {}; \
                 choose another file, or pass --overwrite",
                stored.url,
                stored.format,
                initial.url,
                initial.format
            ),
            (Some(stored), length) if length.unwrap_or(0) < stored.offset => {
                bail!("{shown} is shorter than its unfinished export; pass --overwrite to start again")
            }
            (Some(stored), _) => (Start::Resume, stored),
        };
        let (length, rows) = (state.offset, state.rows);
        Ok(Self { path: path.to_owned(), state_file, state, start, file: None, length, rows })
    }

    /// Opens the file at the last checkpoint, and discards everything after that.
    fn open(&mut self) -> anyhow::Result<&mut BufWriter<File>> {
        if self.file.is_none() {
            let start = self.start;
            if start == Start::New {
                // The state exists before the file, so the export can be resumed at
                // any time.
                self.state_file.write(&self.state)?;
            }
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(start != Start::New).create_new(start == Start::New);
            let mut file = options.open(&self.path)?;
            ensure!(file.metadata()?.is_file(), "not a regular file");
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => bail!("another export writes {}", self.path.display()),
                // Some file systems have no locks.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            if start == Start::Overwrite {
                self.state_file.write(&self.state)?;
            }
            file.set_len(self.state.offset)?;
            file.seek(SeekFrom::End(0))?;
            self.start = Start::Resume;
            return Ok(self.file.insert(BufWriter::new(file)));
        }
        self.file.as_mut().context("the file is not open")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the state at the last checkpoint.
    pub(super) fn state(&self) -> &ExportState {
        &self.state
    }

    /// Returns the number of rows, including rows after the last checkpoint.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the header. A resumed table already has a header, which must be equal.
    pub(super) fn write_header(&mut self, header: &[u8]) -> anyhow::Result<()> {
        if self.length == 0 {
            return self.append(header);
        }
        let mut existing = vec![0; header.len()];
        let mut file = File::open(&self.path)?;
        ensure!(
            file.read_exact(&mut existing).is_ok() && existing == header,
            "the columns have changed since the export started; pass --overwrite to start again"
        );
        Ok(())
    }

    pub(super) fn write_row(&mut self, row: &[u8]) -> anyhow::Result<()> {
        self.append(row)?;
        self.rows += 1;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.open()?.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Records a checkpoint after the rows written so far.
    pub(super) fn save(&mut self, cursor: &str) -> anyhow::Result<()> {
        let file = self.open()?;
        file.flush()?;
        file.get_ref().sync_data()?;
        self.state =
            ExportState { offset: self.length, rows: self.rows, cursor: Some(cursor.to_owned()), ..self.state.clone() };
        self.state_file.write(&self.state)
    }

    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        let file = self.open()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        self.state_file.remove()
    }

    /// Discards the rows after the last checkpoint.
    pub(super) fn rewind(&mut self) -> anyhow::Result<()> {
        if let Some(file) = self.file.take() {
            // Unwritten rows are discarded, too.
            let (mut file, _) = file.into_parts();
            file.set_len(self.state.offset)?;
            file.seek(SeekFrom::End(0))?;
            self.file = Some(BufWriter::new(file));
        }
        (self.length, self.rows) = (self.state.offset, self.state.rows);
        Ok(())
    }
}

impl ExportState {
    fn belongs_to(&self, other: &Self) -> bool {
        (&self.url, self.format) == (&other.url, other.format)
    }
}
