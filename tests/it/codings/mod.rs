//! Content codings of responses (RFC 9110, sections 8.4 and 12.5.3).

mod caching;
mod export;
mod negotiation;

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use reqwest::{Client, Method, header::HeaderMap};

use crate::support::{Gateway, StageBuilder, sandbox};

/// A page of 100 customers.
const PAGE: &str = "/customers?connection=affiliates&limit=100";
/// Names of all codings.
const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

/// A response whose body is not decoded.
#[derive(Debug)]
struct Coded {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

/// Returns a stage with three pages of customers at each vendor.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(250, 10, 230))
}

/// Returns a client that does not decode responses.
fn client() -> Client {
    Client::builder().no_gzip().no_brotli().no_zstd().build().unwrap()
}

/// Sends a `GET` with headers.
async fn fetch(gateway: &Gateway, target: &str, headers: &[(&str, &str)]) -> Coded {
    send(gateway, Method::GET, target, headers).await
}

async fn send(gateway: &Gateway, method: Method, target: &str, headers: &[(&str, &str)]) -> Coded {
    let request = client().request(method, format!("{}{target}", gateway.url));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Coded { status, headers, body: response.bytes().await.unwrap() }
}

impl Coded {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the decoded body.
    fn decoded(&self) -> String {
        String::from_utf8(decode(self.header("content-encoding"), &self.body)).unwrap()
    }
}

/// Decodes a complete body.
fn decode(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    match coding {
        "" => decoded.extend_from_slice(body),
        "zstd" => decoded = zstd::decode_all(body).unwrap(),
        "br" => brotli::BrotliDecompress(&mut &*body, &mut decoded).unwrap(),
        "gzip" => drop(GzDecoder::new(body).read_to_end(&mut decoded).unwrap()),
        other => panic!("unknown coding {other}"),
    }
    decoded
}

/// Decodes the start of a body.
fn decode_start(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    // The end is missing, so the decoders return an error at last.
    let _ = match coding {
        "zstd" => zstd::stream::read::Decoder::new(body).unwrap().read_to_end(&mut decoded).map(drop),
        "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut decoded).map(drop),
        "gzip" => GzDecoder::new(body).read_to_end(&mut decoded).map(drop),
        other => panic!("unknown coding {other}"),
    };
    decoded
}
