//! Bounded response bodies.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use super::coding::Codings;

/// Failure to read a response body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection ended before the body did.
    #[error("the response body was interrupted: {0}")]
    Interrupted(String),
    /// The body exceeds the maximum number of bytes.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// The body has a content coding that the gateway does not support.
    #[error("the response has the unknown content coding `{0}`")]
    UnknownCoding(String),
    /// The body does not match its content coding.
    #[error("the response body cannot be decoded: {0}")]
    Undecodable(String),
}

impl BodyError {
    /// Returns whether another attempt may receive the whole body.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted(_))
    }
}

/// Reads and decodes a body of at most `max_body` bytes. The limit applies
/// before and after decoding.
pub(crate) async fn read_body(mut response: Response, max_body: usize) -> Result<Bytes, BodyError> {
    let codings = Codings::of(response.headers())?;
    let too_large = BodyError::TooLarge(max_body);
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(too_large);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Interrupted(root_cause(error)))? {
        if body.len() + chunk.len() > max_body {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    codings.decode(body.freeze(), max_body)
}

/// Returns the innermost cause of an error, without the URL. The query of a URL
/// may contain customer data.
pub(crate) fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
