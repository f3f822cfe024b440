//! The files that a configuration was read from, and whether they have changed.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// What a file held when it was looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct FileState {
    path: PathBuf,
    digest: blake3::Hash,
}

impl FileState {
    /// As the file is now. One that is away for a moment is one that has
    /// changed.
    #[must_use]
    pub fn now(path: PathBuf) -> Self {
        let contents = std::fs::read(&path).unwrap_or_default();
        Self::of(path, &contents)
    }

    /// A file that held this.
    pub(super) fn of(path: PathBuf, contents: &[u8]) -> Self {
        Self { path, digest: blake3::hash(contents) }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The path alone: the digest of a short secret would tell which it is.
impl fmt::Debug for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}
