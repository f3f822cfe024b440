//! Error responses in Tolt's v1 envelope.

use http::StatusCode;
use serde_json::json;

use super::{
    super::{
        query::InvalidParameter,
        response::{self, BufferedResponse},
    },
    table::UnknownCursor,
};

/// Error of a call.
///
/// The v1 pages name two types, `authentication_error` and `rate_limit_error`, and no statuses. The
/// other types are the codes of v2 (FACTS), or follow their naming.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    r#type: &'static str,
    message: String,
}

impl ErrorResponse {
    pub(crate) fn not_found(object: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, r#type: "not_found", message: format!("{object} not found") }
    }

    /// Builds the error for a status that no parameter caused.
    pub(crate) fn from_status(status: StatusCode) -> Self {
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

    pub(crate) fn into_response(self) -> BufferedResponse {
        response::json(
            self.status,
            &json!({
                "success": false,
                "error": { "message": self.message, "type": self.r#type },
            }),
        )
    }
}

impl From<InvalidParameter> for ErrorResponse {
    fn from(error: InvalidParameter) -> Self {
        Self { status: StatusCode::BAD_REQUEST, r#type: "validation_error", message: error.message }
    }
}

impl From<UnknownCursor> for ErrorResponse {
    fn from(UnknownCursor: UnknownCursor) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            r#type: "invalid_cursor",
            message: "The cursor is not the id of a row".to_owned(),
        }
    }
}
