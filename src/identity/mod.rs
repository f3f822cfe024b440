//! Tokens of the company's identity provider (JWT, RFC 7519), which identify
//! callers as keys do.
//!
//! A verified token is cached until it expires or the provider's keys change, so
//! a repeated token needs no signature check. The keys are refreshed in the
//! background, and at once if a token names an unknown key or its signature does
//! not verify.

mod claims;
mod error;
mod json;
mod jwk;
mod keys;
mod provider;
mod source;
mod token;

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use crate::clock::SharedClock;
pub use claims::Claims;
pub use error::TokenError;
pub use keys::{KeySet, KeySetError};
pub use provider::Provider;
pub use source::{Jwks, KeySource, KeySourceError};
use token::{NumericDate, Token};

/// Maximum number of cached tokens, at about 150 bytes each.
const MAX_VERIFIED: u64 = 10_000;

/// Settings of the identity provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Required `iss` of tokens.
    pub issuer: String,
    /// Required `aud` of tokens, or one of its values.
    pub audience: String,
    /// Location of the public keys.
    pub jwks: Jwks,
    /// Refresh interval of the keys.
    pub refresh: Duration,
}

/// Identification of callers by token.
pub struct Identity {
    provider: Provider,
    /// Callers identified by token claims, with their index in the configuration.
    callers: Vec<(usize, Claims)>,
    verified: Cache<blake3::Hash, Verified>,
    clock: SharedClock,
}

/// Result of verifying a token.
#[derive(Debug, Clone, Copy)]
struct Verified {
    caller: usize,
    expires: NumericDate,
    /// Digest of the key set in use. Another key set invalidates the result.
    keys: blake3::Hash,
}

impl Settings {
    /// Default refresh interval of the keys.
    pub const DEFAULT_REFRESH: Duration = Duration::from_mins(10);
}

impl Identity {
    /// Creates the identification of callers by their claims. A token identifies
    /// the first caller whose claims it contains.
    #[must_use]
    pub fn new(provider: Provider, callers: Vec<(usize, Claims)>, clock: SharedClock) -> Self {
        Self { provider, callers, verified: Cache::new(MAX_VERIFIED), clock }
    }

    /// Returns the caller of a cached token that is still valid. `digest` is the
    /// BLAKE3 digest of the token.
    #[must_use]
    pub fn cached(&self, digest: &blake3::Hash) -> Option<usize> {
        let verified = self.verified.get(digest)?;
        let is_valid = self.provider.has_keys(&verified.keys) && !token::has_expired(verified.expires, &self.clock);
        is_valid.then_some(verified.caller)
    }

    /// Verifies a token, and returns the caller that it identifies.
    pub async fn verify(&self, text: &str, digest: blake3::Hash) -> Result<usize, TokenError> {
        let token = Token::parse(text)?;
        let keys = self.verify_signature(&token).await?;
        let (claims, expires) = token.validate_claims(self.provider.settings(), &self.clock)?;
        let caller = self.callers.iter().find(|(_, required)| required.matches(&claims));
        let caller = caller.map(|(index, _)| *index).ok_or(TokenError::NoMatchingCaller)?;
        self.verified.insert(digest, Verified { caller, expires, keys: keys.digest() });
        Ok(caller)
    }

    /// Verifies the signature, and returns the key set in use. A provider may replace
    /// a key under the same id, so a failure refreshes the keys once.
    async fn verify_signature(&self, token: &Token<'_>) -> Result<Arc<KeySet>, TokenError> {
        let keys = self.provider.keys_for(token.key_id()).await?;
        let Err(error) = token.verify_signature(&keys) else { return Ok(keys) };
        let keys = self.provider.keys_other_than(&keys).await?.ok_or(error)?;
        token.verify_signature(&keys)?;
        Ok(keys)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("provider", &self.provider).finish_non_exhaustive()
    }
}
