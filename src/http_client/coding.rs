//! Content codings of response bodies (RFC 9110, section 8.4).
//!
//! The HTTP client library does not decode bodies. Each coding of a body is decoded in
//! memory. The output of each coding has at most `max_body` bytes, so stacked
//! codings cannot multiply.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};
use ruzstd::decoding::{
    StreamingDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::BodyError;

/// Codings that requests ask for. Responses may use any coding of [`Coding`].
pub(super) const ACCEPTED: &str = "gzip,br";
/// Maximum number of codings of one body.
const MAX_CODINGS: usize = 4;
/// Maximum number of gzip members or zstd frames of one body. A body of empty
/// members costs time, but no output.
const MAX_MEMBERS: usize = 10_000;
/// Maximum window of a zstd frame (RFC 9659).
const MAX_ZSTD_WINDOW: u64 = 8 << 20;
/// Buffer size of the brotli decoder.
const BROTLI_BUFFER: usize = 4 << 10;
/// First bytes of a gzip member.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    /// The zlib format, or raw deflate data. Servers send both.
    Deflate,
    Brotli,
    Zstd,
}

/// Codings of a body, in the order in which they were applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Codings(Vec<Coding>);

impl Codings {
    /// Reads the codings of a response. `identity` is ignored.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut codings = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let text = value.to_str().map_err(|_| BodyError::UnknownCoding(String::new()))?;
            for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                if !name.eq_ignore_ascii_case("identity") {
                    codings.push(Coding::by_name(name)?);
                }
            }
        }
        if codings.len() > MAX_CODINGS {
            return Err(BodyError::Undecodable(format!("more than {MAX_CODINGS} content codings")));
        }
        Ok(Self(codings))
    }

    /// Returns whether a body needs no decoding.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Decodes a body. The result has at most `max_body` bytes.
    pub(super) fn decode(&self, body: Bytes, max_body: usize) -> Result<Bytes, BodyError> {
        let mut body = body;
        for coding in self.0.iter().rev() {
            // A response without content has no coded content either.
            if body.is_empty() {
                break;
            }
            body = coding.decode(&body, max_body)?.into();
        }
        Ok(body)
    }
}

impl Coding {
    fn by_name(name: &str) -> Result<Self, BodyError> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" | "x-deflate" | "zlib" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            "zstd" => Ok(Self::Zstd),
            unknown => Err(BodyError::UnknownCoding(unknown.chars().take(32).collect())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn decode(self, coded: &[u8], max_body: usize) -> Result<Vec<u8>, BodyError> {
        let mut output = Output { bytes: Vec::new(), max_body };
        let decoded = match self {
            Self::Gzip => output.read_gzip(coded),
            Self::Deflate if is_zlib(coded) => output.read(ZlibDecoder::new(coded)),
            Self::Deflate => output.read(DeflateDecoder::new(coded)),
            Self::Brotli => output.read(brotli::Decompressor::new(coded, BROTLI_BUFFER)),
            Self::Zstd => output.read_zstd(coded),
        };
        match decoded {
            Ok(()) => Ok(output.bytes),
            Err(Failure::TooLarge) => Err(BodyError::TooLarge(max_body)),
            Err(Failure::Invalid) => Err(BodyError::Undecodable(format!("invalid {} data", self.name()))),
        }
    }
}

/// Failure of one decoder.
enum Failure {
    TooLarge,
    Invalid,
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Invalid
    }
}

/// Bounded output of one coding.
struct Output {
    bytes: Vec<u8>,
    max_body: usize,
}

impl Output {
    fn read(&mut self, decoder: impl Read) -> Result<(), Failure> {
        let room = self.max_body - self.bytes.len();
        let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
        let read = decoder.take(limit).read_to_end(&mut self.bytes)?;
        if read > room { Err(Failure::TooLarge) } else { Ok(()) }
    }

    /// Reads all members (RFC 1952, section 2.2). Zero bytes after the last
    /// member are padding.
    fn read_gzip(&mut self, mut coded: &[u8]) -> Result<(), Failure> {
        for _ in 0..MAX_MEMBERS {
            self.read(GzDecoder::new(&mut coded))?;
            if !coded.starts_with(&GZIP_MAGIC) {
                return if coded.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(Failure::Invalid) };
            }
        }
        Err(Failure::Invalid)
    }

    /// Reads all frames (RFC 8878, section 3.1) and skips skippable frames.
    fn read_zstd(&mut self, mut coded: &[u8]) -> Result<(), Failure> {
        for _ in 0..MAX_MEMBERS {
            match StreamingDecoder::new_with_max_window_size(&mut coded, MAX_ZSTD_WINDOW) {
                Ok(decoder) => self.read(decoder)?,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    coded = coded.get(length..).ok_or(Failure::Invalid)?;
                }
                Err(_) => return Err(Failure::Invalid),
            }
            if coded.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::Invalid)
    }
}

/// Returns whether data starts with a zlib header (RFC 1950, section 2.2).
fn is_zlib(coded: &[u8]) -> bool {
    match coded {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
