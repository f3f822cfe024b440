//! HTTP-level errors: routes, methods, targets, headers, and internal failures.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use insta::assert_json_snapshot;
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{lines, stage};
use crate::support::{Gateway, Stage, caller, config, connections_to, sandbox};

#[tokio::test]
async fn unknown_route_is_a_problem() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/nope").await.problem_snapshot(), @r#"
    {
      "code": "not_found",
      "detail": "there is no such route; `GET /openapi.json` lists the routes",
      "request_id": "[request id]",
      "retryable": false,
      "status": 404,
      "title": "Route not found"
    }
    "#);
    for target in ["/customers/a/b", "/customers/a/transactions/b", "/v1/customers", "//customers"] {
        assert_eq!(gateway.get(target).await.code(404), "not_found", "{target}");
    }
}

#[tokio::test]
async fn root_redirects_to_docs_without_a_key() {
    let sandbox = sandbox(1, 0, 1).await;
    let mut config = config(connections_to(&sandbox));
    config.callers = vec![caller("growth", "cgk_growth", &["affiliates"])];
    let gateway = Gateway::start(config).await;
    let answer = gateway.get("/").await;
    assert_eq!((answer.status, answer.header("location")), (307, "/docs"));
    assert_eq!(gateway.get(answer.header("location")).await.status, 200);
}

#[tokio::test]
async fn trailing_slash_redirects_with_query() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    for (target, location) in [
        ("/customers/", "/customers"),
        ("/customers/?limit=2&email=a%2Fb", "/customers?limit=2&email=a%2Fb"),
        ("/customers/?", "/customers?"),
        ("/customers//", "/customers"),
        ("/customers/affiliates.x/", "/customers/affiliates.x"),
        ("/customers/affiliates.x/transactions/", "/customers/affiliates.x/transactions"),
        ("/docs/", "/docs"),
        ("/cache/?connection=tax", "/cache?connection=tax"),
    ] {
        let answer = gateway.get(target).await;
        assert_eq!((answer.status, answer.header("location")), (308, location), "{target}");
        assert!(!answer.header("x-request-id").is_empty(), "{target}");
    }
    // A browser would follow these locations to another host.
    for target in ["//example.com/", "///example.com/", "/\\example.com/", "//", "//customers/"] {
        let answer = send_raw(&gateway, target.as_bytes()).await;
        assert!(!answer.contains("location:") && answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
    }
}

#[tokio::test]
async fn wrong_method_is_405_with_allow() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let post = gateway.request(|client, url| client.post(format!("{url}/customers")).body("{}")).await;
    assert_json_snapshot!(post.problem_snapshot(), @r#"
    {
      "code": "method_not_allowed",
      "detail": "this route does not support POST",
      "request_id": "[request id]",
      "retryable": false,
      "status": 405,
      "title": "Method not allowed"
    }
    "#);
    for target in [
        "/customers",
        "/customers/a.b",
        "/transactions",
        "/connections",
        "/livez",
        "/openapi.json",
        "/problems/internal",
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let answer = gateway.request(|client, url| client.request(method.clone(), format!("{url}{target}"))).await;
            assert_eq!(answer.code(405), "method_not_allowed", "{method} {target}");
            assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {target}");
        }
    }
}

#[tokio::test]
async fn head_equals_get_without_the_body() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    for target in
        ["/customers?connection=affiliates&limit=2", "/livez", "/customers?nope=1", "/nope", "/customers/affiliates.x"]
    {
        let get = gateway.get(target).await;
        let head = gateway.request(|client, url| client.head(format!("{url}{target}"))).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{target}");
        for header in ["content-type", "content-length"] {
            // The length of a problem includes the request id, which is always
            // 36 characters here.
            assert_eq!(head.header(header), get.header(header), "{target} {header}");
        }
        assert_eq!(get.header("content-length"), get.text.len().to_string(), "{target}");
    }
}

