//! Binary encoding of segments and manifests.

/// Bytes that are no segment or manifest of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another version of the gateway wrote the bytes.
    #[error("the stored list has encoding version {0}")]
    Version(u8),
    /// The bytes are damaged or truncated.
    #[error("the stored list is damaged")]
    Damaged,
    /// A segment of the manifest is missing.
    #[error("a segment of the stored list is missing")]
    MissingSegment,
}
