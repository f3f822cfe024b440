//! Responses of the simulated vendors.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

/// Response with its whole body, before a [`Fault`](super::Fault) is applied.
pub(crate) type BufferedResponse = Response<Bytes>;

/// Builds a JSON response with status 200.
pub(crate) fn ok(body: &impl Serialize) -> BufferedResponse {
    json(StatusCode::OK, body)
}

/// Builds a JSON response.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> BufferedResponse {
    // Only a map key that is not a string could fail; the sandbox has none.
    let mut response = BufferedResponse::new(serde_json::to_vec(body).unwrap_or_default().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
