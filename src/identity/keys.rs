//! Public keys of an identity provider: a JSON Web Key Set (RFC 7517).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::jwk::Key;

/// UTF-8 encoding of U+FEFF, which some providers send before the document.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Set of keys that verify signatures.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    digest: blake3::Hash,
}

/// The document is not a key set. The text does not quote the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON Web Key Set (RFC 7517): an object with a list `keys`")]
pub struct KeySetError;

/// The keys are parsed one by one, so one malformed key does not affect the others.
#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

impl KeySet {
    /// Parses a key set. Keys that cannot verify a signature are omitted: symmetric
    /// keys, encryption keys, and keys of an unknown type (RFC 7517, section 5).
    pub fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let document = document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document);
        let Document { keys } = serde_json::from_slice(document).map_err(|_| KeySetError)?;
        let keys = keys.into_iter().filter_map(|key| Key::parse(key.get())).collect();
        Ok(Self { keys, digest: blake3::hash(document) })
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether the set contains no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns whether a key has this id. True without an id.
    pub(super) fn contains(&self, id: Option<&str>) -> bool {
        id.is_none() || self.keys.iter().any(|key| key.id.as_deref() == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Returns the BLAKE3 digest of the document.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.digest
    }
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}
