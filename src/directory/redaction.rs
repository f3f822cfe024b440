//! Redaction of vendor errors before they reach a caller or the log.

use crate::{
    upstream::Upstream,
    vendors::{Refusal, VendorError},
};

/// Maximum length of a text from the vendor, in characters.
const MAX_TEXT: usize = 300;

/// Removes the credential from the vendor's texts and truncates them.
pub(super) fn redact(error: VendorError, upstream: &Upstream) -> VendorError {
    let clean = |text: Option<String>| text.map(|text| upstream.redact(&text).chars().take(MAX_TEXT).collect());
    let redact = |refusal: Refusal| Refusal { code: clean(refusal.code), message: clean(refusal.message), ..refusal };
    match error {
        VendorError::CursorRefused(refusal) => VendorError::CursorRefused(redact(refusal)),
        VendorError::ValueRefused(parameter, refusal) => VendorError::ValueRefused(parameter, redact(refusal)),
        VendorError::Rejected(refusal) => VendorError::Rejected(redact(refusal)),
        VendorError::Unauthorized(refusal) => VendorError::Unauthorized(redact(refusal)),
        VendorError::RateLimited(refusal) => VendorError::RateLimited(redact(refusal)),
        VendorError::Failed(refusal) => VendorError::Failed(redact(refusal)),
        error @ (VendorError::NotFound | VendorError::Unreadable(_)) => error,
    }
}
