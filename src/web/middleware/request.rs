//! Outermost layer of the router: request id, size limits, deadline, problem
//! documents and observation.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS},
    uri::Authority,
};
use http_body::Body as _;
use jiff::Timestamp;
use opentelemetry::context::FutureExt;
use uuid::{Builder, Uuid};

use crate::{
    telemetry::request::NONE,
    web::{
        coding::AcceptedCodings,
        middleware::{
            encode::encode_response,
            observe::Observer,
            record::{RequestOutcome, ResponseOrigin},
        },
        problem::{Code, Problem, html},
        query::is_percent_encoded,
        rate_limit::QuotaSlot,
    },
};

/// Header with the request id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of a request target in bytes.
pub(crate) const MAX_TARGET: usize = 8 << 10;
/// Maximum size of all header names and values in bytes.
pub(crate) const MAX_HEADERS: usize = 32 << 10;
/// Maximum length of a request id that a caller sends.
const MAX_REQUEST_ID: usize = 128;

/// Settings of the layer.
#[derive(Debug, Clone)]
pub(crate) struct RequestLayer {
    /// Maximum time from the request head to the response head.
    pub(crate) timeout: Duration,
    /// Recorder of log lines, metrics and spans.
    pub(crate) observer: Observer,
}

/// Runs a request within its limits and completes the response.
pub(crate) async fn handle(State(layer): State<RequestLayer>, mut request: Request, next: Next) -> Response {
    let RequestLayer { timeout, observer } = layer;
    let id = request_id(request.headers().get(REQUEST_ID), Uuid::now_v7);
    let route = request.extensions().get::<MatchedPath>().map_or(NONE, MatchedPath::as_str).into();
    let prefers_html = html::is_preferred(request.headers());
    let codings = AcceptedCodings::new(request.headers());
    let quota = QuotaSlot::default();
    request.extensions_mut().insert(quota.clone());
    let in_flight = observer.begin(request.method(), route, request.headers());
    let mut response = match check_limits(&request) {
        Some(problem) => problem.into_response(),
        None => tokio::time::timeout(timeout, next.run(request))
            .with_context(in_flight.context())
            .await
            .unwrap_or_else(|_| timed_out(timeout)),
    };
    let request_id = id.to_str().unwrap_or_default();
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        write_problem(&mut response, problem, request_id, prefers_html);
        response = encode_response(codings, response).await;
    }
    let outcome = RequestOutcome {
        status: response.status(),
        request_id,
        code: problem.as_ref().map(|problem| problem.code().name()),
        origin: response.extensions_mut().remove::<ResponseOrigin>(),
    };
    let labels = observer.record(in_flight, &outcome);
    response.extensions_mut().insert(labels);
    add_headers(response.headers_mut(), id);
    quota.add_headers(response.headers_mut());
    response
}

/// Writes a problem as a document, or as a page for a browser.
fn write_problem(response: &mut Response, problem: &Problem, request_id: &str, prefers_html: bool) {
    if !prefers_html {
        *response.body_mut() = Body::from(problem.document(request_id));
        return;
    }
    *response.body_mut() = Body::from(problem.html(request_id));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(html::POLICY));
}

/// Adds the headers of every response: the request id, and `nosniff`, which keeps
/// browsers from taking customer data for a page or a script. A response without a
/// freshness lifetime must not be stored: caches could choose one (RFC 9111, section
/// 4.2.2).
pub(crate) fn add_headers(response: &mut HeaderMap, id: HeaderValue) {
    response.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.insert(REQUEST_ID, id);
    response.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Returns the id that the caller sent if it is safe to log, or a new id.
pub(crate) fn request_id(sent: Option<&HeaderValue>, new: impl FnOnce() -> Uuid) -> HeaderValue {
    let sent = sent.filter(|id| {
        let id = id.as_bytes();
        !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let mut buffer = Uuid::encode_buffer();
        let id = new().hyphenated().encode_lower(&mut buffer);
        HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}

/// Returns a UUID of version 7 for a time of day (RFC 9562, section 5.7), without
/// another read of the clock.
pub(crate) fn uuid_at(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

/// Returns the problem of a request head that exceeds a limit or is malformed.
/// The response cache answers no such request.
fn check_head<B>(request: &Request<B>) -> Option<Problem> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > MAX_TARGET {
        return Some(Problem::new(Code::UriTooLong, format!("the target is longer than {MAX_TARGET} bytes")));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MAX_HEADERS {
        return Some(Problem::new(Code::HeadersTooLarge, format!("the headers are larger than {MAX_HEADERS} bytes")));
    }
    if !has_valid_host(request) {
        let detail = "the request must have exactly one `Host` header with a host and an optional port";
        return Some(Problem::new(Code::MalformedRequest, detail));
    }
    None
}

/// Returns true for exactly one valid `Host` (RFC 9112, section 3.2). HTTP/1.0
/// requires none, and HTTP/2 has `:authority` instead.
fn has_valid_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    }
}

/// Returns true for an empty `Host`, or for a host with an optional port.
pub(crate) fn is_host(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    // Usual names need no parser.
    let is_name = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    is_name || Authority::try_from(value).is_ok_and(|host| !host.as_str().contains('@'))
}

/// Returns the problem of a request that exceeds a limit or is malformed.
fn check_limits(request: &Request) -> Option<Problem> {
    if let Some(problem) = check_head(request) {
        return Some(problem);
    }
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    // Any other method is rejected as such, with or without a body. The routes with
    // POST call `reject_body` themselves.
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE)
        && let Err(problem) = reject_body(request.body())
    {
        return Some(problem);
    }
    if !is_percent_encoded(target) {
        return Some(Problem::new(Code::MalformedRequest, "the target is not percent-encoded UTF-8"));
    }
    None
}

/// Returns the problem of a request with a body.
pub(crate) fn reject_body(body: &Body) -> Result<(), Problem> {
    if body.size_hint().lower() == 0 {
        return Ok(());
    }
    Err(Problem::new(Code::ContentTooLarge, "the request has a body, and no route accepts one"))
}

fn timed_out(timeout: Duration) -> Response {
    Problem::new(Code::DeadlineExceeded, format!("no response within {timeout:?}")).into_response()
}
