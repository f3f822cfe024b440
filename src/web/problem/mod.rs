//! Problems (RFC 9457): the form of every error response.

mod code;
mod document;
mod fallback;
pub(crate) mod html;

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, LINK, RETRY_AFTER, WWW_AUTHENTICATE},
};

use crate::{clock::ceil_seconds, web::link::described_by};

pub(crate) use code::Code;
pub(crate) use document::{ProblemDocument, SourceProblem, VendorAnswer};
pub(crate) use fallback::{panicked, unknown_route, wrong_method};

/// Media type of problem documents (RFC 9457, section 6.1).
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Error of a request, before the request id is known. The layer `request` adds
/// the id and writes the document.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Content>);

/// Boxed, so a `Result` with a problem stays small.
#[derive(Debug, Clone)]
struct Content {
    code: Code,
    detail: String,
    parameter: Option<Cow<'static, str>>,
    connection: Option<String>,
    supported: Option<Vec<String>>,
    vendor: Option<VendorAnswer>,
    retry_after: Option<Duration>,
    is_credential_rejected: bool,
}

impl Problem {
    /// Creates a problem.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            detail: detail.into(),
            parameter: None,
            connection: None,
            supported: None,
            vendor: None,
            retry_after: None,
            is_credential_rejected: false,
        }))
    }

    /// Creates the problem of an invalid value. `accepted` describes the values
    /// that the parameter takes.
    pub(crate) fn invalid(parameter: impl Into<Cow<'static, str>>, accepted: &str, value: &str) -> Self {
        let parameter = parameter.into();
        let detail = format!("`{parameter}` takes {accepted}, not `{}`", excerpt(value));
        Self::new(Code::InvalidParameter, detail).parameter(parameter)
    }

    /// Returns the code.
    #[must_use]
    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    /// Replaces the detail.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Adds a remedy to the detail.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: &str) -> Self {
        self.0.detail.push_str("; ");
        self.0.detail.push_str(remedy);
        self
    }

    /// Sets the invalid parameter.
    #[must_use]
    pub(crate) fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.parameter = Some(name.into());
        self
    }

    /// Sets the connection that the problem concerns.
    #[must_use]
    pub(crate) fn connection(mut self, name: impl Into<String>) -> Self {
        self.0.connection = Some(name.into());
        self
    }

    /// Sets the accepted alternatives.
    #[must_use]
    pub(crate) fn supported(mut self, supported: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.supported = Some(supported.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the vendor's error.
    #[must_use]
    pub(crate) fn vendor(mut self, answer: VendorAnswer) -> Self {
        self.0.vendor = Some(answer);
        self
    }

    /// Sets the time after which the request can be repeated.
    #[must_use]
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        // A wait of zero would invite an immediate repetition.
        self.0.retry_after = Some(wait.max(Duration::from_secs(1)));
        self
    }

    /// Sets the time after which the request can be repeated, unless it is set.
    #[must_use]
    pub(crate) fn retry_after_or(self, wait: Duration) -> Self {
        if self.0.retry_after.is_some() { self } else { self.retry_after(wait) }
    }

    /// Returns the time after which the request can be repeated.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns whether the problem is not the client's.
    pub(crate) fn is_server_error(&self) -> bool {
        self.0.code.status().is_server_error()
    }

    /// Marks the request's credential as rejected, in contrast to missing.
    #[must_use]
    pub(crate) fn credential_rejected(mut self) -> Self {
        self.0.is_credential_rejected = true;
        self
    }

    /// Returns the challenge of a 401. A missing credential has no error code (RFC
    /// 6750, section 3.1).
    fn challenge(&self) -> HeaderValue {
        let bearer = HeaderValue::from_static("Bearer");
        if !self.0.is_credential_rejected {
            return bearer;
        }
        // A description contains neither quotes nor backslashes (RFC 6750, section 3).
        let description = self.0.detail.replace(['"', '\\'], "'");
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
        HeaderValue::try_from(challenge).unwrap_or(bearer)
    }

    /// Returns the problem document for a request.
    #[must_use]
    pub(crate) fn document(&self, request_id: &str) -> Vec<u8> {
        serde_json::to_vec(&self.members(request_id)).unwrap_or_default()
    }

    /// Returns the page of the problem for a request.
    #[must_use]
    pub(crate) fn html(&self, request_id: &str) -> String {
        self.members(request_id).html(self.0.code)
    }

    fn members<'p>(&'p self, request_id: &'p str) -> ProblemDocument<'p> {
        let content = &self.0;
        ProblemDocument {
            r#type: content.code.page(),
            title: content.code.title(),
            status: content.code.status().as_u16(),
            detail: &content.detail,
            code: content.code.name(),
            request_id,
            retryable: content.code.retryable(),
            retry_after: content.retry_after.map(ceil_seconds),
            parameter: content.parameter.as_deref(),
            connection: content.connection.as_deref(),
            supported: content.supported.as_deref(),
            vendor: content.vendor.as_ref(),
        }
    }
}

impl IntoResponse for Problem {
    /// Attaches the problem to the response's extensions. The layer `request`
    /// writes the document.
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(LINK, described_by(&self.0.code.page()));
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(ceil_seconds(wait)));
        }
        if self.0.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, self.challenge());
        }
        response.extensions_mut().insert(self);
        response
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

/// Returns the start of a caller's value, for a message. Control characters, which
/// a terminal would execute, are replaced.
pub(crate) fn excerpt(value: &str) -> String {
    const MAX_CHARS: usize = 64;
    let value = value.replace(char::is_control, "\u{FFFD}");
    match value.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    }
}
