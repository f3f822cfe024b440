//! Secret of the shared state.

/// Key from which the keys of all shared state are derived. Replicas with the same
/// `paging.cursor_key` have the same key.
#[derive(Clone)]
pub struct SharedKey([u8; 32]);

impl SharedKey {
    /// Derives the key from the configured secret.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key("customer-gateway 2026-11 shared state", secret))
    }

    /// Derives the key of one purpose.
    pub(super) fn for_purpose(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

impl PartialEq for SharedKey {
    fn eq(&self, other: &Self) -> bool {
        // `blake3::Hash` compares in constant time.
        blake3::Hash::from(self.0) == blake3::Hash::from(other.0)
    }
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKey([redacted])")
    }
}
