//! Tests of content codings.

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const MAX: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn brotli(data: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut &*data, &mut coded, &brotli::enc::BrotliEncoderParams::default()).unwrap();
    coded
}

fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

fn decode(codings: &[&str], body: &[u8]) -> Result<Bytes, BodyError> {
    let mut headers = HeaderMap::new();
    for coding in codings {
        headers.append(CONTENT_ENCODING, coding.parse().unwrap());
    }
    Codings::of(&headers)?.decode(Bytes::copy_from_slice(body), MAX)
}

#[test]
fn every_coding_is_decoded() {
    let data = b"{\"success\": true}".as_slice();
    let skippable = [b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".as_slice(), &zstd(data)].concat();
    for (codings, body) in [
        (&["gzip"][..], gzip(data)),
        (&["GZIP"], gzip(data)),
        (&["x-gzip"], gzip(data)),
        (&[" gzip "], gzip(data)),
        (&["gzip"], [gzip(&data[..5]), gzip(b""), gzip(&data[5..])].concat()),
        (&["gzip"], [gzip(data), vec![0; 512]].concat()),
        (&["deflate"], zlib(data)),
        (&["deflate"], deflate(data)),
        (&["br"], brotli(data)),
        (&["zstd"], zstd(data)),
        (&["zstd"], [zstd(&data[..5]), zstd(&data[5..])].concat()),
        (&["zstd"], skippable),
        (&["gzip, br"], brotli(&gzip(data))),
        (&["gzip", "br"], brotli(&gzip(data))),
        (&["gzip, gzip"], gzip(&gzip(data))),
        (&["identity"], data.to_vec()),
        (&["identity, gzip"], gzip(data)),
        (&[""], data.to_vec()),
        (&[], data.to_vec()),
    ] {
        assert_eq!(decode(codings, &body).unwrap(), data, "{codings:?}");
    }
    assert_eq!(decode(&["gzip"], b"").unwrap(), b"".as_slice());
}

#[test]
fn invalid_coding_is_an_error() {
    let data = [b'a'; 1_000];
    for (coding, body) in [
        ("gzip", b"plain".to_vec()),
        ("gzip", gzip(&data)[..20].to_vec()),
        ("gzip", [gzip(&data), b"more".to_vec()].concat()),
        ("gzip", [gzip(&data), gzip(&data)[..12].to_vec()].concat()),
        ("deflate", b"plain".to_vec()),
        ("br", brotli(&data)[..4].to_vec()),
        ("zstd", zstd(&data)[..8].to_vec()),
        ("zstd", b"plain".to_vec()),
        ("br, br, br, br, br", data.to_vec()),
    ] {
        assert!(matches!(decode(&[coding], &body), Err(BodyError::Undecodable(_))), "{coding}: {body:?}");
    }
    assert_eq!(decode(&["compress"], &data), Err(BodyError::UnknownCoding("compress".to_owned())));
    assert_eq!(decode(&["aes128gcm, gzip"], &data), Err(BodyError::UnknownCoding("aes128gcm".to_owned())));
}

#[test]
fn bomb_is_cut_off() {
    let bomb = vec![0; MAX + 1];
    let members: Vec<u8> = (0..=16).flat_map(|_| gzip(&vec![0; MAX / 16])).collect();
    for (codings, body) in [
        ("gzip", gzip(&bomb)),
        ("gzip", members),
        ("deflate", zlib(&bomb)),
        ("deflate", deflate(&bomb)),
        ("br", brotli(&bomb)),
        ("zstd", zstd(&bomb)),
        ("gzip, gzip", gzip(&gzip(&bomb))),
        // The outer coding expands; the inner coding would be empty.
        ("gzip, br", brotli(&gzip(b"").repeat(MAX / 20 + 1))),
    ] {
        assert_eq!(decode(&[codings], &body), Err(BodyError::TooLarge(MAX)), "{codings}");
    }
    assert!(decode(&["gzip"], &gzip(b"").repeat(MAX_MEMBERS + 1)).is_err());
    assert_eq!(decode(&["gzip"], &gzip(&bomb[1..])).unwrap().len(), MAX);
}

proptest! {
    #[test]
    fn any_body_decodes_or_fails(
        coding in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br"]),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let decoded = decode(&[coding], &body);
        prop_assert!(decoded.is_err() || decoded.unwrap().len() <= MAX);
    }

    #[test]
    fn codings_round_trip(data in prop::collection::vec(any::<u8>(), 0..2_000), cut in 0.0..1.0) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
        let cut = (data.len() as f64 * cut) as usize;
        let members = [gzip(&data[..cut]), gzip(&data[cut..])].concat();
        for (codings, body) in [
            ("gzip", members), ("deflate", zlib(&data)), ("deflate", deflate(&data)), ("br", brotli(&data)),
            ("zstd", zstd(&data)), ("deflate, zstd, gzip", gzip(&zstd(&zlib(&data)))),
        ] {
            prop_assert_eq!(decode(&[codings], &body).unwrap(), &data);
        }
    }
}
