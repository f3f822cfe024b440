//! Vendor errors.

use crate::domain::parameter::Parameter;

use super::{error_body::ErrorBody, meaning::Meaning};

/// A response without records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// The record does not exist.
    #[error("the record does not exist")]
    NotFound,
    /// The vendor refused the call or failed.
    #[error("{kind}")]
    Refused {
        /// The cause, determined from the status and the message.
        kind: RefusalKind,
        /// The vendor's status, code and message.
        refusal: Refusal,
    },
    /// The response is not in a form that the adapter can read.
    #[error("the vendor's response cannot be read: {0}")]
    Unreadable(String),
}

/// The cause of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalKind {
    /// The vendor does not know the cursor.
    #[error("the vendor rejected the cursor")]
    CursorRejected,
    /// The vendor does not accept the caller's value of this parameter.
    #[error("the vendor rejected the value of `{0}`")]
    ValueRejected(Parameter),
    /// The vendor does not accept the request, for another reason.
    #[error("the vendor rejected the request")]
    RequestRejected,
    /// The vendor does not accept the connection's credential.
    #[error("the vendor rejected the credential")]
    Unauthorized,
    /// The vendor's rate limit is exceeded.
    #[error("the vendor's rate limit is exceeded")]
    RateLimited,
    /// The vendor failed, or a proxy or protection service responded instead.
    #[error("the vendor failed")]
    Failed {
        /// Whether an immediate retry can help.
        retryable: bool,
    },
}

/// A vendor's description of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// The HTTP status of the response, even if the body contains another.
    pub status: u16,
    /// The vendor's error code or type.
    pub code: Option<String>,
    /// The vendor's message.
    pub message: Option<String>,
}

/// A refusal as an adapter reads it.
#[derive(Debug)]
pub struct VendorRefusal {
    /// The meaning of the vendor's error code, if the code is known.
    pub meaning: Option<Meaning>,
    /// The status that the body states.
    pub body_status: Option<u16>,
    /// The vendor's status, code and message.
    pub refusal: Refusal,
}

impl VendorRefusal {
    /// Combines a response's status with its error body.
    pub(super) fn new(status: u16, body: ErrorBody, meaning: Option<Meaning>) -> Self {
        let ErrorBody { code, message, status: body_status, .. } = body;
        Self { meaning, body_status, refusal: Refusal { status, code, message } }
    }
}

impl VendorError {
    /// Changes the refusal, if there is one.
    #[must_use]
    pub fn map_refusal(self, change: impl FnOnce(Refusal) -> Refusal) -> Self {
        match self {
            Self::Refused { kind, refusal } => Self::Refused { kind, refusal: change(refusal) },
            error @ (Self::NotFound | Self::Unreadable(_)) => error,
        }
    }

    /// Returns the cause of a refusal.
    #[must_use]
    pub fn kind(&self) -> Option<RefusalKind> {
        match self {
            Self::Refused { kind, .. } => Some(*kind),
            Self::NotFound | Self::Unreadable(_) => None,
        }
    }

    /// Returns the status that the classification stands for. It differs from
    /// the HTTP status if the vendor refuses with another one.
    #[must_use]
    pub fn effective_status(&self, status: u16) -> u16 {
        match self.kind() {
            Some(RefusalKind::RateLimited) => 429,
            Some(RefusalKind::Unauthorized) if status != 403 => 401,
            Some(RefusalKind::Failed { .. }) if status < 500 && status != 408 => 502,
            Some(RefusalKind::CursorRejected | RefusalKind::ValueRejected(_) | RefusalKind::RequestRejected)
                if status < 400 =>
            {
                400
            }
            None if *self == Self::NotFound => 404,
            _ => status,
        }
    }

    /// Returns the error for an anchor that the vendor cannot express. Its
    /// cursor was created when the connection's name belonged to another vendor.
    pub(super) fn unsupported_anchor() -> Self {
        Self::Refused { kind: RefusalKind::CursorRejected, refusal: Refusal::default() }
    }
}