/// Sends a target as raw bytes, which a strict client rejects.
async fn send_raw(gateway: &Gateway, target: &[u8]) -> String {
    let mut stream = TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(&[b"GET ", target, b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"].concat()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn target_without_percent_encoded_utf8_is_400() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_json_snapshot!(gateway.get("/customers/affiliates.%FF").await.problem_snapshot(), @r#"
    {
      "code": "malformed_request",
      "detail": "the target is not percent-encoded UTF-8",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "title": "The request target is malformed"
    }
    "#);
    for target in [
        "/customers?connection=affiliates&email=%FF",
        "/customers?connection=affiliates&email=%C3",
        "/customers/affiliates.%C3%28",
    ] {
        assert_eq!(gateway.get(target).await.code(400), "malformed_request", "{target}");
    }
    // A strict client cannot send these targets.
    for target in ["/customers/a.%", "/customers/a.%zz", "/customers?connection=%4", "/customers?limit=%"] {
        let answer = send_raw(&gateway, target.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains(r#""code":"malformed_request""#), "{answer}");
    }
}

#[tokio::test]
async fn plus_and_percent_20_are_equal_in_a_query() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    assert_eq!(
        lines(&gateway, &["/customers?limit=a+b"]).await.replace("a+b", "a%20b"),
        lines(&gateway, &["/customers?limit=a%20b"]).await
    );
}

#[tokio::test]
async fn target_over_8_kib_is_414() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let target = |length: usize| {
        let start = "/customers?connection=affiliates&email=";
        format!("{start}{}", "a".repeat(length - start.len()))
    };
    assert_eq!(gateway.get(&target(8192)).await.status, 200);
    assert_json_snapshot!(gateway.get(&target(8193)).await.problem_snapshot(), @r#"
    {
      "code": "uri_too_long",
      "detail": "the target is longer than 8192 bytes",
      "request_id": "[request id]",
      "retryable": false,
      "status": 414,
      "title": "The request target is too long"
    }
    "#);
}

#[tokio::test]
async fn headers_over_32_kib_are_431() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let with = async |length| {
        gateway.request(|client, url| client.get(format!("{url}/livez")).header("x-padding", "a".repeat(length))).await
    };
    assert_eq!(with(31 << 10).await.status, 200);
    assert_json_snapshot!(with(33 << 10).await.problem_snapshot(), @r#"
    {
      "code": "headers_too_large",
      "detail": "the headers are larger than 32768 bytes",
      "request_id": "[request id]",
      "retryable": false,
      "status": 431,
      "title": "The request headers are too large"
    }
    "#);
}

#[tokio::test]
async fn slow_response_is_504() {
    let sandbox = sandbox(5, 0, 0).await;
    let mut config = config(connections_to(&sandbox));
    config.server.request_timeout = Duration::from_millis(50);
    let gateway = Gateway::start(config).await;
    sandbox.tolt().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    assert_json_snapshot!(gateway.get("/customers?connection=affiliates").await.problem_snapshot(), @r#"
    {
      "code": "deadline_exceeded",
      "detail": "the vendors did not respond in time",
      "request_id": "[request id]",
      "retryable": true,
      "status": 504,
      "title": "The request deadline was exceeded"
    }
    "#);
    assert_eq!(gateway.get("/livez").await.status, 200);
}

#[tokio::test]
async fn panic_is_500_without_its_message() {
    let sandbox = sandbox(1, 0, 1).await;
    let mut config = config(connections_to(&sandbox));
    let mut billing = caller("billing", "cgk_billing", &["affiliates", "tax"]);
    billing.keys[0].expires = Some("2026-01-01T00:00:00Z".parse().unwrap());
    config.callers = vec![caller("growth", "cgk_growth", &["affiliates", "tax"]), billing];
    let gateway = Gateway::start(config).await;
    gateway.clock.fail();
    // The key's expiry is checked before the handler,
    let request = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}/connections")).bearer_auth("cgk_billing").header("cache-control", "max-age=60")
    };
    let handler = gateway.request(request).await;
    assert_json_snapshot!(handler.problem_snapshot(), @r#"
    {
      "code": "internal",
      "detail": "the gateway failed to process the request",
      "request_id": "[request id]",
      "retryable": false,
      "status": 500,
      "title": "Internal gateway error"
    }
    "#);
    // and a new page's expiry is recorded by the task that fetches the page.
    let flight = gateway.get_as("cgk_growth", "/customers?connection=tax").await;
    assert_json_snapshot!(flight.problem_snapshot(), @r#"
    {
      "code": "internal",
      "connection": "tax",
      "detail": "an internal failure ended the vendor call",
      "request_id": "[request id]",
      "retryable": false,
      "status": 500,
      "title": "Internal gateway error"
    }
    "#);
    for answer in [handler, flight] {
        assert!(!answer.text.contains("secret of the inside"), "{}", answer.text);
    }
    assert_eq!(gateway.get("/livez").await.status, 200);
}

#[tokio::test]
async fn valid_request_id_of_the_caller_is_kept() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let asked_with = async |id: &str, target: &str| {
        gateway.request(|client, url| client.get(format!("{url}{target}")).header("x-request-id", id)).await
    };
    for target in ["/livez", "/nope"] {
        assert_eq!(asked_with("order-42/7", target).await.header("x-request-id"), "order-42/7");
        assert_eq!(asked_with(&"a".repeat(128), target).await.header("x-request-id"), "a".repeat(128));
    }
    assert_eq!(asked_with("order-42/7", "/nope").await.problem()["request_id"], "order-42/7");
    for refused in ["", "two words", "tab\there", &"a".repeat(129), "é"] {
        let given = asked_with(refused, "/livez").await.header("x-request-id").to_owned();
        assert_eq!((given.len(), given.matches('-').count()), (36, 4), "{refused}: {given}");
    }
    let ids = [gateway.get("/livez").await, gateway.get("/livez").await].map(|it| it.header("x-request-id").to_owned());
    assert_ne!(ids[0], ids[1]);
}

/// Sends the lines of a request head. Returns the response.
async fn send_head(gateway: &Gateway, lines: &[&str]) -> String {
    let mut stream = TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!("{}\r\nconnection: close\r\n\r\n", lines.join("\r\n"));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn missing_or_repeated_host_is_400() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let target = "GET /customers?connection=affiliates HTTP/1.1";
    // The second request would be answered from the response cache.
    for _ in 0..3 {
        assert!(send_head(&gateway, &[target, "host: a"]).await.starts_with("HTTP/1.1 200 "));
    }
    for hosts in [&[][..], &["host: a", "host: a"], &["host: a", "host: b"], &["host: a b"], &["host: user@a"]] {
        let response = send_head(&gateway, &[&[target], hosts].concat()).await;
        assert!(
            response.starts_with("HTTP/1.1 400 ") && response.contains("malformed_request"),
            "{hosts:?}: {response}"
        );
    }
    for host in ["host: [::1]:8080", "Host: gateway.example:443", "host:"] {
        assert!(send_head(&gateway, &[target, host]).await.starts_with("HTTP/1.1 200 "), "{host}");
    }
    assert!(send_head(&gateway, &["GET /livez HTTP/1.0"]).await.contains(" 200 "));
}

#[tokio::test]
async fn head_limits_apply_to_cached_responses() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let target = "/customers?connection=affiliates";
    for _ in 0..3 {
        gateway.get(target).await.ok();
    }
    let large = "x".repeat(33 << 10);
    let answer = gateway.request(|client, url| client.get(format!("{url}{target}")).header("x-large", &large)).await;
    assert_eq!(answer.code(431), "headers_too_large");
}

#[tokio::test]
async fn unreadable_cache_directive_costs_no_other() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    let target = "/customers?connection=affiliates";
    gateway.get(target).await.ok();
    for value in ["no-cache, max-age=abc", "No-Cache", "x=\"a, b\", NO-CACHE"] {
        let calls = sandbox.tolt().calls();
        let answer =
            gateway.request(|client, url| client.get(format!("{url}{target}")).header("cache-control", value)).await;
        assert!(answer.header("cache-status").contains("fwd=request"), "{value}: {}", answer.header("cache-status"));
        assert_eq!(sandbox.tolt().calls(), calls + 1, "{value}");
    }
}
