//! Content codings of responses (RFC 9110, sections 8.4 and 12.5.3).

mod accept;
mod encoder;
mod stream;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, VARY},
};

pub(crate) use accept::{AcceptedCodings, preferred};
use encoder::Encoder;
pub(crate) use stream::encode_stream;

use super::list_value::elements;

/// Shorter bodies are sent without a coding: a coding saves less than a packet.
const MIN_BYTES: u64 = 1 << 10;
/// Longer bodies are encoded on a blocking thread. Brotli, the slowest coding, takes
/// 1.6 ms for this length, during which a worker thread serves no other request.
const MAX_INLINE_BYTES: usize = 256 << 10;

/// Content coding of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ContentCoding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// Gzip (RFC 1952).
    Gzip,
}

/// A body and its coding.
#[derive(Debug, Clone)]
pub(crate) struct EncodedBody {
    pub(crate) bytes: Bytes,
    /// Coding of the bytes; `None` for the identity coding.
    pub(crate) coding: Option<ContentCoding>,
}

impl ContentCoding {
    /// All codings, fastest first. Their sizes differ by 2%.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// Returns the name in `Accept-Encoding` and `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the value of `Content-Encoding`.
    pub(crate) fn header_value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }
}

/// Encodes a whole body in the coding that a request prefers. A body that cannot
/// be encoded is returned without a coding.
pub(crate) async fn encode(accepted: AcceptedCodings, body: Bytes) -> EncodedBody {
    let Some(coding) = accepted.for_length(body.len() as u64) else {
        return EncodedBody { bytes: body, coding: None };
    };
    let plain = body.clone();
    let encoded = run(body.len(), move || Encoder::with_length(coding, plain.len())?.finish(&plain)).await;
    match encoded {
        Some(bytes) => EncodedBody { bytes, coding: Some(coding) },
        None => EncodedBody { bytes: body, coding: None },
    }
}

/// Returns the strong entity tag of a representation. Each coding has its own
/// tag, because a strong tag identifies bytes (RFC 9110, section 8.8.3.3).
pub(crate) fn entity_tag(hash: &str, coding: Option<ContentCoding>) -> HeaderValue {
    let tag = match coding {
        Some(coding) => format!("\"{hash}-{}\"", coding.name()),
        None => format!("\"{hash}\""),
    };
    super::freshness::header_value(&tag)
}

/// Adds `Accept-Encoding` to `Vary`, unless it is listed.
pub(crate) fn vary_on_coding(headers: &mut HeaderMap) {
    let name = ACCEPT_ENCODING.as_str();
    let listed: Vec<_> = elements(headers, VARY).collect();
    if listed.iter().any(|listed| listed.eq_ignore_ascii_case(name)) {
        return;
    }
    let value = listed.into_iter().chain([name]).collect::<Vec<_>>().join(", ");
    headers.insert(VARY, super::freshness::header_value(&value));
}

/// Runs an encoder, on a blocking thread if its input is long. Returns `None` if
/// the encoder fails.
async fn run<T: Send + 'static>(
    length: usize,
    encode: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Option<T> {
    if length <= MAX_INLINE_BYTES {
        return encode().ok();
    }
    tokio::task::spawn_blocking(encode).await.ok()?.ok()
}
