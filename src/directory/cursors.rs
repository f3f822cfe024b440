//! Cursors of a request, opened and sealed.

use crate::domain::{
    anchor::Direction,
    cursor::{Cursor, CursorKey, Fingerprint},
    position::SourcePosition,
    query::ListQuery,
};

use super::{DirectoryError, PageRequest};

/// Start of a list: the fingerprint of its query, and its cursor if it has one.
pub(super) struct ListStart {
    pub(super) fingerprint: Fingerprint,
    pub(super) direction: Direction,
    /// Position in each source; empty without a cursor.
    pub(super) positions: Vec<SourcePosition>,
}

impl ListStart {
    /// Opens the cursor of a request.
    pub(super) fn open(key: &CursorKey, query: &ListQuery, request: &PageRequest) -> Result<Self, DirectoryError> {
        let fingerprint = Fingerprint::new(query, &request.connections);
        Ok(match &request.cursor {
            None => Self { fingerprint, direction: Direction::Forward, positions: Vec::new() },
            Some(text) => {
                let Cursor { direction, sources, .. } = key.open(text, fingerprint)?;
                Self { fingerprint, direction, positions: sources }
            }
        })
    }
}

/// Seals a cursor. Returns `None` if its direction has no more rows.
pub(super) fn seal(key: &CursorKey, cursor: &Cursor, request: &PageRequest) -> Result<Option<String>, DirectoryError> {
    if cursor.sources.iter().all(|position| position.is_exhausted(cursor.direction)) {
        return Ok(None);
    }
    key.seal(cursor).map(Some).map_err(|_| match &*request.connections {
        [connection] => DirectoryError::CursorTooLong(connection.clone()),
        _ => DirectoryError::TooManyConnections,
    })
}
