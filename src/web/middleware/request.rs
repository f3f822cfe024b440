//! The outermost layer: the request's id, its bounds, its deadline, and the
//! problem document of an answer that is one.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body::Body as _;
use opentelemetry::context::FutureExt;
use uuid::Uuid;

use crate::{
    telemetry::request::NONE,
    web::{
        middleware::{
            observe::Observer,
            record::{RequestOutcome, ResponseOrigin},
        },
        problem::{Code, Problem},
        query::is_percent_encoded,
    },
};

/// The header that carries a request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_TARGET: usize = 8 << 10;
const MAX_HEADERS: usize = 32 << 10;
const LONGEST_REQUEST_ID: usize = 128;

/// What the edge works with.
#[derive(Debug, Clone)]
pub(crate) struct RequestLayer {
    /// How long a request may take.
    pub(crate) timeout: Duration,
    /// Who notes what becomes of it.
    pub(crate) observer: Observer,
}

/// Runs a request within its bounds, and finishes its answer.
pub(crate) async fn handle(State(layer): State<RequestLayer>, request: Request, next: Next) -> Response {
    let RequestLayer { timeout, observer } = layer;
    let id = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or(NONE, MatchedPath::as_str).into();
    let in_flight = observer.begin(request.method(), route, request.headers());
    let mut response = match refuse(&request) {
        Some(problem) => problem.into_response(),
        None => tokio::time::timeout(timeout, next.run(request))
            .with_context(in_flight.context())
            .await
            .unwrap_or_else(|_| late(timeout)),
    };
    let request_id = id.to_str().unwrap_or_default();
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        *response.body_mut() = Body::from(problem.document(request_id));
    }
    let outcome = RequestOutcome {
        status: response.status(),
        request_id,
        code: problem.as_ref().map(|problem| problem.code().name()),
        origin: response.extensions_mut().remove::<ResponseOrigin>(),
    };
    let labels = observer.record(in_flight, &outcome);
    response.extensions_mut().insert(labels);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The caller's own id, where it is one that can stand in a log; else a new one.
pub(crate) fn request_id(request: &HeaderMap) -> HeaderValue {
    let given = request.get(REQUEST_ID).filter(|id| {
        let id = id.as_bytes();
        !id.is_empty() && id.len() <= LONGEST_REQUEST_ID && id.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let mut buffer = Uuid::encode_buffer();
        let id = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}

/// Why a request is not looked at any further.
fn refuse(request: &Request) -> Option<Problem> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > MAX_TARGET {
        return Some(Problem::new(Code::UriTooLong, format!("the target is longer than {MAX_TARGET} bytes")));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MAX_HEADERS {
        return Some(Problem::new(Code::HeadersTooLarge, format!("the headers are larger than {MAX_HEADERS} bytes")));
    }
    // With any other method, that is what is wrong.
    let may_be_right = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    if may_be_right && request.body().size_hint().lower() > 0 {
        return Some(Problem::new(Code::ContentTooLarge, "no route takes a body"));
    }
    if !is_percent_encoded(target) {
        return Some(Problem::new(Code::MalformedRequest, "the target is not percent-encoded UTF-8"));
    }
    None
}

fn late(timeout: Duration) -> Response {
    Problem::new(Code::DeadlineExceeded, format!("no answer within {timeout:?}")).into_response()
}
