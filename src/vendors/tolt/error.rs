//! Tolt's refusals: `{"success":false,"error":{"message","type"}}` (v1),
//! `{"success":false,"message","code","errors":[{"field","message"}]}` (v2),
//! `{"message"}` alone, or no JSON at all (FACTS.md).

use serde::Deserialize;

use crate::vendors::{Call, Refusal, VendorError, VendorResponse, refusal::classify};

#[derive(Deserialize)]
struct Body {
    error: Option<Inner>,
    message: Option<String>,
    code: Option<String>,
    errors: Option<Vec<FieldError>>,
}

#[derive(Deserialize)]
struct Inner {
    message: Option<String>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct FieldError {
    field: Option<String>,
    message: Option<String>,
}

/// What Tolt means by an answer that is not a success, also by a 200 that says
/// `success: false`.
pub(super) fn refused(call: &Call, response: &VendorResponse) -> VendorError {
    let refusal = read(response);
    if response.status != 200 {
        return classify(call, refusal);
    }
    let meant = match refusal.code.as_deref() {
        Some("authentication_error") => 401,
        Some("rate_limit_error") => 429,
        Some("not_found" | "not_found_error") => 404,
        Some("invalid_cursor" | "validation_error" | "bad_request") => 400,
        _ => return VendorError::Failed(refusal),
    };
    match classify(call, Refusal { status: meant, ..refusal }) {
        VendorError::Unauthorized(refusal) => VendorError::Unauthorized(as_sent(refusal)),
        VendorError::RateLimited(refusal) => VendorError::RateLimited(as_sent(refusal)),
        VendorError::CursorRefused(refusal) => VendorError::CursorRefused(as_sent(refusal)),
        VendorError::ValueRefused(parameter, refusal) => VendorError::ValueRefused(parameter, as_sent(refusal)),
        VendorError::Rejected(refusal) => VendorError::Rejected(as_sent(refusal)),
        other => other,
    }
}

fn as_sent(refusal: Refusal) -> Refusal {
    Refusal { status: 200, ..refusal }
}

fn read(response: &VendorResponse) -> Refusal {
    let none = Refusal { status: response.status, ..Refusal::default() };
    let Ok(body) = serde_json::from_slice::<Body>(&response.body) else { return none };
    let (inner_message, inner_type) = body.error.map_or((None, None), |inner| (inner.message, inner.r#type));
    let mut message = inner_message.or(body.message);
    if let Some(FieldError { field: Some(field), message: about }) = body.errors.into_iter().flatten().next() {
        let about = about.unwrap_or_default();
        message = Some(format!("{} ({field}: {about})", message.unwrap_or_default()).trim_start().to_owned());
    }
    Refusal { code: inner_type.or(body.code), message, ..none }
}
