//! The corporation vendor's error bodies: `{"error":{"type","title","detail",
//! "status","Errors":[{"details","pointer"}]}}` with a capital `Errors`, or no
//! JSON at all (FACTS.md, case 6). The HTTP status takes precedence over the
//! status in the body.

use crate::vendors::{Refusal, VendorRefusal, VendorResponse, error_body::ErrorBody};

/// Reads a refusal.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let ErrorBody { code, message } = ErrorBody::read(&response.body);
    VendorRefusal { effective_status: response.status, refusal: Refusal { status: response.status, code, message } }
}
