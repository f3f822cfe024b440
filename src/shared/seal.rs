//! Encryption of the values on the server, and of snapshots of stored lists.
//!
//! Values contain customers' data, and others may be able to write to the server or the
//! file. A sealed value is therefore confidential, cannot be forged, and cannot be moved
//! to another name.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    error::Unspecified,
};

use super::SharedKey;

/// Key that seals the values of one purpose with AES-256-GCM.
#[derive(Clone)]
pub struct Seal([u8; 32]);

impl Seal {
    /// Derives the key of a purpose.
    #[must_use]
    pub fn new(key: &SharedKey, purpose: &str) -> Self {
        Self(key.for_purpose(purpose))
    }

    /// Seals a value for one name, such as a Redis key: `nonce ‖ ciphertext ‖ tag`.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(plain);
        let nonce =
            self.key(name).and_then(|key| key.seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut sealed));
        match nonce {
            Ok(nonce) => {
                sealed.splice(..0, *nonce.as_ref());
                sealed
            }
            // Only a lack of random bytes fails. An empty value opens nowhere.
            Err(Unspecified) => Vec::new(),
        }
    }

    /// Opens a value that was sealed for the same name. `None` for any other bytes.
    #[must_use]
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = ciphertext.to_vec();
        let key = self.key(name).ok()?;
        let length = key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    /// Derives the key of one name. Random nonces permit 2^32 values per key
    /// (NIST SP 800-38D, section 8.3), and all pages of a fleet may exceed that.
    fn key(&self, name: &str) -> Result<RandomizedNonceKey, Unspecified> {
        let key = blake3::keyed_hash(&self.0, name.as_bytes());
        RandomizedNonceKey::new(&AES_256_GCM, key.as_bytes())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str, purpose: &str) -> Seal {
        Seal::new(&SharedKey::derive(secret.as_bytes()), purpose)
    }

    #[test]
    fn sealed_value_opens_under_its_key_only() {
        let own = seal("secret", "pages");
        for plain in [&b""[..], b"a customer"] {
            let sealed = own.seal("key", plain);
            assert_eq!(own.open("key", &sealed).as_deref(), Some(plain));
            assert_eq!(own.open("other key", &sealed), None);
            assert_eq!(seal("other secret", "pages").open("key", &sealed), None);
            assert_eq!(seal("secret", "cursors").open("key", &sealed), None);
        }
    }

    #[test]
    fn changed_value_does_not_open() {
        let seal = seal("secret", "pages");
        let sealed = seal.seal("key", b"a customer");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(seal.open("key", &changed), None, "byte {index}");
            assert_eq!(seal.open("key", &sealed[..index]), None, "{index} bytes");
        }
    }

    #[test]
    fn equal_values_are_sealed_differently() {
        let seal = seal("secret", "pages");
        assert_ne!(seal.seal("key", b"a customer"), seal.seal("key", b"a customer"));
    }
}
