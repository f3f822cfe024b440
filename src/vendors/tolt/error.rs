//! Tolt's error bodies: `{"success":false,"error":{"message","type"}}` (v1),
//! `{"success":false,"message","code","errors":[{"field","message"}]}` (v2),
//! `{"message"}` alone, or no JSON at all (FACTS.md, case 6).

use crate::vendors::{Refusal, VendorRefusal, VendorResponse, error_body::ErrorBody};

/// Reads a refusal. Tolt may refuse with status 200 and `success: false`
/// (FACTS.md, case 4): the error code then determines the effective status.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let ErrorBody { code, message } = ErrorBody::read(&response.body);
    let effective_status = match (response.status, code.as_deref()) {
        (200, Some("authentication_error")) => 401,
        (200, Some("rate_limit_error")) => 429,
        (200, Some("not_found" | "not_found_error")) => 404,
        (200, Some("invalid_cursor" | "validation_error" | "bad_request")) => 400,
        (status, _) => status,
    };
    VendorRefusal { effective_status, refusal: Refusal { status: response.status, code, message } }
}
