//! Bounded response bodies.

use std::error::Error;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;

use super::{
    coding::Codings,
    local_error::is_local,
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
    /// This machine lacks a resource to read the body.
    #[error("the gateway's machine lacks a resource to read the response: {0}; retry later")]
    Local(String),
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

    /// Returns whether this machine lacks memory or another resource. The vendor is
    /// not at fault.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::MemoryLimit(_) | Self::Local(_))
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

/// Reads and decodes the body of a response with `headers`. The body has at most
/// `max_body` bytes, before and after decoding, and counts against `memory` until it is
/// dropped.
pub(crate) async fn read_body<B>(
    headers: &HeaderMap,
    body: B,
    max_body: usize,
    memory: &BodyMemory,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let codings = Codings::of(headers)?;
    let (mut body, mut charge) = collect(body, max_body, memory).await?;
    if !codings.is_empty() {
        body = codings.decode(body, max_body)?;
        charge = memory.charge();
        charge.add(body.len())?;
    }
    Ok(Bytes::from_owner(Charged { body, _charge: charge }))
}

/// Collects a body of at most `max_body` bytes, and charges its memory.
async fn collect<B>(mut incoming: B, max_body: usize, memory: &BodyMemory) -> Result<(Bytes, Charge), BodyError>
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let too_large = BodyError::TooLarge(max_body);
    let announced = usize::try_from(incoming.size_hint().exact().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > max_body {
        return Err(too_large);
    }
    let (mut body, mut charge) = (Vec::new(), memory.charge());
    while let Some(frame) = incoming.frame().await {
        let Ok(chunk) = frame.map_err(|error| read_error(&error))?.into_data() else { continue };
        let length = body.len() + chunk.len();
        if length > max_body {
            return Err(too_large);
        }
        // A body in one chunk is not copied.
        if body.is_empty() && incoming.is_end_stream() {
            charge.add(length.max(MIN_CAPACITY))?;
            return Ok((chunk, charge));
        }
        if length > body.capacity() {
            // An announced length is not trusted before its bytes arrive.
            let capacity = length.max(body.capacity() * 2).max(MIN_CAPACITY).min(max_body);
            charge.add(capacity - body.capacity())?;
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.into(), charge))
}

/// Classifies a failure during a body: of this machine, or of the connection.
fn read_error(error: &(dyn Error + 'static)) -> BodyError {
    if is_local(error) { BodyError::Local(root_cause(error)) } else { BodyError::Interrupted(root_cause(error)) }
}

/// Returns the innermost cause of an error. The errors of hyper contain no URL, whose
/// query may contain customer data.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use http_body::Frame;
    use rustix::io::Errno;

    use super::*;

    /// Body whose connection fails after the first bytes.
    struct Failing {
        error: Errno,
        has_begun: bool,
    }

    impl http_body::Body for Failing {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            let begins = !std::mem::replace(&mut self.has_begun, true);
            let frame = || Frame::data(Bytes::from_static(b"{"));
            Poll::Ready(Some(if begins { Ok(frame()) } else { Err(self.error.into()) }))
        }
    }

    async fn read(error: Errno) -> BodyError {
        let body = Failing { error, has_begun: false };
        read_body(&HeaderMap::new(), body, 100, &BodyMemory::unshared(100)).await.unwrap_err()
    }

    #[tokio::test]
    async fn local_error_during_a_body_is_local() {
        for code in [Errno::NOBUFS, Errno::NOMEM] {
            let error = read(code).await;
            assert!(error.is_local() && !error.is_interruption(), "{error}");
        }
        let error = read(Errno::CONNRESET).await;
        assert!(error.is_interruption() && !error.is_local(), "{error}");
    }
}
