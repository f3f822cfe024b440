//! Selection of the coding, and the headers of encoded responses.

use reqwest::Method;

use super::{CODINGS, PAGE, fetch, send, stage};

/// Targets with long bodies, and the `Vary` of their responses.
const TARGETS: &[(&str, &str)] = &[
    (PAGE, "authorization, accept, accept-encoding, prefer"),
    ("/customers?connection=affiliates&connection=tax&order=desc", "authorization, accept, accept-encoding, prefer"),
    ("/customers/affiliates.cust_shared_between_vendors", "authorization, accept, accept-encoding, prefer"),
    ("/connections", "accept-encoding"),
    ("/explain/customers", "accept-encoding"),
    ("/metrics", "accept-encoding"),
    ("/openapi.json", "accept-encoding"),
    ("/docs", "accept-encoding"),
    ("/problems/overloaded", "accept-encoding"),
    ("/problems/nothing", "accept-encoding"),
    ("/customers?nope=1", "accept-encoding"),
];

#[tokio::test]
async fn long_body_is_sent_in_each_coding() {
    let stage = stage().start().await;
    for (target, vary) in TARGETS {
        let plain = fetch(&stage.gateway, target, &[("x-request-id", "a")]).await;
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", *vary), "{target}");
        for coding in CODINGS {
            // The same request again comes from the response cache.
            for _ in 0..3 {
                let headers = [("accept-encoding", coding), ("x-request-id", "a")];
                let answer = fetch(&stage.gateway, target, &headers).await;
                assert_eq!(answer.status, plain.status, "{target}");
                assert_eq!(answer.header("vary"), *vary, "{target}");
                assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{target}");
                assert_eq!(answer.header("content-type"), plain.header("content-type"), "{target}");
                if plain.body.len() < 1024 {
                    assert_eq!(answer.header("content-encoding"), "", "{target}: {} bytes", plain.body.len());
                    continue;
                }
                assert_eq!(answer.header("content-encoding"), coding, "{target}");
                assert!(answer.body.len() < plain.body.len(), "{target}");
                let decoded = answer.decoded();
                // Metrics, budgets and predicted calls change from response to response.
                if !["/metrics", "/connections", "/explain/customers"].contains(target) {
                    assert!(decoded.as_bytes() == plain.body, "{target} {coding}: {decoded}");
                }
            }
        }
    }
}

#[tokio::test]
async fn highest_weight_selects_the_coding() {
    let stage = stage().start().await;
    // The second round comes from the response cache.
    for _ in 0..2 {
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, deflate, br", "br"),
            ("zstd;q=0.2, gzip;q=0.8", "gzip"),
            ("*", "zstd"),
            ("*;q=0.1, zstd;q=0", "br"),
            ("identity, *;q=0.5", ""),
            ("deflate", ""),
            ("gzip;q=0", ""),
            ("br;q=nonsense, gzip", "gzip"),
            ("", ""),
        ] {
            let answer = fetch(&stage.gateway, PAGE, &[("accept-encoding", accepted)]).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{accepted}");
            assert!(answer.decoded().starts_with("{\"data\":[{"), "{accepted}");
        }
    }
}

#[tokio::test]
async fn short_body_is_sent_plain() {
    let stage = stage().start().await;
    for target in ["/livez", "/nowhere", "/customers?connection=affiliates&limit=1"] {
        for _ in 0..3 {
            let plain = fetch(&stage.gateway, target, &[("accept-encoding", "gzip, br, zstd")]).await;
            assert_eq!(plain.header("content-encoding"), "", "{target}");
            assert!(plain.header("vary").contains("accept-encoding"), "{target}");
        }
        // The client forbids the plain body.
        for _ in 0..3 {
            let coded = fetch(&stage.gateway, target, &[("accept-encoding", "gzip, identity;q=0")]).await;
            assert_eq!(coded.header("content-encoding"), "gzip", "{target}");
            assert!(coded.decoded().starts_with('{'), "{target}");
        }
    }
}

#[tokio::test]
async fn no_transform_prevents_a_coding() {
    let stage = stage().start().await;
    for target in [PAGE, "/metrics", "/openapi.json", "/problems/nothing"] {
        for directive in ["no-transform", "max-age=60, No-Transform"] {
            let headers = [("accept-encoding", "zstd, br, gzip"), ("cache-control", directive)];
            assert_eq!(fetch(&stage.gateway, target, &headers).await.header("content-encoding"), "", "{target}");
        }
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let stage = stage().start().await;
    for target in [PAGE, "/connections", "/problems/nothing", "/openapi.json"] {
        for coding in CODINGS {
            let headers = [("accept-encoding", coding), ("x-request-id", "a")];
            let get = fetch(&stage.gateway, target, &headers).await;
            let head = send(&stage.gateway, Method::HEAD, target, &headers).await;
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{target}");
            for name in ["content-encoding", "content-length", "content-type", "etag", "vary"] {
                assert_eq!(head.header(name), get.header(name), "{target} {coding} {name}");
            }
        }
    }
}
