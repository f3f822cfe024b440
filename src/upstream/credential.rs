//! Vendor secrets that cannot be printed.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::shared::{Fingerprint, SharedKey};

/// Bearer token of a connection.
#[derive(Clone)]
pub struct Credential {
    secret: SecretString,
    bearer: HeaderValue,
}

/// Secret that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty or contains a character that is not allowed in a header")]
pub struct InvalidCredential;

impl Credential {
    /// Returns a credential, sent as `Authorization: Bearer …`.
    pub fn new(secret: SecretString) -> Result<Self, InvalidCredential> {
        let text = secret.expose_secret();
        if text.is_empty() {
            return Err(InvalidCredential);
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| InvalidCredential)?;
        bearer.set_sensitive(true);
        Ok(Self { secret, bearer })
    }

    /// Returns the fingerprint of this credential with further parts, such as the host.
    #[must_use]
    pub fn fingerprint(&self, key: &SharedKey, parts: &[&str]) -> Fingerprint {
        let secret = self.secret.expose_secret().as_bytes();
        Fingerprint::new(key, [secret].into_iter().chain(parts.iter().map(|part| part.as_bytes())))
    }

    /// Returns the value of the `Authorization` header.
    pub(super) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }

    /// Replaces the secret in a text.
    pub(super) fn redact(&self, text: &str) -> String {
        text.replace(self.secret.expose_secret(), "[redacted]")
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_is_redacted_everywhere() {
        let credential = Credential::new("sk_live_123".into()).unwrap();
        assert_eq!(format!("{credential:?}"), "Credential([redacted])");
        assert_eq!(format!("{:?}", credential.bearer()), "Sensitive");
        assert_eq!(credential.redact("Invalid key sk_live_123."), "Invalid key [redacted].");
        assert!(Credential::new("line\nbreak".into()).is_err());
    }
}
