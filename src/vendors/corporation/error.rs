//! The corporation vendor's refusals: `{"error":{"type","title","detail",
//! "status","Errors":[{"details","pointer"}]}}`, capital `Errors` included, or
//! no JSON at all (FACTS.md). HTTP's status counts, not the body's.

use serde::Deserialize;

use crate::vendors::{Call, Refusal, VendorError, VendorResponse, refusal::classify};

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

/// What the vendor means by an answer that is not a success.
pub(super) fn refused(call: &Call, response: &VendorResponse) -> VendorError {
    let refusal = Refusal { status: response.status, ..Refusal::default() };
    let Ok(Body { error }) = serde_json::from_slice(&response.body) else { return classify(call, refusal) };
    let first = error.errors.into_iter().flatten().next().map(|Detail { details, pointer }| {
        format!(" ({}: {})", pointer.unwrap_or_default(), details.unwrap_or_default())
    });
    let message = error.detail.or(error.title).map(|message| message + first.as_deref().unwrap_or_default());
    classify(call, Refusal { code: error.r#type, message, ..refusal })
}
