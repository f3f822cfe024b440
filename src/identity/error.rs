//! Reasons why a token is rejected.

use std::time::Duration;

/// Reason why a token identifies no caller. No text quotes the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT, or not signed with a supported public-key algorithm.
    #[error("the token is malformed, or is not signed with a supported public-key algorithm")]
    Unreadable,
    /// A member of the header or of the claims is repeated.
    #[error("the token repeats a member of its header or claims")]
    RepeatedMember,
    /// Unknown `kid`, ambiguous key, or an algorithm that the key does not allow.
    #[error("no key of the identity provider matches the token")]
    NoKey,
    /// The signature does not verify.
    #[error("the token's signature is invalid")]
    InvalidSignature,
    /// `iss`, `aud` or `exp` is missing, or a registered claim has another type
    /// than RFC 7519 defines.
    #[error("the token lacks `iss`, `aud` or `exp`, or has a malformed registered claim")]
    MissingClaim,
    /// `iss` differs.
    #[error("the token has another issuer")]
    Issuer,
    /// `aud` does not contain the gateway's audience.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token is valid, but its claims identify no caller.
    #[error("the token's claims match no caller")]
    NoMatchingCaller,
    /// The keys are unavailable, so the token cannot be verified.
    #[error("the token cannot be verified, because the identity provider's keys are unavailable")]
    Unavailable {
        /// Time until the next refresh of the keys.
        retry_after: Duration,
    },
    /// The token requires a refresh of the keys, and too many requests wait for it.
    #[error("the token cannot be verified, because {max} requests already wait for the identity provider's keys")]
    TooManyWaiting {
        /// Maximum number of requests that wait.
        max: usize,
        /// Time after which the request may be repeated.
        retry_after: Duration,
    },
}
