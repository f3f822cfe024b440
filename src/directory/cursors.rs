//! Cursors of requests, opened and sealed.
//!
//! A vendor's token, or many connections, can make a cursor too long to send.
//! Such a cursor is kept in the process, and in the state that replicas share. The
//! caller gets a short reference.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    clock::SharedClock,
    domain::{
        anchor::Direction,
        batch::{BatchQuery, OpenIds},
        cursor::{BatchCursor, Cursor, CursorError, CursorKey, CursorReference, Fingerprint, MAX_LENGTH, OpenedCursor},
        position::SourcePosition,
        query::ListQuery,
    },
    shared::{VALUE_LIFETIME, ValueKind, Values},
};

use super::{DirectoryError, PageRequest, fair_cache::FairCache};

/// Maximum memory of the kept cursors, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// Memory of an entry in addition to its text, in bytes.
const ENTRY_BYTES: usize = 240;
/// Time after which an unused cursor is no longer kept.
const MAX_IDLE: Duration = VALUE_LIFETIME;

/// Key of the cursors, and the cursors that are too long to send. Clones share
/// the cursors.
#[derive(Clone)]
pub(super) struct Cursors {
    key: CursorKey,
    /// Kept cursors, by the name of the caller that received them.
    kept: FairCache<Arc<str>, CursorReference, KeptCursor>,
    shared: Option<Arc<dyn Values>>,
    clock: SharedClock,
}

/// Cursor that is too long to send.
#[derive(Clone)]
struct KeptCursor {
    text: Arc<str>,
    /// Time on the clock of its last use.
    used: Duration,
}

/// Sealed cursor.
pub(super) struct SealedCursor {
    pub(super) text: String,
    /// True if the positions are kept, in the process or by all replicas.
    pub(super) is_kept: bool,
}

/// Start of a list: the fingerprint of its query, and its cursor if it has one.
pub(super) struct ListStart {
    pub(super) fingerprint: Fingerprint,
    pub(super) direction: Direction,
    /// Position in each source; empty without a cursor.
    pub(super) positions: Vec<SourcePosition>,
}

impl Cursors {
    /// Creates the cursors of a key. No cursor is kept.
    pub(super) fn new(key: CursorKey, shared: Option<Arc<dyn Values>>, clock: SharedClock) -> Self {
        let kept = FairCache::new(MAX_BYTES, |_, cursor: &KeptCursor| cursor.text.len() + ENTRY_BYTES);
        Self { key, kept, shared, clock }
    }

    /// Returns the cursors of another key that share the kept cursors.
    pub(super) fn with_key(&self, key: CursorKey) -> Self {
        Self { key, ..self.clone() }
    }

    /// Returns the key.
    pub(super) fn key(&self) -> &CursorKey {
        &self.key
    }

    /// Opens the cursor of a request.
    pub(super) async fn open(&self, query: &ListQuery, request: &PageRequest) -> Result<ListStart, DirectoryError> {
        let fingerprint = Fingerprint::new(query, &request.connections);
        let Some(text) = &request.cursor else {
            return Ok(ListStart { fingerprint, direction: Direction::Forward, positions: Vec::new() });
        };
        if text.len() > MAX_LENGTH {
            return Err(CursorError::Invalid.into());
        }
        let opened = match self.key.open(text, fingerprint)? {
            OpenedCursor::Reference(reference) => {
                let text = self.kept(reference, &request.caller.name).await.ok_or(CursorError::NotKept)?;
                self.key.open(&text, fingerprint)?
            }
            opened => opened,
        };
        let OpenedCursor::Positions(Cursor { direction, sources, .. }) = opened else {
            return Err(CursorError::Invalid.into());
        };
        Ok(ListStart { fingerprint, direction, positions: sources })
    }

    /// Returns a kept cursor of this process or another replica. All of them then keep
    /// it for [`MAX_IDLE`] again.
    async fn kept(&self, reference: CursorReference, caller: &Arc<str>) -> Option<Arc<str>> {
        let name = reference.to_bytes();
        let kept = self.kept.get(&reference).filter(|kept| self.clock.elapsed() < kept.used + MAX_IDLE);
        let text = match (kept, &self.shared) {
            (Some(kept), shared) => {
                if let Some(shared) = shared {
                    shared.put_in_background(ValueKind::Cursor, &[&name], kept.text.as_bytes().to_vec());
                }
                kept.text
            }
            (None, shared) => String::from_utf8(shared.as_ref()?.get(ValueKind::Cursor, &[&name]).await?).ok()?.into(),
        };
        self.keep(caller, reference, &text);
        Some(text)
    }

    fn keep(&self, caller: &Arc<str>, reference: CursorReference, text: &Arc<str>) {
        let cursor = KeptCursor { text: Arc::clone(text), used: self.clock.elapsed() };
        self.kept.insert(caller, reference, cursor);
    }

    /// Opens the cursor of a batch. Without a cursor, all ids are open.
    pub(super) fn open_batch(&self, query: &BatchQuery, cursor: Option<&str>) -> Result<BatchCursor, DirectoryError> {
        let fingerprint = Fingerprint::of_batch(query);
        let Some(text) = cursor else {
            return Ok(BatchCursor { query: fingerprint, open: OpenIds::first(query.ids.len()) });
        };
        if text.len() > MAX_LENGTH {
            return Err(CursorError::Invalid.into());
        }
        match self.key.open(text, fingerprint)? {
            OpenedCursor::Batch(cursor) => Ok(cursor),
            _ => Err(CursorError::Invalid.into()),
        }
    }

    /// Seals the cursor of a batch. Returns `None` if each id has a result.
    pub(super) fn seal_batch(&self, cursor: &BatchCursor) -> Option<String> {
        (!cursor.open.is_empty()).then(|| self.key.seal_batch(cursor))
    }

    /// Seals a cursor for a caller. A cursor of more than `max_length` characters is
    /// kept, and its reference is sealed. Returns `None` if its direction has no more
    /// rows.
    pub(super) async fn seal(&self, cursor: &Cursor, caller: &Arc<str>, max_length: usize) -> Option<SealedCursor> {
        if cursor.sources.iter().all(|position| position.is_exhausted(cursor.direction)) {
            return None;
        }
        let text = self.key.seal(cursor);
        if text.len() <= max_length {
            return Some(SealedCursor { text, is_kept: false });
        }
        let reference = CursorReference::new(cursor.query, &text);
        if let Some(shared) = &self.shared {
            // The next request may reach another replica at once.
            shared.put(ValueKind::Cursor, &[&reference.to_bytes()], text.clone().into_bytes()).await;
        }
        self.keep(caller, reference, &text.into());
        Some(SealedCursor { text: self.key.seal_reference(&reference), is_kept: true })
    }
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursors").field("kept", &self.kept).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn busy_caller_evicts_no_cursor_of_others() {
        let cursors = Cursors::new(CursorKey::derive(b"secret"), None, SystemClock::shared());
        let query: Fingerprint = postcard::from_bytes(&[0; 16]).unwrap();
        let (quiet, busy): (Arc<str>, Arc<str>) = ("quiet".into(), "busy".into());
        let reference = |text: &str| CursorReference::new(query, text);
        cursors.keep(&quiet, reference("kept"), &"kept".into());
        let long = |number: u32| format!("{number}{}", "x".repeat(1 << 20));
        for number in 0..40 {
            let text = long(number);
            cursors.keep(&busy, reference(&text), &text.into());
        }
        assert_eq!(cursors.kept(reference("kept"), &busy).await.as_deref(), Some("kept"));
        assert!(cursors.kept(reference(&long(0)), &busy).await.is_none());
    }
}
