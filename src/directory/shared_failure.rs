//! Failures of vendor calls, as one replica reports them to the replicas that waited.
//!
//! Failures of the replica itself are not reported: a spent rate limit or share, an open
//! circuit breaker, an overload, an abandoned or aborted call.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    http_client::BodyError,
    upstream::SendError,
    vendors::{Refusal, RefusalKind, VendorError},
};

use super::SourceError;

/// First byte of an encoded failure. It changes with every change to the encoding.
const VERSION: u8 = 1;
/// Maximum length of a text from a vendor, in bytes.
const MAX_TEXT: usize = 1024;

/// Failure of a vendor call that concerns all replicas.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SharedFailure<'a> {
    Refused {
        kind: Kind,
        status: u16,
        code: Option<Cow<'a, str>>,
        message: Option<Cow<'a, str>>,
        response_status: Option<u16>,
        retry_after: Option<Duration>,
    },
    Unreadable {
        reason: Cow<'a, str>,
        response_status: Option<u16>,
        retry_after: Option<Duration>,
    },
    TimedOut(Duration),
    Unreachable(Cow<'a, str>),
    Interrupted(Cow<'a, str>),
}

/// Kind of a refusal. The value of a parameter concerns one caller, and is not shared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    CursorRejected,
    RequestRejected,
    Unauthorized,
    RateLimited,
    Failed { retryable: bool },
}

impl<'a> SharedFailure<'a> {
    /// Returns the failure, if it concerns all replicas.
    pub(super) fn new(error: &'a SourceError) -> Option<Self> {
        match error {
            SourceError::Vendor { error: VendorError::Refused { kind, refusal }, status, retry_after } => {
                Some(Self::Refused {
                    kind: Kind::new(*kind)?,
                    status: refusal.status,
                    code: refusal.code.as_deref().map(text),
                    message: refusal.message.as_deref().map(text),
                    response_status: *status,
                    retry_after: *retry_after,
                })
            }
            SourceError::Vendor { error: VendorError::Unreadable(reason), status, retry_after } => {
                Some(Self::Unreadable { reason: text(reason), response_status: *status, retry_after: *retry_after })
            }
            SourceError::Send(SendError::TimedOut(limit)) => Some(Self::TimedOut(*limit)),
            SourceError::Send(SendError::Unreachable(reason)) => Some(Self::Unreachable(text(reason))),
            SourceError::Send(SendError::Body(BodyError::Interrupted(reason))) => Some(Self::Interrupted(text(reason))),
            SourceError::Vendor { error: VendorError::NotFound, .. }
            | SourceError::Send(_)
            | SourceError::NotCached
            | SourceError::Aborted => None,
        }
    }

    /// Encodes the failure.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Serialization to memory does not fail.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Decodes a failure. `None` for bytes of another version.
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        if version == VERSION { postcard::from_bytes(rest).ok() } else { None }
    }
}

impl From<SharedFailure<'_>> for SourceError {
    fn from(failure: SharedFailure<'_>) -> Self {
        match failure {
            SharedFailure::Refused { kind, status, code, message, response_status, retry_after } => {
                let refusal =
                    Refusal { status, code: code.map(Cow::into_owned), message: message.map(Cow::into_owned) };
                Self::Vendor {
                    error: VendorError::Refused { kind: kind.into(), refusal },
                    status: response_status,
                    retry_after,
                }
            }
            SharedFailure::Unreadable { reason, response_status, retry_after } => Self::Vendor {
                error: VendorError::Unreadable(reason.into_owned()),
                status: response_status,
                retry_after,
            },
            SharedFailure::TimedOut(limit) => Self::Send(SendError::TimedOut(limit)),
            SharedFailure::Unreachable(reason) => Self::Send(SendError::Unreachable(reason.into_owned())),
            SharedFailure::Interrupted(reason) => {
                Self::Send(SendError::Body(BodyError::Interrupted(reason.into_owned())))
            }
        }
    }
}

impl Kind {
    fn new(kind: RefusalKind) -> Option<Self> {
        match kind {
            RefusalKind::CursorRejected => Some(Self::CursorRejected),
            RefusalKind::ValueRejected(_) => None,
            RefusalKind::RequestRejected => Some(Self::RequestRejected),
            RefusalKind::Unauthorized => Some(Self::Unauthorized),
            RefusalKind::RateLimited => Some(Self::RateLimited),
            RefusalKind::Failed { retryable } => Some(Self::Failed { retryable }),
        }
    }
}

impl From<Kind> for RefusalKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::CursorRejected => Self::CursorRejected,
            Kind::RequestRejected => Self::RequestRejected,
            Kind::Unauthorized => Self::Unauthorized,
            Kind::RateLimited => Self::RateLimited,
            Kind::Failed { retryable } => Self::Failed { retryable },
        }
    }
}

/// Returns the beginning of a text.
fn text(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(&text[..text.floor_char_boundary(MAX_TEXT)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(error: &SourceError) -> Option<SourceError> {
        let bytes = SharedFailure::new(error)?.to_bytes();
        Some(SharedFailure::from_bytes(&bytes).unwrap().into())
    }

    #[test]
    fn shared_failure_decodes_to_itself() {
        let refusal = Refusal { status: 429, code: None, message: Some("too many".to_owned()) };
        let kinds = [
            RefusalKind::CursorRejected,
            RefusalKind::RequestRejected,
            RefusalKind::Unauthorized,
            RefusalKind::RateLimited,
            RefusalKind::Failed { retryable: true },
        ];
        let (status, retry_after) = (Some(429), Some(Duration::from_millis(1_500)));
        for kind in kinds {
            let error = VendorError::Refused { kind, refusal: refusal.clone() };
            let error = SourceError::Vendor { error, status, retry_after };
            assert_eq!(shared(&error), Some(error));
        }
        for error in [
            SourceError::Vendor { error: VendorError::Unreadable("no JSON".to_owned()), status, retry_after: None },
            SourceError::Send(SendError::TimedOut(Duration::from_secs(10))),
            SourceError::Send(SendError::Unreachable("refused".to_owned())),
            SourceError::Send(SendError::Body(BodyError::Interrupted("closed".to_owned()))),
        ] {
            assert_eq!(shared(&error), Some(error));
        }
    }

    #[test]
    fn local_failure_is_not_shared() {
        let retry_after = Duration::from_secs(1);
        for error in [
            SendError::BudgetSpent { retry_after },
            SendError::Paused { retry_after },
            SendError::ShareSpent { retry_after },
            SendError::BreakerOpen { retry_after },
            SendError::TooManyWaiting,
            SendError::Abandoned,
            SendError::Local("descriptors".to_owned()),
            SendError::Body(BodyError::MemoryLimit(1)),
            SendError::Body(BodyError::Local("buffers".to_owned())),
        ] {
            assert_eq!(shared(&SourceError::Send(error)), None);
        }
        assert_eq!(shared(&SourceError::Aborted), None);
    }

    #[test]
    fn foreign_bytes_are_not_a_failure() {
        for bytes in [&b""[..], &[VERSION], &[VERSION + 1, 2, 1, 0], &[VERSION, 99]] {
            assert_eq!(SharedFailure::from_bytes(bytes), None);
        }
    }

    #[test]
    fn long_text_is_cut() {
        let error = SourceError::Send(SendError::Unreachable("ä".repeat(MAX_TEXT)));
        let Some(SourceError::Send(SendError::Unreachable(text))) = shared(&error) else { panic!("not shared") };
        assert_eq!(text.len(), MAX_TEXT);
    }
}
