//! Tolt's error bodies: `{"success":false,"error":{"message","type"}}` (v1),
//! `{"success":false,"message","code","errors":[{"field","message"}]}` (v2),
//! `{"message"}` alone, or no JSON at all (FACTS.md, case 6).

use crate::vendors::{Meaning, VendorRefusal, VendorResponse, error_body::ErrorBody};

/// Reads a refusal. Tolt may refuse with status 200 and `success: false`
/// (FACTS.md, case 4): the error code then determines the meaning.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let body = ErrorBody::read(&response.body);
    let meaning = match body.code.as_deref() {
        Some("authentication_error") => Some(Meaning::Unauthorized),
        Some("rate_limit_error") => Some(Meaning::RateLimited),
        Some("not_found" | "not_found_error") => Some(Meaning::NotFound),
        Some("invalid_cursor" | "validation_error" | "bad_request") => Some(Meaning::Invalid),
        Some("api_error") => Some(Meaning::Failed),
        _ => body.meaning(),
    };
    VendorRefusal::new(response.status, body, meaning)
}
