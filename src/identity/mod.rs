//! Tokens of the company's identity provider (JWT, RFC 7519), which show who
//! asks as keys do.
//!
//! A token is verified once and remembered until it expires or the provider's
//! keys change: a hit costs no signature. The keys are read again in the
//! background, and at once where a token names one that is not known.

mod claims;
mod keys;
mod provider;
mod source;
mod token;

use std::time::Duration;

use moka::sync::Cache;

use crate::clock::SharedClock;
pub use claims::Claims;
pub use keys::{KeySet, KeySetError};
pub use provider::Provider;
pub use source::{Jwks, KeySource, KeySourceError};
use token::{NumericDate, Token};

/// How many verified tokens are remembered; each takes some 150 bytes.
const MOST_VERIFIED: u64 = 10_000;

/// Which provider's tokens are taken, and where its keys are.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of tokens for this gateway, or one of it.
    pub audience: String,
    /// Its public keys.
    pub jwks: Jwks,
    /// How often they are read again.
    pub refresh: Duration,
}

/// Who is meant by a token.
pub struct Identity {
    provider: Provider,
    /// Callers that tokens may mean, by their place in the configuration.
    callers: Vec<(usize, Claims)>,
    verified: Cache<blake3::Hash, Verified>,
    clock: SharedClock,
}

/// What a token was found to be.
#[derive(Debug, Clone, Copy)]
struct Verified {
    caller: usize,
    expires: NumericDate,
    /// The keys that it was verified with: it is verified anew with others.
    keys: blake3::Hash,
}

/// Why a token shows nobody. Nothing here quotes the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has another form, or is signed otherwise than with a public key.
    #[error("the token cannot be read, or is not signed by an algorithm with a public key")]
    Unreadable,
    /// It names a key that the provider does not have, or none where several
    /// could be meant, or an algorithm that its key does not allow.
    #[error("no key of the identity provider's fits the token")]
    NoKey,
    /// Its signature is not that of its key.
    #[error("the token's signature does not hold")]
    InvalidSignature,
    /// `iss`, `aud` or `exp` is missing, or a claim has another form than RFC
    /// 7519 gives it.
    #[error("the token lacks `iss`, `aud` or `exp`, or has one that cannot be read")]
    MissingClaim,
    /// `iss` names another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` names others.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It holds, and no caller is meant by its claims.
    #[error("the token's claims are those of no caller here")]
    NoMatchingCaller,
    /// Whether it holds cannot be said.
    #[error("the token cannot be verified: the identity provider's keys cannot be had")]
    Unavailable {
        /// When to ask again.
        retry_after: Duration,
    },
}

impl Settings {
    /// How often keys are read again, unless configured.
    pub const DEFAULT_REFRESH: Duration = Duration::from_mins(10);
}

impl Identity {
    /// Callers by the claims of their tokens; the first whose claims are all in
    /// a token is meant by it.
    #[must_use]
    pub fn new(provider: Provider, callers: Vec<(usize, Claims)>, clock: SharedClock) -> Self {
        Self { provider, callers, verified: Cache::new(MOST_VERIFIED), clock }
    }

    /// The caller that is meant by a token of this BLAKE3 digest, if it was
    /// verified before and still holds.
    #[must_use]
    pub fn recall(&self, digest: &blake3::Hash) -> Option<usize> {
        let verified = self.verified.get(digest)?;
        let holds = self.provider.has(&verified.keys) && !token::has_expired(verified.expires, &self.clock);
        holds.then_some(verified.caller)
    }

    /// The caller that is meant by a token, verified now.
    pub async fn verify(&self, text: &str, digest: blake3::Hash) -> Result<usize, TokenError> {
        let token = Token::read(text)?;
        let keys = self.provider.keys_for(token.key_id()).await?;
        let key = token.key(&keys).ok_or(TokenError::NoKey)?;
        let (claims, expires) = token.verify(key, self.provider.settings(), &self.clock)?;
        let caller = self.callers.iter().find(|(_, wanted)| wanted.are_in(&claims));
        let caller = caller.map(|(place, _)| *place).ok_or(TokenError::NoMatchingCaller)?;
        self.verified.insert(digest, Verified { caller, expires, keys: keys.digest() });
        Ok(caller)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("provider", &self.provider).finish_non_exhaustive()
    }
}
