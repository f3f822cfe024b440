//! Faults of a vendor.

use std::{io, time::Duration};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};

use super::{Answer, body::VendorBody};

/// Fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Status with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// HTML page of a proxy.
    Html(u16),
    /// Connection closed without a response.
    Reset,
    /// Connection closed in the middle of the body.
    Cut,
    /// Correct response after this time.
    Stall(Duration),
    /// Body of this many bytes that does not end.
    Endless(usize),
}

/// Faults that a vendor has at present.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Fraction of the calls with a fault.
    pub probability: f64,
    /// Kinds of faults, equally likely.
    pub kinds: Vec<Fault>,
}

impl Faults {
    /// Returns an outage: every call has the fault.
    pub fn always(fault: Fault) -> Self {
        Self { probability: 1.0, kinds: vec![fault] }
    }

    /// Returns random faults of several kinds, or a random outage.
    pub fn random(random: &mut fastrand::Rng, is_outage: bool) -> Self {
        let all = [
            Fault::Status(429, None),
            Fault::Status(429, Some(1 + random.u64(..2))),
            Fault::Status(503, None),
            Fault::Status(503, Some(1 + random.u64(..3))),
            Fault::Status(500, None),
            Fault::Html(200),
            Fault::Html(502),
            Fault::Reset,
            Fault::Cut,
            Fault::Stall(Duration::from_secs(10)),
        ];
        if is_outage {
            return Self::always(all[random.usize(..all.len())]);
        }
        let mut kinds = all.to_vec();
        random.shuffle(&mut kinds);
        kinds.truncate(3);
        Self { probability: 0.05 + random.f64() * 0.2, kinds }
    }

    /// Returns the fault of the next call, if any.
    pub(super) fn next(&self, random: &mut fastrand::Rng) -> Option<Fault> {
        (!self.kinds.is_empty() && random.f64() < self.probability)
            .then(|| self.kinds[random.usize(..self.kinds.len())])
    }
}

impl Fault {
    /// Applies the fault to a correct answer. An error closes the connection.
    pub(super) async fn apply(self, answer: Answer) -> io::Result<Response<VendorBody>> {
        Ok(match self {
            Self::Status(status, retry_after) => {
                let body = r#"{"success":false,"error":{"message":"Please try again."}}"#.to_owned();
                let mut response = Answer { status: code(status), body }.into_response();
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
            Self::Html(status) => {
                let body = "<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>".to_owned();
                let mut response = Answer { status: code(status), body }.into_response();
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                response
            }
            Self::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
            Self::Cut => {
                let half = answer.body[..answer.body.len() / 2].to_owned();
                answer.into_response().map(|_| VendorBody::broken(Bytes::from(half)))
            }
            Self::Endless(bytes) => answer.into_response().map(|_| VendorBody::endless(Bytes::from(vec![b' '; bytes]))),
            Self::Stall(time) => {
                tokio::time::sleep(time).await;
                answer.into_response()
            }
        })
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("the status is valid")
}
