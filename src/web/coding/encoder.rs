//! Encoders of the content codings.

use std::io::{self, Write};

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::ContentCoding;

/// Levels chosen for speed: the next levels of brotli and gzip take 1.6 times as long
/// and save 5% and 1% of a page. `docs/PERFORMANCE.md` has the measurements.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_QUALITY: i32 = 4;
const GZIP_LEVEL: u32 = 5;
/// Window of an encoder in bytes, as a power of two. It bounds the memory of an
/// encoded stream, which is about the bytes that an unread stream counts for.
const WINDOW_LOG: u8 = 18;
/// Input buffer of the brotli encoder in bytes.
const BROTLI_BUFFER: usize = 4 << 10;

/// Encoder of one body.
pub(super) enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// Creates an encoder of a stream.
    pub(super) fn new(coding: ContentCoding) -> io::Result<Self> {
        Self::create(coding, None)
    }

    /// Creates an encoder of a body of `length` bytes.
    pub(super) fn with_length(coding: ContentCoding, length: usize) -> io::Result<Self> {
        Self::create(coding, Some(length))
    }

    fn create(coding: ContentCoding, length: Option<usize>) -> io::Result<Self> {
        Ok(match coding {
            ContentCoding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.window_log(WINDOW_LOG.into())?;
                encoder.set_pledged_src_size(length.map(|length| length as u64))?;
                Self::Zstd(encoder)
            }
            ContentCoding::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: WINDOW_LOG.into(),
                    size_hint: length.unwrap_or(0),
                    ..BrotliEncoderParams::default()
                };
                Self::Brotli(Box::new(CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER, &parameters)))
            }
            ContentCoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
        })
    }

    /// Encodes a part. The result decodes to all input so far.
    pub(super) fn encode(&mut self, part: &[u8]) -> io::Result<Bytes> {
        let writer: &mut dyn Write = match self {
            Self::Zstd(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Gzip(encoder) => encoder,
        };
        writer.write_all(part)?;
        writer.flush()?;
        let output = match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        };
        Ok(std::mem::take(output).into())
    }

    /// Encodes the last part and ends the coding.
    pub(super) fn finish(self, part: &[u8]) -> io::Result<Bytes> {
        let output = match self {
            Self::Zstd(mut encoder) => {
                encoder.write_all(part)?;
                encoder.finish()?
            }
            Self::Brotli(mut encoder) => {
                encoder.write_all(part)?;
                encoder.into_inner()
            }
            Self::Gzip(mut encoder) => {
                encoder.write_all(part)?;
                encoder.finish()?
            }
        };
        Ok(output.into())
    }
}
