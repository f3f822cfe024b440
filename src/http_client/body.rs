//! Bounded response bodies.

use std::error::Error;

use bytes::Bytes;
use reqwest::Response;

use super::{
    coding::Codings,
    memory::{BodyMemory, Charge},
};

/// First capacity of a body's buffer.
const MIN_CAPACITY: usize = 16 << 10;

/// Failure to read a response body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection ended before the body did.
    #[error("the response body was interrupted: {0}")]
    Interrupted(String),
    /// The body exceeds the maximum number of bytes.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// The bodies in flight have reached their maximum number of bytes.
    #[error("the vendor responses in flight have reached the limit of {0} bytes")]
    MemoryLimit(usize),
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

/// Body with its bytes in the bound of the memory.
struct Charged {
    body: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Reads and decodes a body of at most `max_body` bytes. The limit applies
/// before and after decoding. The body counts against `memory` until it is dropped.
pub(crate) async fn read_body(
    mut response: Response,
    max_body: usize,
    memory: &BodyMemory,
) -> Result<Bytes, BodyError> {
    let codings = Codings::of(response.headers())?;
    let too_large = BodyError::TooLarge(max_body);
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(too_large);
    }
    let (mut body, mut charge) = (Vec::new(), memory.charge());
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Interrupted(root_cause(error)))? {
        let length = body.len() + chunk.len();
        if length > max_body {
            return Err(too_large);
        }
        if length > body.capacity() {
            // An announced length is not trusted before its bytes arrive.
            let capacity = length.max(body.capacity() * 2).max(MIN_CAPACITY).min(max_body);
            charge.add(capacity - body.capacity())?;
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    let mut body = Bytes::from(body);
    if !codings.is_empty() {
        body = codings.decode(body, max_body)?;
        charge = memory.charge();
        charge.add(body.len())?;
    }
    Ok(Bytes::from_owner(Charged { body, _charge: charge }))
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
