//! What can go wrong on demand.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};

use super::gate::Answer;

/// A failure that replaces or spoils the answer to a call (FACTS, cases 4, 5, 29 and 32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with the vendor's own error body and no header of its own.
    Status(u16),
    /// This status, with the vendor's own error body and these headers.
    StatusWithHeaders(u16, Vec<(String, String)>),
    /// 200 with an HTML page.
    Html,
    /// 200 with an empty body.
    Empty,
    /// The right answer, whose body ends in the middle though HTTP calls it whole.
    Truncated,
    /// The right answer, whose connection breaks in mid-body.
    Reset,
    /// The right answer, so much later.
    Stall(Duration),
    /// 200 with the vendor's own error body; at Tolt that is `"success": false`.
    SuccessFalse,
    /// 302 to this address.
    Redirect(String),
}

impl Fault {
    /// The right answer, spoilt. `error` makes the vendor's own error for a status.
    pub(crate) fn spoil(self, answer: Answer, error: impl Fn(StatusCode) -> Answer) -> Response<Body> {
        let whole = match self {
            Self::Status(status) => error(status_code(status)),
            Self::StatusWithHeaders(status, headers) => {
                let mut answer = error(status_code(status));
                for (name, value) in headers {
                    // A header that HTTP cannot carry is left out.
                    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
                        answer.headers_mut().append(name, value);
                    }
                }
                answer
            }
            Self::Html => {
                let mut answer =
                    Answer::new(Bytes::from_static(b"<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>"));
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                answer
            }
            Self::Empty => Answer::default(),
            Self::Truncated => answer.map(|body| body.slice(..body.len() / 2)),
            Self::Reset => return broken(answer),
            Self::Stall(_) => answer,
            Self::SuccessFalse => {
                let mut answer = error(StatusCode::INTERNAL_SERVER_ERROR);
                *answer.status_mut() = StatusCode::OK;
                answer
            }
            Self::Redirect(to) => {
                let mut answer = Answer::default();
                *answer.status_mut() = StatusCode::FOUND;
                if let Ok(to) = HeaderValue::try_from(to) {
                    answer.headers_mut().insert(LOCATION, to);
                }
                answer
            }
        };
        whole.map(Body::from)
    }
}

/// An answer that promises its whole length, and ends halfway with an error, on which hyper drops
/// the connection.
fn broken(answer: Answer) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = stream::once(future::ready(Ok(body.slice(..body.len() / 2))));
    let failure = stream::once(async {
        // Lets hyper flush the half before it meets the error.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Response::from_parts(head, Body::from_stream(half.chain(failure)))
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
