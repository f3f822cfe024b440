//! A bare hyper server with two fixed responses, read from files that hold the
//! gateway's own header lines and body.
//!
//! `bare-hyper PORT RESPONSE_OF_10 RESPONSE_OF_100`; a target that ends with
//! `limit=10` gets the first response.

use bench_servers::{Answer, argument, port, serve};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response,
    header::{HeaderName, HeaderValue},
};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (ten, hundred) = (read(&argument(2, "the response of 10"))?, read(&argument(3, "the response of 100"))?);
    serve(port(), move |request| {
        let is_ten = request.uri().query().is_some_and(|query| query.ends_with("limit=10"));
        let (headers, body) = if is_ten { ten.clone() } else { hundred.clone() };
        async move {
            let mut response: Answer = Response::new(Full::new(body));
            *response.headers_mut() = headers;
            response
        }
    })
    .await
}

fn read(path: &str) -> std::io::Result<(HeaderMap, Bytes)> {
    let text = std::fs::read_to_string(path)?;
    let (head, body) = text.split_once("\r\n\r\n").expect("a blank line ends the headers");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header line");
        let name: HeaderName = name.parse().expect("a header's name");
        (name, HeaderValue::from_str(value).expect("a header's value"))
    };
    Ok((head.lines().map(header).collect(), Bytes::copy_from_slice(body.as_bytes())))
}
