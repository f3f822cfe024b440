//! Segments: immutable blocks of rows.

use super::DecodeError;

/// Block of rows that lists share.
#[derive(Debug)]
pub struct Segment {}

/// Digest of an encoded segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SegmentId(pub [u8; 16]);

impl Segment {
    /// Returns the digest of the encoding.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        todo!()
    }

    /// Encodes the segment.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Decodes a segment.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        todo!("{bytes:?}")
    }
}
