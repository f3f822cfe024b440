//! Faults that tests inject.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};

use super::response::BufferedResponse;

/// Fault that replaces or damages the response to a call (FACTS, cases 4, 5, 29 and 32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Error response with this status, the vendor's own error body and no additional header.
    Status(u16),
    /// Error response with this status, the vendor's own error body and additional headers.
    StatusWithHeaders(u16, Vec<(String, String)>),
    /// 200 with an HTML page.
    Html,
    /// 200 with an empty body.
    Empty,
    /// Correct response with half of its body, complete by the rules of HTTP.
    Truncated,
    /// Correct response whose connection is closed in mid-body.
    Reset,
    /// Correct response, delayed by this duration.
    Stall(Duration),
    /// 200 with the vendor's own error body. The body of Tolt has `"success": false`.
    SuccessFalse,
    /// 302 to this URL.
    Redirect(String),
}

impl Fault {
    /// Applies the fault to a correct response. `error` builds the vendor's own error for a status.
    pub(crate) fn apply(
        self,
        response: BufferedResponse,
        error: impl Fn(StatusCode) -> BufferedResponse,
    ) -> Response<Body> {
        let response = match self {
            Self::Status(status) => error(status_code(status)),
            Self::StatusWithHeaders(status, headers) => {
                let mut response = error(status_code(status));
                for (name, value) in headers {
                    // A header that is invalid in HTTP is omitted.
                    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
                        response.headers_mut().append(name, value);
                    }
                }
                response
            }
            Self::Html => {
                let mut response = BufferedResponse::new(Bytes::from_static(
                    b"<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>",
                ));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                response
            }
            Self::Empty => BufferedResponse::default(),
            Self::Truncated => response.map(|body| body.slice(..body.len() / 2)),
            Self::Reset => return interrupted(response),
            Self::Stall(_) => response,
            Self::SuccessFalse => {
                let mut response = error(StatusCode::INTERNAL_SERVER_ERROR);
                *response.status_mut() = StatusCode::OK;
                response
            }
            Self::Redirect(to) => {
                let mut response = BufferedResponse::default();
                *response.status_mut() = StatusCode::FOUND;
                if let Ok(to) = HeaderValue::try_from(to) {
                    response.headers_mut().insert(LOCATION, to);
                }
                response
            }
        };
        response.map(Body::from)
    }
}

/// Builds a response that declares its full length and fails after half of the body. Hyper closes
/// the connection on the error.
fn interrupted(response: BufferedResponse) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = stream::once(future::ready(Ok(body.slice(..body.len() / 2))));
    let failure = stream::once(async {
        // Time for hyper to flush the first half before the error.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Response::from_parts(head, Body::from_stream(half.chain(failure)))
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
