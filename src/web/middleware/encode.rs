//! Content codings of responses. A representation with an entity tag is encoded
//! where the tag is made, because each coding has its own tag.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::header::{CONTENT_ENCODING, ETAG};
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::web::coding::{self, AcceptedCodings, encode_stream, vary_on_coding};

/// Encodes the response of a request in the coding that the request prefers.
pub(crate) async fn encode(request: Request, next: Next) -> Response {
    let accepted = AcceptedCodings::new(request.headers());
    encode_response(accepted, next.run(request).await).await
}

/// Encodes a response without an entity tag. A stream is encoded part by part.
pub(crate) async fn encode_response(accepted: AcceptedCodings, mut response: Response) -> Response {
    vary_on_coding(response.headers_mut());
    if response.headers().contains_key(ETAG) || response.body().is_end_stream() {
        return response;
    }
    let length = response.body().size_hint().exact();
    let Some(coding) = accepted.for_length(length.unwrap_or(u64::MAX)) else { return response };
    let (mut parts, body) = response.into_parts();
    if length.is_none() {
        return match encode_stream(body, coding) {
            Ok(body) => {
                parts.headers.insert(CONTENT_ENCODING, coding.header_value());
                Response::from_parts(parts, body)
            }
            Err(body) => Response::from_parts(parts, body),
        };
    }
    // A body of known length is in memory, and reading it does not fail.
    let plain = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let encoded = coding::encode(accepted, plain).await;
    if let Some(coding) = encoded.coding {
        parts.headers.insert(CONTENT_ENCODING, coding.header_value());
    }
    Response::from_parts(parts, Body::from(encoded.bytes))
}
