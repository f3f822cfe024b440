//! What a vendor's refusal means, alike for every vendor.

use crate::domain::anchor::Anchor;

use super::{Call, Refusal, VendorError};

/// Reads a refusal by its HTTP status (RFC 9110, section 15).
///
/// A 4xx on a page that a walk had reached is about the cursor, since the same
/// filter was accepted on the page before; one that names a parameter that the
/// caller set is about that value.
pub(super) fn classify(call: &Call, refusal: Refusal) -> VendorError {
    match refusal.status {
        401 | 403 => VendorError::Unauthorized(refusal),
        429 => VendorError::RateLimited(refusal),
        404 if matches!(call, Call::Retrieve(_)) => VendorError::NotFound,
        408 => VendorError::Failed(refusal),
        400..=499 => refused_request(call, refusal),
        _ => VendorError::Failed(refusal),
    }
}

fn refused_request(call: &Call, refusal: Refusal) -> VendorError {
    let Call::List(plan, anchor) = call else { return VendorError::Rejected(refusal) };
    if matches!(anchor, Anchor::After(_) | Anchor::Before(_) | Anchor::Token(_)) {
        return VendorError::CursorRefused(refusal);
    }
    let message = refusal.message.as_deref().unwrap_or_default();
    match plan.native.iter().find(|native| names(message, native.name)) {
        Some(native) => VendorError::ValueRefused(native.parameter, refusal),
        None => VendorError::Rejected(refusal),
    }
}

/// Whether a message holds a parameter's name as a word of its own.
fn names(message: &str, name: &str) -> bool {
    message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_named_by_a_whole_word() {
        assert!(names("Invalid value for `status`.", "status"));
        assert!(!names("exemption_status is invalid", "status"));
    }
}
