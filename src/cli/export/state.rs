//! State of an unfinished export, in a file beside the output.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};

use super::Format;

/// State of an unfinished export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExportState {
    /// URL of the list, with the query.
    pub(super) url: String,
    /// Format of the rows.
    pub(super) format: Format,
    /// Size of the output in bytes at the last checkpoint. Later bytes are discarded.
    pub(super) offset: u64,
    /// Number of rows at the last checkpoint.
    pub(super) rows: u64,
    /// Cursor of the last checkpoint; null before the first checkpoint.
    pub(super) cursor: Option<String>,
}

/// File that contains the state.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Complete before it replaces `path`.
    draft: PathBuf,
}

impl StateFile {
    /// Returns the state file of an output.
    pub(super) fn beside(output: &Path) -> Self {
        let with_suffix = |suffix: &str| {
            let mut name = OsString::from(output);
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { path: with_suffix(".export-state"), draft: with_suffix(".export-state.tmp") }
    }

    /// Reads the state. Returns `None` without a file.
    pub(super) fn read(&self) -> anyhow::Result<Option<ExportState>> {
        let json = match files::read(&self.path) {
            Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(FileError::Io(error)) => {
                return Err(error).with_context(|| format!("cannot read {}", self.path.display()));
            }
            json => json,
        };
        let read = || anyhow::Ok(serde_json::from_slice(&json?)?);
        let state = read().with_context(|| {
            format!("{} is not the state of an export; remove the file, or pass --overwrite", self.path.display())
        })?;
        Ok(Some(state))
    }

    /// Replaces the state. The file contains the old or the new state at any time.
    pub(super) fn write(&self, state: &ExportState) -> anyhow::Result<()> {
        let write = || {
            remove(&self.draft)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            // The query may contain personal data.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&self.draft)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            file.sync_all()?;
            std::fs::rename(&self.draft, &self.path)
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Removes the state.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        remove(&self.draft)
            .and_then(|()| remove(&self.path))
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// Removes a file, if it exists.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
