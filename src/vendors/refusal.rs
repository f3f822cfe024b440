//! Vendor errors, and the classification of refusals by HTTP status.

use crate::domain::{anchor::Anchor, parameter::Parameter};

use super::Call;

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
    /// The vendor failed.
    #[error("the vendor failed")]
    Failed,
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
    /// The HTTP status for the classification. It differs from the status of the
    /// response if the vendor refuses with status 200.
    pub effective_status: u16,
    /// The vendor's status, code and message.
    pub refusal: Refusal,
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

    /// Returns the error for an anchor that the vendor cannot express. Its
    /// cursor was created when the connection's name belonged to another vendor.
    pub(super) fn unsupported_anchor() -> Self {
        Self::Refused { kind: RefusalKind::CursorRejected, refusal: Refusal::default() }
    }
}

/// Classifies a refusal by its HTTP status (RFC 9110, section 15).
pub(super) fn classify(call: &Call, VendorRefusal { effective_status, refusal }: VendorRefusal) -> VendorError {
    let kind = match effective_status {
        401 | 403 => RefusalKind::Unauthorized,
        429 => RefusalKind::RateLimited,
        404 if matches!(call, Call::Retrieve(_)) => return VendorError::NotFound,
        408 => RefusalKind::Failed,
        400..=499 => rejection(call, &refusal),
        _ => RefusalKind::Failed,
    };
    VendorError::Refused { kind, refusal }
}

/// Returns the cause of a 4xx status.
///
/// On a later page, the cause is the cursor: the vendor accepted the same
/// filter on the page before. On a first page, the cause is the value of a
/// parameter if the message names one.
fn rejection(call: &Call, refusal: &Refusal) -> RefusalKind {
    let Call::List(plan, anchor) = call else { return RefusalKind::RequestRejected };
    if matches!(anchor, Anchor::After(_) | Anchor::Before(_) | Anchor::Token(_)) {
        return RefusalKind::CursorRejected;
    }
    let message = refusal.message.as_deref().unwrap_or_default();
    match plan.native.iter().find(|native| contains_word(message, native.name)) {
        Some(native) => RefusalKind::ValueRejected(native.parameter),
        None => RefusalKind::RequestRejected,
    }
}

/// Returns true if a message contains a parameter's name as a whole word.
fn contains_word(message: &str, name: &str) -> bool {
    message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_name_matches_whole_words_only() {
        assert!(contains_word("Invalid value for `status`.", "status"));
        assert!(!contains_word("exemption_status is invalid", "status"));
    }
}
