//! Problems (RFC 9457): every error that leaves the gateway is one.

mod code;

use std::{any::Any, borrow::Cow, time::Duration};

use axum::{
    http::Method,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::ceil_seconds;

pub use code::Code;

/// The media type of problem documents (RFC 9457, section 6.1).
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What went wrong, on its way to the caller. The edge adds the request's id
/// and writes the document.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    code: Code,
    detail: String,
    parameter: Option<Cow<'static, str>>,
    connection: Option<String>,
    supported: Option<Vec<String>>,
    vendor: Option<VendorAnswer>,
    retry_after: Option<Duration>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument<'p> {
    /// A page that explains this kind of problem.
    #[schema(example = "/problems/invalid_parameter")]
    r#type: String,
    /// What happened, in short.
    #[schema(example = "A parameter has an invalid value")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What happened this time, and what would be accepted.
    #[schema(example = "`limit` takes a whole number from 1 to 100, not `1000`")]
    detail: &'p str,
    /// The kind of problem, for programs: the last part of `type`.
    #[schema(example = "invalid_parameter")]
    code: &'static str,
    /// The request's id, as in `X-Request-Id`.
    #[schema(example = "019aa8a5-6f3c-7d5e-9f10-2b1c3d4e5f60")]
    request_id: &'p str,
    /// Whether the same request may succeed later.
    #[schema(example = false)]
    retryable: bool,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    parameter: Option<&'p str>,
    /// The connection at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "affiliates")]
    connection: Option<&'p str>,
    /// What would be accepted in place of `parameter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    supported: Option<&'p [String]>,
    /// What the vendor said, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    vendor: Option<&'p VendorAnswer>,
}

/// What the vendor said, where it refused or failed and said something;
/// without secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VendorAnswer {
    /// The vendor's HTTP status.
    #[schema(example = 429)]
    pub status: u16,
    /// The vendor's own code.
    #[schema(example = "rate_limit_error")]
    pub code: Option<String>,
    /// The vendor's own message.
    #[schema(example = "Too many requests. Please try again.")]
    pub message: Option<String>,
}

/// Why a connection has no part in a page that is answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceProblem {
    /// A page that explains this kind of problem.
    #[schema(example = "/problems/vendor_unavailable")]
    r#type: String,
    /// What happened, in short.
    #[schema(example = "The vendor is unavailable")]
    title: &'static str,
    /// The HTTP status that the whole answer would have had.
    #[schema(example = 503)]
    status: u16,
    /// What happened this time.
    #[schema(example = "the vendor's circuit breaker is open; retry in 5 s")]
    detail: String,
    /// The kind of problem, for programs.
    #[schema(example = "vendor_unavailable")]
    code: &'static str,
    /// Whether the same request may succeed later.
    #[schema(example = true)]
    retryable: bool,
    /// In how many seconds to come back; null where nobody knows.
    #[schema(value_type = Option<i64>, example = 5)]
    retry_after: Option<u64>,
    /// The parameter at fault; null where none is.
    #[schema(example = "status")]
    parameter: Option<Cow<'static, str>>,
}

impl SourceProblem {
    /// The kind of problem, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<Problem> for SourceProblem {
    fn from(Problem(content): Problem) -> Self {
        let code = content.code;
        Self {
            r#type: code.page(),
            title: code.title(),
            status: code.status().as_u16(),
            detail: content.detail,
            code: code.name(),
            retryable: code.retryable(),
            retry_after: content.retry_after.map(ceil_seconds),
            parameter: content.parameter,
        }
    }
}

impl Problem {
    /// Creates a problem.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            detail: detail.into(),
            parameter: None,
            connection: None,
            supported: None,
            vendor: None,
            retry_after: None,
        }))
    }

    /// A value that a parameter does not take; `accepted` says what it does.
    pub fn invalid(parameter: impl Into<Cow<'static, str>>, accepted: &str, given: &str) -> Self {
        let parameter = parameter.into();
        let detail = format!("`{parameter}` takes {accepted}, not `{}`", excerpt(given));
        Self::new(Code::InvalidParameter, detail).parameter(parameter)
    }

    /// Returns its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Names the parameter that is at fault.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.parameter = Some(name.into());
        self
    }

    /// Names the connection that is at fault.
    #[must_use]
    pub fn connection(mut self, name: impl Into<String>) -> Self {
        self.0.connection = Some(name.into());
        self
    }

    /// Lists what would be accepted.
    #[must_use]
    pub fn supported(mut self, supported: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.supported = Some(supported.into_iter().map(Into::into).collect());
        self
    }

    /// Adds what the vendor answered.
    #[must_use]
    pub fn vendor(mut self, answer: VendorAnswer) -> Self {
        self.0.vendor = Some(answer);
        self
    }

    /// Sets the time after which the request can be repeated.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        // A wait of zero would invite an immediate repetition.
        self.0.retry_after = Some(wait.max(Duration::from_secs(1)));
        self
    }

    /// The document, for the request of this id.
    #[must_use]
    pub fn document(&self, request_id: &str) -> Vec<u8> {
        let content = &self.0;
        let document = ProblemDocument {
            r#type: content.code.page(),
            title: content.code.title(),
            status: content.code.status().as_u16(),
            detail: &content.detail,
            code: content.code.name(),
            request_id,
            retryable: content.code.retryable(),
            parameter: content.parameter.as_deref(),
            connection: content.connection.as_deref(),
            supported: content.supported.as_deref(),
            vendor: content.vendor.as_ref(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    /// Carries the problem to the edge, which writes its document.
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(ceil_seconds(wait)));
        }
        if self.0.code == Code::Unauthenticated {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to a route that does not exist.
pub(crate) async fn unknown_route() -> Problem {
    Problem::new(Code::NotFound, "there is no such route; GET /openapi.json lists those there are")
}

/// The answer to a method that a route does not take.
pub(crate) async fn wrong_method(method: Method) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("this route does not take {method}"))
}

/// The answer to a request whose handler panicked. The panic's message stays
/// inside: it may quote anything.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(Code::Internal, "the gateway failed on this request").into_response()
}

/// The beginning of a caller's value, for a message.
fn excerpt(value: &str) -> String {
    const LONGEST: usize = 64;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
