//! Tolt's v1 error envelope.

use http::StatusCode;
use serde_json::json;

use super::{
    super::{
        gate::{self, Answer},
        query::Refusal,
    },
    table::UnknownCursor,
};

/// What a call did wrong. The v1 pages name two types, `authentication_error` and
/// `rate_limit_error`, and no statuses; the other types are the codes of v2 (FACTS), or named
/// after them.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    r#type: &'static str,
    message: String,
}

impl Problem {
    pub(crate) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, r#type: "not_found", message: format!("{what} not found") }
    }

    /// The problem of a status that no parameter caused.
    pub(crate) fn of(status: StatusCode) -> Self {
        let (r#type, message) = match status {
            StatusCode::UNAUTHORIZED => ("authentication_error", "Invalid API key provided"),
            StatusCode::TOO_MANY_REQUESTS => ("rate_limit_error", "Too many requests. Please try again."),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "Method not allowed"),
            StatusCode::FORBIDDEN => ("permission_error", "Not allowed"),
            StatusCode::NOT_FOUND => ("not_found", "Not found"),
            status if status.is_client_error() => ("bad_request", "Bad request"),
            _ => ("api_error", "Something went wrong"),
        };
        Self { status, r#type, message: message.to_owned() }
    }

    pub(crate) fn answer(self) -> Answer {
        gate::json(
            self.status,
            &json!({
                "success": false,
                "error": { "message": self.message, "type": self.r#type },
            }),
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { status: StatusCode::BAD_REQUEST, r#type: "validation_error", message: refusal.message }
    }
}

impl From<UnknownCursor> for Problem {
    fn from(UnknownCursor: UnknownCursor) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            r#type: "invalid_cursor",
            message: "The cursor is not a known id".to_owned(),
        }
    }
}
