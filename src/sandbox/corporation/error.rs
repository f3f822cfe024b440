//! Error responses in the vendor's format, with `Errors` capitalized as in its schema.

use http::StatusCode;
use serde_json::json;

use super::super::{
    query::InvalidParameter,
    response::{self, BufferedResponse},
};

/// Error of a call.
///
/// FACTS names one type, `CLIENT_INVALID_REQUEST_BODY`. The other types follow its naming.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    r#type: &'static str,
    title: &'static str,
    detail: String,
    /// Name of the invalid parameter.
    pointer: Option<String>,
}

impl ErrorResponse {
    /// Builds the error for an unknown customer. The vendor's text is 'Transaction' (FACTS).
    pub(crate) fn unknown_customer() -> Self {
        Self { detail: "Transaction not found".to_owned(), ..Self::from_status(StatusCode::NOT_FOUND) }
    }

    pub(crate) fn unknown_corporation() -> Self {
        Self { detail: "Corporation not found".to_owned(), ..Self::from_status(StatusCode::NOT_FOUND) }
    }

    /// Builds the error for a status that no parameter caused.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        let r#type = match status {
            StatusCode::UNAUTHORIZED => "CLIENT_UNAUTHORIZED",
            StatusCode::FORBIDDEN => "CLIENT_FORBIDDEN",
            StatusCode::NOT_FOUND => "CLIENT_NOT_FOUND",
            StatusCode::METHOD_NOT_ALLOWED => "CLIENT_METHOD_NOT_ALLOWED",
            StatusCode::TOO_MANY_REQUESTS => "CLIENT_TOO_MANY_REQUESTS",
            status if status.is_client_error() => "CLIENT_INVALID_REQUEST",
            _ => "SERVER_ERROR",
        };
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status, r#type, title, detail: title.to_owned(), pointer: None }
    }

    pub(crate) fn into_response(self, path: &str) -> BufferedResponse {
        let errors: Vec<_> =
            self.pointer.map(|pointer| json!({ "details": self.detail, "pointer": pointer })).into_iter().collect();
        response::json(
            self.status,
            &json!({
                "error": {
                    "type": self.r#type,
                    "doc_url": "https://docs.example/errors",
                    "title": self.title,
                    "detail": self.detail,
                    "status": self.status.as_u16(),
                    "instance": path,
                    "Errors": errors,
                },
            }),
        )
    }
}

impl From<InvalidParameter> for ErrorResponse {
    fn from(error: InvalidParameter) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            r#type: "CLIENT_INVALID_REQUEST_BODY",
            title: "Invalid request",
            detail: error.message,
            pointer: Some(error.parameter),
        }
    }
}
