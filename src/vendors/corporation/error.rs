//! The corporation vendor's error bodies: `{"error":{"type","title","detail",
//! "status","Errors":[{"details","pointer"}]}}` with a capital `Errors`, or no
//! JSON at all (FACTS.md, case 6). The HTTP status takes precedence over the
//! status in the body.

use serde::Deserialize;

use crate::vendors::{Refusal, VendorRefusal, VendorResponse};

/// Reads a refusal.
pub(super) fn refusal(response: &VendorResponse) -> VendorRefusal {
    let (code, message) = match serde_json::from_slice(&response.body) {
        Ok(Body { error }) => code_and_message(error),
        Err(_) => (None, None),
    };
    VendorRefusal { effective_status: response.status, refusal: Refusal { status: response.status, code, message } }
}

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    r#type: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    #[serde(rename = "Errors")]
    errors: Option<Vec<Detail>>,
}

#[derive(Deserialize)]
struct Detail {
    details: Option<String>,
    pointer: Option<String>,
}

fn code_and_message(error: Inner) -> (Option<String>, Option<String>) {
    let first = error.errors.into_iter().flatten().next().map(|Detail { details, pointer }| {
        format!(" ({}: {})", pointer.unwrap_or_default(), details.unwrap_or_default())
    });
    let message = error.detail.or(error.title).map(|message| message + first.as_deref().unwrap_or_default());
    (error.r#type, message)
}
