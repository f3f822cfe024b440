//! Content codings of vendor responses (FACTS.md cases 71 and 72).

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use crate::support::{Reply, ScriptedVendor, tolt_page, tolt_row};

fn page() -> Vec<u8> {
    tolt_page(&[tolt_row("cust_1")], false).to_string().into_bytes()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn brotli(data: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut &*data, &mut coded, &brotli::enc::BrotliEncoderParams::default()).unwrap();
    coded
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

async fn vendor(status: u16, headers: &str, body: Vec<u8>) -> ScriptedVendor {
    let headers = headers.to_owned();
    ScriptedVendor::start(move |_, _| Reply::with_headers(status, &headers, &body)).await
}

#[tokio::test]
async fn coded_page_is_served() {
    let page = page();
    let (first, second) = page.split_at(40);
    for (headers, body) in [
        ("content-encoding: gzip\r\n", gzip(&page)),
        ("content-encoding: GZIP\r\n", gzip(&page)),
        ("content-encoding: x-gzip\r\n", gzip(&page)),
        ("content-encoding: gzip\r\n", [gzip(first), gzip(b""), gzip(second)].concat()),
        ("content-encoding: deflate\r\n", zlib(&page)),
        ("content-encoding: deflate\r\n", deflate(&page)),
        ("content-encoding: br\r\n", brotli(&page)),
        ("content-encoding: zstd\r\n", zstd(&page)),
        ("content-encoding: zstd\r\n", [zstd(first), zstd(second)].concat()),
        ("content-encoding: gzip, br\r\n", brotli(&gzip(&page))),
        ("content-encoding: gzip\r\ncontent-encoding: zstd\r\n", zstd(&gzip(&page))),
        ("content-encoding: identity\r\n", page.clone()),
        ("content-encoding: Identity, Br\r\n", brotli(&page)),
        ("content-encoding: \r\n", page.clone()),
    ] {
        let vendor = vendor(200, headers, body).await;
        assert_eq!(vendor.gateway("tolt").await.walk("/customers").await.unwrap(), ["odd.cust_1"], "{headers}");
    }
}

#[tokio::test]
async fn undecodable_body_is_unreadable() {
    for (coding, body, detail) in [
        ("compress", page(), "the response has the unknown content coding `compress`"),
        ("gzip, aes128gcm", page(), "the response has the unknown content coding `aes128gcm`"),
        ("gzip", page(), "the response body cannot be decoded: invalid gzip data"),
        ("gzip", gzip(&page())[..30].to_vec(), "the response body cannot be decoded: invalid gzip data"),
        ("br", brotli(&page())[..30].to_vec(), "the response body cannot be decoded: invalid br data"),
        ("zstd", page(), "the response body cannot be decoded: invalid zstd data"),
    ] {
        let vendor = vendor(200, &format!("content-encoding: {coding}\r\n"), body).await;
        let answer = vendor.gateway("tolt").await.get("/customers").await;
        assert_eq!(answer.problem_line(), format!("502 vendor_unreadable {detail}"), "{coding}");
        assert_eq!(vendor.calls(), 1, "{coding}");
    }
}

#[tokio::test]
async fn multi_member_bomb_is_cut_off() {
    let members: Vec<u8> = gzip(&vec![b' '; 1 << 20]).repeat(9);
    for (coding, body) in
        [("gzip", members.clone()), ("gzip, br", brotli(&members)), ("zstd", zstd(&vec![b' '; 9 << 20]))]
    {
        let vendor = vendor(200, &format!("content-encoding: {coding}\r\n"), body).await;
        let answer = vendor.gateway("tolt").await.get("/customers").await;
        assert_eq!(
            answer.problem_line(),
            "502 vendor_unreadable the response is larger than 8388608 bytes",
            "{coding}"
        );
    }
}

/// The coding of an error response does not hide its status.
#[tokio::test]
async fn undecodable_429_is_a_rate_limit() {
    let vendor = vendor(429, "content-encoding: compress\r\nretry-after: 30\r\n", b"?".to_vec()).await;
    let answer = vendor.gateway("tolt").await.get("/customers").await;
    assert_eq!((answer.code(503).as_str(), answer.header("retry-after")), ("vendor_rate_limited", "30"));
}
