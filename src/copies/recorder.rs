//! Recording of a walk.

use std::sync::Arc;

use crate::domain::{anchor::Anchor, page::RecordPage};

use super::{Changes, StoredList};

/// Recorder of a walk, page by page. Rows that equal those of the previous list
/// are shared.
#[derive(Debug)]
pub struct Recorder {}

/// A page that a recorder rejects.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecordError {
    /// The walk had the row before: rows moved during the walk.
    #[error("the walk returned the row {0:?} twice")]
    Repeated(String),
    /// The list exceeds its maximum memory.
    #[error("the list exceeds `max_bytes`")]
    TooLarge,
}

/// Rows that the vendor's pages had and that a list does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DroppedRows {
    /// Rows of another account.
    pub foreign: u32,
    /// Null rows.
    pub null: u32,
    /// Rows that cannot be read.
    pub unreadable: u32,
}

impl Recorder {
    /// Starts a recording. `previous` is the list of the walk before.
    #[must_use]
    pub fn new(previous: Option<Arc<StoredList>>, max_bytes: u64) -> Self {
        todo!("{previous:?} {max_bytes}")
    }

    /// Appends a page. Takes about 10 µs for each new row, and up to a second if a
    /// segment is complete: call it on a blocking thread.
    pub fn push_page(&mut self, anchor: &Anchor, page: &RecordPage) -> Result<(), RecordError> {
        todo!("{anchor:?} {page:?}")
    }

    /// Returns the list and its changes since the previous list.
    #[must_use]
    pub fn finish(self) -> (StoredList, Changes) {
        todo!()
    }
}
