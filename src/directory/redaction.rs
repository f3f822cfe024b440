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
    error.map_refusal(|Refusal { status, code, message }| Refusal {
        status,
        code: clean(code),
        message: clean(message),
    })
}
