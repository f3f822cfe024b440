//! Pagination cursors: opaque, versioned and authenticated.
//!
//! A cursor is `base64url(version ‖ postcard(payload) ‖ tag)`. The tag is the
//! keyed BLAKE3 hash of version and payload, truncated to 16 bytes. The payload
//! contains the position in each source and a fingerprint of the query. A cursor
//! is therefore rejected with another query.
//!
//! A cursor that is too long to send is kept in the process. The caller gets the
//! sealed [`CursorReference`] to it, which has a version of its own. So has the
//! [`BatchCursor`], with the ids of a batch that have no result.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    anchor::Direction,
    batch::{BatchQuery, OpenIds},
    connection::ConnectionName,
    position::SourcePosition,
    query::ListQuery,
};

/// Maximum length of a cursor in a page, in characters.
pub const MAX_PAGE_LENGTH: usize = 2048;
/// Maximum length of a cursor in an export or a request, in characters. It
/// leaves 2 KiB of a request's target to the path and the filters.
pub const MAX_LENGTH: usize = 6144;

/// First byte of a cursor with its positions.
const VERSION: u8 = 3;
/// First byte of a cursor with a reference to its positions.
const REFERENCE_VERSION: u8 = 4;
/// First byte of a cursor of a batch.
const BATCH_VERSION: u8 = 5;
const TAG_LENGTH: usize = 16;
/// Initial capacity of the buffer of a cursor, in bytes before base64.
const INITIAL_CAPACITY: usize = 256;

/// Position of a walk in each source of its query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The query of the walk.
    pub query: Fingerprint,
    /// The direction of the walk.
    pub direction: Direction,
    /// The position in each source, in the order of the query's connections.
    pub sources: Vec<SourcePosition>,
}

/// Position in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCursor {
    /// The query of the batch.
    pub query: Fingerprint,
    /// The ids without a result.
    pub open: OpenIds,
}

/// Fingerprint of a query: connections, resource, filter and order of a list, or
/// the ids of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Returns the fingerprint of a query to some connections, in their order.
    #[must_use]
    pub fn new<'a>(query: &ListQuery, connections: impl IntoIterator<Item = &'a ConnectionName>) -> Self {
        let connections: Vec<&str> = connections.into_iter().map(ConnectionName::as_str).collect();
        let filter: Vec<_> = query.filter.parameters().into_iter().map(|(p, values)| (p.name(), values)).collect();
        let order = query.order.map(super::query::Order::name);
        Self::hash(&(connections, query.resource, filter, order))
    }

    /// Returns the fingerprint of a batch.
    #[must_use]
    pub fn of_batch(query: &BatchQuery) -> Self {
        let ids: Vec<_> = query.ids.iter().map(|id| (&id.connection, &id.vendor_id)).collect();
        Self::hash(&("ids", ids))
    }

    fn hash(query: &impl Serialize) -> Self {
        let canonical = serde_json::to_vec(query).unwrap_or_default();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&canonical).as_bytes()[..16]);
        Self(bytes)
    }
}

/// Reference to a cursor that is kept in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CursorReference {
    query: Fingerprint,
    /// Hash of the sealed cursor. Equal positions have equal references, so equal
    /// pages have equal entity tags.
    hash: [u8; 16],
}

impl CursorReference {
    /// Returns the reference to a sealed cursor of a query.
    #[must_use]
    pub fn new(query: Fingerprint, sealed: &str) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(sealed.as_bytes()).as_bytes()[..16]);
        Self { query, hash }
    }

    /// Returns the bytes of the reference. Different references have different bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.query.0);
        bytes[16..].copy_from_slice(&self.hash);
        bytes
    }
}

/// Content of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedCursor {
    /// The positions.
    Positions(Cursor),
    /// A reference to a cursor with the positions.
    Reference(CursorReference),
    /// The open ids of a batch.
    Batch(BatchCursor),
}

/// A cursor that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// The cursor was not issued by this gateway, or was modified.
    #[error("the cursor was not issued by this gateway")]
    Invalid,
    /// The cursor belongs to another query.
    #[error("the cursor belongs to a query with other connections, filters, ids or order")]
    Mismatch,
    /// The cursor leads backward and the request is an export.
    #[error("the cursor leads backward; an export takes a `next_cursor` or the cursor of an export")]
    Backward,
    /// The cursor is a reference, and this process does not keep its positions.
    #[error("the cursor refers to positions that this process does not keep")]
    NotKept,
}

/// Key that authenticates cursors.
#[derive(Clone)]
pub struct CursorKey([u8; blake3::KEY_LEN]);

