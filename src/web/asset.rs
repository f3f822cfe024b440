//! A body that stays the same while the process lives: compressed once, and
//! told apart by its tag.

use std::io::{self, Write};

use axum::{body::Body, response::Response};
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use fly_accept_encoding::Encoding;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS},
};
use tokio::sync::OnceCell;

use crate::web::conditional;

/// A body and the encodings it is sent in.
pub(crate) struct Asset {
    body: Bytes,
    hash: String,
    content_type: &'static str,
    lifetime: Lifetime,
    /// The least preferred first.
    compressed: [Compressed; 2],
}

/// How long a browser may use an asset without asking.
#[derive(Clone, Copy)]
pub(crate) enum Lifetime {
    /// Its URL names its content.
    Forever,
    /// It is asked for each time, and sent where it has changed.
    UntilChanged,
}

struct Compressed {
    encoding: Encoding,
    compress: fn(&[u8]) -> io::Result<Vec<u8>>,
    body: OnceCell<Bytes>,
}

impl Asset {
    pub(crate) fn new(body: impl Into<Bytes>, content_type: &'static str, lifetime: Lifetime) -> Self {
        let body = body.into();
        let hash = blake3::hash(&body).to_hex()[..32].to_owned();
        let compressed = [Compressed::new(Encoding::Gzip, gzip), Compressed::new(Encoding::Brotli, brotli)];
        Self { body, hash, content_type, lifetime, compressed }
    }

    /// What names its content.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// Answers a request, in the encoding that it likes best.
    pub(crate) async fn answer(&self, request: &HeaderMap) -> Response {
        let (body, encoding) = self.encoded(request).await;
        // A tag stands for bytes, so that each encoding has its own.
        let tag = match &encoding {
            Some(encoding) => format!("\"{}-{}\"", self.hash, encoding.to_str().unwrap_or_default()),
            None => format!("\"{}\"", self.hash),
        };
        let tag = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));

        let is_known = conditional::etag_matches(request, &tag);
        let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body) });
        let headers = response.headers_mut();
        if !is_known {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.extend(encoding.map(|encoding| (CONTENT_ENCODING, encoding)));
        }
        headers.insert(ETAG, tag);
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.lifetime.cache_control()));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }

    async fn encoded(&self, request: &HeaderMap) -> (Bytes, Option<HeaderValue>) {
        let wanted = self.preferred(request);
        let compressed = match wanted {
            Some(wanted) => wanted.body(&self.body).await.map(|body| (body, Some(wanted.encoding.to_header_value()))),
            None => None,
        };
        compressed.unwrap_or_else(|| (self.body.clone(), None))
    }

    /// The encoding that a request's `Accept-Encoding` weighs most; none where
    /// it would rather have the body as it is.
    fn preferred(&self, request: &HeaderMap) -> Option<&Compressed> {
        let accepted = fly_accept_encoding::encodings(request).unwrap_or_default();
        let weight_of = |wanted| accepted.iter().find(|(encoding, _)| *encoding == wanted).map(|(_, weight)| *weight);
        let any = weight_of(None).unwrap_or(0.0);
        let as_it_is = weight_of(Some(Encoding::Identity)).unwrap_or(0.0);
        self.compressed
            .iter()
            .map(|it| (it, weight_of(Some(it.encoding)).unwrap_or(any)))
            .filter(|(_, weight)| *weight > 0.0 && *weight >= as_it_is)
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .map(|(it, _)| it)
    }
}

impl Lifetime {
    fn cache_control(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::UntilChanged => "no-cache",
        }
    }
}

impl Compressed {
    fn new(encoding: Encoding, compress: fn(&[u8]) -> io::Result<Vec<u8>>) -> Self {
        Self { encoding, compress, body: OnceCell::new() }
    }

    /// The compressed body, made by the first who asks while others wait.
    async fn body(&self, plain: &Bytes) -> Option<Bytes> {
        let make = || async {
            let (plain, compress) = (plain.clone(), self.compress);
            let compressed = tokio::task::spawn_blocking(move || compress(&plain)).await;
            compressed.map_err(io::Error::from).flatten().map(Bytes::from)
        };
        self.body.get_or_try_init(make).await.ok().cloned()
    }
}

/// Quality 5 makes 1.24 MB of Scalar's 4.9 MB in 0.2 s; 9 would take 0.6 s for
/// 5 % less, and the first reader waits for it.
fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality: 5, size_hint: plain.len(), ..BrotliEncoderParams::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*plain, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// For browsers, which take brotli over TLS and from loopback only.
fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}
