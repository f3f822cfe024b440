//! The vendor's error body, capital `Errors` included.

use http::StatusCode;
use serde_json::json;

use super::super::{
    gate::{self, Answer},
    query::Refusal,
};

/// What a call did wrong. FACTS names one type, `CLIENT_INVALID_REQUEST_BODY`; the other types are
/// named after it.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    r#type: &'static str,
    title: &'static str,
    detail: String,
    /// The parameter at fault.
    pointer: Option<String>,
}

impl Problem {
    /// An unknown customer: the vendor says 'Transaction' (FACTS).
    pub(crate) fn no_customer() -> Self {
        Self { detail: "Transaction not found".to_owned(), ..Self::of(StatusCode::NOT_FOUND) }
    }

    pub(crate) fn no_corporation() -> Self {
        Self { detail: "Corporation not found".to_owned(), ..Self::of(StatusCode::NOT_FOUND) }
    }

    /// The problem of a status that no parameter caused.
    pub(crate) fn of(status: StatusCode) -> Self {
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

    pub(crate) fn answer(self, path: &str) -> Answer {
        let errors: Vec<_> =
            self.pointer.map(|pointer| json!({ "details": self.detail, "pointer": pointer })).into_iter().collect();
        gate::json(
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            r#type: "CLIENT_INVALID_REQUEST_BODY",
            title: "Invalid request",
            detail: refusal.message,
            pointer: Some(refusal.parameter),
        }
    }
}