impl CursorKey {
    /// Derives the key from a secret of any length.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key("customer-gateway 2026-11 pagination cursors", secret))
    }

    /// Encodes and authenticates a cursor. Its length is not limited.
    #[must_use]
    pub fn seal(&self, cursor: &Cursor) -> String {
        self.encode(VERSION, cursor)
    }

    /// Encodes and authenticates a reference to a cursor.
    #[must_use]
    pub fn seal_reference(&self, reference: &CursorReference) -> String {
        self.encode(REFERENCE_VERSION, reference)
    }

    /// Encodes and authenticates a cursor of a batch. It has at most 72
    /// characters.
    #[must_use]
    pub fn seal_batch(&self, cursor: &BatchCursor) -> String {
        self.encode(BATCH_VERSION, cursor)
    }

    /// Verifies and decodes a cursor for a query.
    pub fn open(&self, text: &str, query: Fingerprint) -> Result<OpenedCursor, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Invalid)?;
        let (signed, tag) = bytes.split_last_chunk::<TAG_LENGTH>().ok_or(CursorError::Invalid)?;
        // BLAKE3's `Hash` compares in constant time and requires all 32 bytes.
        let (mut expected, mut received) = ([0; 32], [0; 32]);
        expected[..TAG_LENGTH].copy_from_slice(&self.tag(signed));
        received[..TAG_LENGTH].copy_from_slice(tag);
        if blake3::Hash::from_bytes(expected) != blake3::Hash::from_bytes(received) {
            return Err(CursorError::Invalid);
        }
        let (opened, its_query) = match signed.split_first() {
            Some((&VERSION, payload)) => {
                let cursor: Cursor = postcard::from_bytes(payload).map_err(|_| CursorError::Invalid)?;
                let its_query = cursor.query;
                (OpenedCursor::Positions(cursor), its_query)
            }
            Some((&REFERENCE_VERSION, payload)) => {
                let reference: CursorReference = postcard::from_bytes(payload).map_err(|_| CursorError::Invalid)?;
                (OpenedCursor::Reference(reference), reference.query)
            }
            Some((&BATCH_VERSION, payload)) => {
                let cursor: BatchCursor = postcard::from_bytes(payload).map_err(|_| CursorError::Invalid)?;
                (OpenedCursor::Batch(cursor), cursor.query)
            }
            _ => return Err(CursorError::Invalid),
        };
        if its_query == query { Ok(opened) } else { Err(CursorError::Mismatch) }
    }

    fn encode(&self, version: u8, payload: &impl Serialize) -> String {
        let mut bytes = Vec::with_capacity(INITIAL_CAPACITY);
        bytes.push(version);
        // Only a sequence of unknown length fails, and no payload has one.
        let mut bytes = postcard::to_extend(payload, bytes).unwrap_or_default();
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG_LENGTH] {
        let mut tag = [0; TAG_LENGTH];
        tag.copy_from_slice(&blake3::keyed_hash(&self.0, bytes).as_bytes()[..TAG_LENGTH]);
        tag
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        anchor::Anchor,
        batch::CustomerId,
        filter::Filter,
        position::Position,
        query::{Resource, Shape},
    };

    fn query(status: &str) -> ListQuery {
        ListQuery {
            resource: Resource::Customers,
            filter: Filter { status: vec![status.to_owned()], ..Filter::default() },
            order: None,
            shape: Shape::default(),
        }
    }

    fn fingerprint(status: &str) -> Fingerprint {
        Fingerprint::new(&query(status), &["tax".parse().unwrap()])
    }

    fn cursor(anchor: Anchor) -> Cursor {
        let position = Position { anchor, ..Position::start() };
        Cursor {
            query: fingerprint("active"),
            direction: Direction::Forward,
            sources: vec![SourcePosition::At(position), SourcePosition::Start],
        }
    }

    #[test]
    fn cursor_opens_with_same_key_and_query() {
        let key = CursorKey::derive(b"secret");
        let cursor = cursor(Anchor::After("cust_1".into()));
        let text = key.seal(&cursor);
        assert_eq!(key.open(&text, fingerprint("active")), Ok(OpenedCursor::Positions(cursor)));
        assert_eq!(key.open(&text, fingerprint("lead")), Err(CursorError::Mismatch));
        assert_eq!(CursorKey::derive(b"other").open(&text, fingerprint("active")), Err(CursorError::Invalid));
    }

    #[test]
    fn modified_cursor_is_rejected() {
        let key = CursorKey::derive(b"secret");
        let text = key.seal(&cursor(Anchor::Start));
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.open(&changed, fingerprint("active")), Err(CursorError::Invalid), "{changed}");
        }
    }

    #[test]
    fn reference_opens_with_same_key_and_query() {
        let key = CursorKey::derive(b"secret");
        let reference = CursorReference::new(fingerprint("active"), "long");
        let text = key.seal_reference(&reference);
        assert!(text.len() < 80);
        assert_eq!(key.open(&text, fingerprint("active")), Ok(OpenedCursor::Reference(reference)));
        assert_eq!(key.open(&text, fingerprint("lead")), Err(CursorError::Mismatch));
        assert_eq!(CursorKey::derive(b"other").open(&text, fingerprint("active")), Err(CursorError::Invalid));
    }

    #[test]
    fn batch_cursor_opens_with_the_same_ids_only() {
        let key = CursorKey::derive(b"secret");
        let fingerprint_of = |ids: &[&str]| {
            let connection: ConnectionName = "tax".parse().unwrap();
            let id = |id: &&str| CustomerId { connection: connection.clone(), vendor_id: (*id).to_owned() };
            Fingerprint::of_batch(&BatchQuery { ids: ids.iter().map(id).collect(), shape: Shape::default() })
        };
        let query = fingerprint_of(&["a", "b"]);
        for open in [OpenIds::first(1), OpenIds::first(100), OpenIds::first(128)] {
            let cursor = BatchCursor { query, open };
            let text = key.seal_batch(&cursor);
            assert!(text.len() <= 72, "{text}");
            assert_eq!(key.open(&text, query), Ok(OpenedCursor::Batch(cursor)));
            for other in [fingerprint_of(&["b", "a"]), fingerprint_of(&["a"]), fingerprint("active")] {
                assert_eq!(key.open(&text, other), Err(CursorError::Mismatch));
            }
            assert_eq!(CursorKey::derive(b"other").open(&text, query), Err(CursorError::Invalid));
        }
    }
}
