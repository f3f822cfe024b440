//! Problem documents (RFC 9457).

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'p> {
    /// The path of a page that describes this kind of problem and its remedy.
    #[schema(example = "/problems/invalid_parameter")]
    pub(super) r#type: String,
    /// A short description of this kind of problem.
    #[schema(example = "A parameter has an invalid value")]
    pub(super) title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    pub(super) status: u16,
    /// A description of this occurrence, with the accepted values.
    #[schema(example = "`limit` takes a whole number from 0 to 100, not `1000`")]
    pub(super) detail: &'p str,
    /// The machine-readable kind of problem: the last part of `type`.
    #[schema(example = "invalid_parameter")]
    pub(super) code: &'static str,
    /// The id of the request, as in `X-Request-Id`.
    #[schema(example = "019aa8a5-6f3c-7d5e-9f10-2b1c3d4e5f60")]
    pub(super) request_id: &'p str,
    /// True if the same request may succeed later.
    #[schema(example = false)]
    pub(super) retryable: bool,
    /// The time in seconds to wait before a retry, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, nullable = false, example = 2)]
    pub(super) retry_after: Option<u64>,
    /// The invalid parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    pub(super) parameter: Option<&'p str>,
    /// The connection that the problem concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "affiliates")]
    pub(super) connection: Option<&'p str>,
    /// The accepted alternatives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) supported: Option<&'p [String]>,
    /// The vendor's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) vendor: Option<&'p VendorAnswer>,
}

/// The vendor's error, without secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct VendorAnswer {
    /// The vendor's HTTP status.
    #[schema(example = 429)]
    pub(crate) status: u16,
    /// The vendor's error code.
    #[schema(example = "rate_limit_error")]
    pub(crate) code: Option<String>,
    /// The vendor's error message.
    #[schema(example = "Too many requests. Please try again.")]
    pub(crate) message: Option<String>,
}

/// The problem of a connection whose rows are missing from a page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceProblem {
    /// The path of a page that describes this kind of problem and its remedy.
    #[schema(example = "/problems/vendor_unavailable")]
    pub(super) r#type: String,
    /// A short description of this kind of problem.
    #[schema(example = "The vendor is unavailable")]
    pub(super) title: &'static str,
    /// The HTTP status of the same request to this connection alone.
    #[schema(example = 503)]
    pub(super) status: u16,
    /// A description of this occurrence.
    #[schema(example = "the vendor's circuit breaker is open; retry in 5 s")]
    pub(super) detail: String,
    /// The machine-readable kind of problem: the last part of `type`.
    #[schema(example = "vendor_unavailable")]
    pub(super) code: &'static str,
    /// True if the same request may succeed later.
    #[schema(example = true)]
    pub(super) retryable: bool,
    /// The time in seconds to wait before a retry. Null if the time is not known.
    #[schema(value_type = Option<i64>, example = 5)]
    pub(super) retry_after: Option<u64>,
    /// The invalid parameter. Null if the problem concerns no parameter.
    #[schema(example = "status")]
    pub(super) parameter: Option<Cow<'static, str>>,
}

impl SourceProblem {
    /// Returns the machine-readable kind of problem.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}
