//! The cursor that callers hold: opaque, versioned, authenticated, bounded.
//!
//! `base64url(version ‖ postcard(payload) ‖ keyed BLAKE3 of both, 16 bytes)`.
//! It holds the position in each source, and a fingerprint of the question, so
//! that it cannot be used with another.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{anchor::Direction, connection::ConnectionName, position::SourcePosition, query::ListQuery};

/// The longest cursor there is, in characters.
pub const MAX_LENGTH: usize = 2048;

const VERSION: u8 = 2;
const TAG_LENGTH: usize = 16;
const MAX_BYTES: usize = MAX_LENGTH / 4 * 3;

/// Where a walk stands in every source of its question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The question it belongs to.
    pub question: Fingerprint,
    /// Which way it leads.
    pub direction: Direction,
    /// Where it stands in each source, in the question's order.
    pub sources: Vec<SourcePosition>,
}

/// What makes two questions the same walk: connections, rows, filter, order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a question to some connections, in their order.
    #[must_use]
    pub fn of<'a>(question: &ListQuery, connections: impl IntoIterator<Item = &'a ConnectionName>) -> Self {
        let connections: Vec<&str> = connections.into_iter().map(ConnectionName::as_str).collect();
        let filter: Vec<_> = question.filter.set().into_iter().map(|(p, values)| (p.name(), values)).collect();
        let order = question.order.map(super::query::Order::name);
        let canonical = serde_json::to_vec(&(connections, question.resource, filter, order)).unwrap_or_default();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&canonical).as_bytes()[..16]);
        Self(bytes)
    }
}

/// Why a cursor cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// It is not one of ours, or was tampered with.
    #[error("the cursor is not one that this gateway gave out")]
    Invalid,
    /// It belongs to another question.
    #[error("the cursor belongs to a question with other connections, filters or order")]
    Mismatch,
    /// It leads backwards, where there is only a way forward.
    #[error("the cursor leads backwards, and an export goes forward: take `next_cursor`, or an export's own")]
    Backward,
}

/// A position is too long to be put in a cursor: the vendor's own token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor would be longer than {MAX_LENGTH} characters")]
pub struct TooLong;

/// The secret that authenticates cursors.
#[derive(Clone)]
pub struct CursorKey([u8; blake3::KEY_LEN]);

impl CursorKey {
    /// Derives the key from a secret of any length.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key("customer-gateway 2026-11 pagination cursors", secret))
    }

    /// The cursor as a caller gets it.
    pub fn seal(&self, cursor: &Cursor) -> Result<String, TooLong> {
        let mut bytes = postcard::to_extend(cursor, vec![VERSION]).map_err(|_| TooLong)?;
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        if bytes.len() > MAX_BYTES {
            return Err(TooLong);
        }
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The cursor that a caller brought back for a question.
    pub fn open(&self, text: &str, question: Fingerprint) -> Result<Cursor, CursorError> {
        if text.len() > MAX_LENGTH {
            return Err(CursorError::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Invalid)?;
        let (signed, tag) = bytes.split_last_chunk::<TAG_LENGTH>().ok_or(CursorError::Invalid)?;
        // BLAKE3's `Hash` compares in constant time; it wants all 32 bytes.
        let (mut ours, mut theirs) = ([0; 32], [0; 32]);
        ours[..TAG_LENGTH].copy_from_slice(&self.tag(signed));
        theirs[..TAG_LENGTH].copy_from_slice(tag);
        if blake3::Hash::from_bytes(ours) != blake3::Hash::from_bytes(theirs) {
            return Err(CursorError::Invalid);
        }
        let Some((&VERSION, payload)) = signed.split_first() else { return Err(CursorError::Invalid) };
        let cursor: Cursor = postcard::from_bytes(payload).map_err(|_| CursorError::Invalid)?;
        if cursor.question == question { Ok(cursor) } else { Err(CursorError::Mismatch) }
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
        filter::Filter,
        position::Position,
        query::{Resource, Shape},
    };

    fn question(status: &str) -> ListQuery {
        ListQuery {
            resource: Resource::Customers,
            filter: Filter { status: Some(status.to_owned()), ..Filter::default() },
            order: None,
            shape: Shape::default(),
        }
    }

    fn fingerprint(status: &str) -> Fingerprint {
        Fingerprint::of(&question(status), &["tax".parse().unwrap()])
    }

    fn cursor(anchor: Anchor) -> Cursor {
        let position = Position { anchor, ..Position::start() };
        Cursor {
            question: fingerprint("active"),
            direction: Direction::Forward,
            sources: vec![SourcePosition::At(position), SourcePosition::Start],
        }
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_question() {
        let key = CursorKey::derive(b"secret");
        let cursor = cursor(Anchor::After("cust_1".into()));
        let text = key.seal(&cursor).unwrap();
        assert_eq!(key.open(&text, fingerprint("active")), Ok(cursor));
        assert_eq!(key.open(&text, fingerprint("lead")), Err(CursorError::Mismatch));
        assert_eq!(CursorKey::derive(b"other").open(&text, fingerprint("active")), Err(CursorError::Invalid));
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let key = CursorKey::derive(b"secret");
        let text = key.seal(&cursor(Anchor::Start)).unwrap();
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.open(&changed, fingerprint("active")), Err(CursorError::Invalid), "{changed}");
        }
    }

    #[test]
    fn a_vendor_token_that_does_not_fit_is_refused_when_minting() {
        let key = CursorKey::derive(b"secret");
        let longest = (0..MAX_LENGTH)
            .filter_map(|n| key.seal(&cursor(Anchor::Token("x".repeat(n).into()))).ok())
            .map(|text| text.len())
            .max();
        assert_eq!(longest, Some(MAX_LENGTH));
        assert_eq!(key.seal(&cursor(Anchor::Token("x".repeat(MAX_LENGTH).into()))), Err(TooLong));
    }
}
