//! Tolt's error bodies: `{"success":false,"error":{"message","type"}}` (v1),
//! `{"success":false,"message","code","errors":[{"field","message"}]}` (v2),
//! `{"message"}` alone, or no JSON at all (FACTS.md, case 6).

use serde::Deserialize;

use crate::vendors::{Refusal, VendorRefusal, VendorResponse};

/// Reads a refusal. Tolt may refuse with status 200 and `success: false`
/// (FACTS.md, case 4): the error code then determines the effective status.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let (code, message) =
        serde_json::from_slice(&response.body).map_or((None, None), |body: Body| (body.code(), body.message()));
    let effective_status = match (response.status, code.as_deref()) {
        (200, Some("authentication_error")) => 401,
        (200, Some("rate_limit_error")) => 429,
        (200, Some("not_found" | "not_found_error")) => 404,
        (200, Some("invalid_cursor" | "validation_error" | "bad_request")) => 400,
        (status, _) => status,
    };
    VendorRefusal { effective_status, refusal: Refusal { status: response.status, code, message } }
}

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

impl Body {
    fn code(&self) -> Option<String> {
        self.error.as_ref().and_then(|error| error.r#type.clone()).or_else(|| self.code.clone())
    }

    fn message(&self) -> Option<String> {
        let message = self.error.as_ref().and_then(|error| error.message.as_deref()).or(self.message.as_deref());
        match self.errors.iter().flatten().next() {
            Some(FieldError { field: Some(field), message: detail }) => {
                let detail = detail.as_deref().unwrap_or_default();
                Some(format!("{} ({field}: {detail})", message.unwrap_or_default()).trim_start().to_owned())
            }
            _ => message.map(str::to_owned),
        }
    }
}
