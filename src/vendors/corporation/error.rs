//! The corporation vendor's error bodies: `{"error":{"type","title","detail",
//! "status","Errors":[{"details","pointer"}]}}` with a capital `Errors`, or no
//! JSON at all (FACTS.md, case 6). The HTTP status takes precedence over the
//! status in the body, except for a success.

use crate::vendors::{VendorRefusal, VendorResponse, error_body::ErrorBody};

/// Reads a refusal. The vendor documents no list of codes, so codes are read by
/// their words.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let body = ErrorBody::read(&response.body);
    let meaning = body.meaning();
    VendorRefusal::new(response.status, body, meaning)
}
