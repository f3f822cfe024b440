//! Errors of authentication.

use std::{sync::Arc, time::Duration};

use crate::identity::TokenError;

/// Reason why a request is rejected. No message quotes a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The header is missing.
    #[error("the `Authorization` header is missing; send `Authorization: Bearer <key>`")]
    MissingHeader,
    /// The header has another scheme.
    #[error("the `Authorization` header is not `Bearer <key>`")]
    NotBearer,
    /// The key is known and has expired.
    #[error("the key has expired")]
    KeyExpired,
    /// The key is unknown.
    #[error("the key is unknown")]
    UnknownKey,
    /// The token was rejected.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The caller's quota is exhausted.
    #[error("the quota of `{caller}` is exhausted")]
    QuotaExceeded {
        /// Name of the caller.
        caller: Arc<str>,
        /// Time until the next request is admitted.
        retry_after: Duration,
    },
}
