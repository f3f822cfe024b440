//! Change detection for configuration files.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::files::{self, FileRead};

/// Content digest of a file at one moment.
#[derive(Clone, PartialEq, Eq)]
pub struct FileState {
    path: PathBuf,
    digest: blake3::Hash,
}

impl FileState {
    /// Reads the current state. An unreadable file counts as empty, so its
    /// removal is a change.
    #[must_use]
    pub fn read(path: PathBuf) -> Self {
        let contents = files::read(&path).unwrap_or_default();
        Self::new(path, &contents)
    }

    /// Returns the state in which a file was read.
    pub(super) fn of(read: &FileRead) -> Self {
        Self::new(read.path.clone(), read.contents.as_deref().unwrap_or_default())
    }

    /// Creates the state of a file with these contents.
    pub(super) fn new(path: PathBuf, contents: &[u8]) -> Self {
        Self { path, digest: blake3::hash(contents) }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Shows only the path: a short secret could be guessed from its digest.
impl fmt::Debug for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
