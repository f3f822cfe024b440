//! Requests that hyper rejects before the gateway sees them. Their responses have
//! a status and no problem document (docs/PROBLEMS.md; FACTS.md, cases 104 and
//! 105).

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Raw, completed, stage};

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request";
const TOO_LARGE: &str = "HTTP/1.1 431 Request Header Fields Too Large";

/// Returns a request head with this many headers of `length` bytes.
fn with_headers(count: usize, length: usize) -> String {
    let headers: Vec<_> = (0..count).map(|index| format!("x-{index:03}: {}\r\n", "v".repeat(length))).collect();
    format!("GET /livez HTTP/1.1\r\nhost: gateway\r\n{}\r\n", headers.concat())
}

#[tokio::test]
async fn unreadable_head_gets_a_bare_status() {
    let stage = stage().start().await;
    let get = |rest: &str| format!("GET /livez HTTP/1.1\r\nhost: gateway\r\n{rest}\r\n");
    for (what, request, status) in [
        ("a method that is no token", "G@T /livez HTTP/1.1\r\nhost: gateway\r\n\r\n".to_owned(), BAD_REQUEST),
        ("a space in the target", "GET /live z HTTP/1.1\r\nhost: gateway\r\n\r\n".to_owned(), BAD_REQUEST),
        ("a target that is no URI", "GET http://[ HTTP/1.1\r\nhost: gateway\r\n\r\n".to_owned(), BAD_REQUEST),
        ("a TLS handshake", "\x16\x03\x01\x02\r\n\r\n".to_owned(), BAD_REQUEST),
        ("an unknown version", "GET /livez HTTP/3.0\r\nhost: gateway\r\n\r\n".to_owned(), BAD_REQUEST),
        ("no version", "GET /livez\r\n\r\n".to_owned(), BAD_REQUEST),
        ("a header without a colon", get("x-header\r\n"), BAD_REQUEST),
        ("a space before the colon", get("x-header : 1\r\n"), BAD_REQUEST),
        ("a folded header", get("x-header: 1\r\n 2\r\n"), BAD_REQUEST),
        ("a control character in a header", get("x-header: \x01\r\n"), BAD_REQUEST),
        ("an invalid length", get("content-length: 1x\r\n"), BAD_REQUEST),
        ("two lengths", get("content-length: 1\r\ncontent-length: 2\r\n"), BAD_REQUEST),
        ("an unknown transfer coding", get("transfer-encoding: gzip\r\n"), BAD_REQUEST),
        ("101 headers", with_headers(100, 1), TOO_LARGE),
        ("an unfinished head over 48 KiB", get("").trim_end().to_owned() + &"v".repeat(49 << 10), TOO_LARGE),
        ("an unfinished target over 48 KiB", format!("GET /{}", "a".repeat(49 << 10)), TOO_LARGE),
    ] {
        let mut raw = Raw::connect(&stage.gateway).await;
        raw.write(request).await;
        let response = String::from_utf8(raw.read_to_end().await).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{what}: {response:?}"));
        assert_eq!((head.lines().next(), body), (Some(status), ""), "{what}: {response:?}");
        assert!(head.contains("content-length: 0") && head.contains("connection: close"), "{what}: {head}");
    }
}

/// Smaller heads that exceed a limit of the gateway get a problem document.
#[tokio::test]
async fn readable_head_gets_a_problem_document() {
    let stage = stage().start().await;
    for (what, request, code) in [
        (
            "a target of 40 KiB",
            format!("GET /{} HTTP/1.1\r\nhost: gateway\r\n\r\n", "a".repeat(40 << 10)),
            "uri_too_long",
        ),
        ("headers of 40 KiB", with_headers(40, 1000), "headers_too_large"),
        ("no host", "GET /livez HTTP/1.1\r\n\r\n".to_owned(), "malformed_request"),
        ("an unknown method", "LIST /livez HTTP/1.1\r\nhost: gateway\r\n\r\n".to_owned(), "method_not_allowed"),
    ] {
        let mut raw = Raw::connect(&stage.gateway).await;
        raw.write(request.replacen("\r\n", "\r\nconnection: close\r\n", 1)).await;
        let response = String::from_utf8(raw.read_to_end().await).unwrap();
        assert!(response.contains("application/problem+json"), "{what}: {response}");
        assert!(response.contains(&format!(r#""code":"{code}""#)), "{what}: {response}");
    }
}

#[tokio::test]
async fn http2_head_over_48_kib_gets_a_bare_431() {
    let stage = stage().start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let headers = |length: usize| -> HeaderMap {
        let named = |index: usize| {
            let name = HeaderName::try_from(format!("x-{index:03}")).unwrap();
            (name, HeaderValue::try_from("v".repeat(length)).unwrap())
        };
        (0..50).map(named).collect()
    };
    let url = format!("{}/livez", stage.gateway.url);
    let readable = completed(client.get(&url).headers(headers(700)).send()).await.unwrap();
    assert_eq!(readable.status(), 431);
    assert!(readable.text().await.unwrap().contains(r#""code":"headers_too_large""#));
    let bare = completed(client.get(&url).headers(headers(1000)).send()).await.unwrap();
    assert_eq!((bare.status().as_u16(), bare.text().await.unwrap().as_str()), (431, ""));
}
