//! The documentation page: HTTP responses, and behaviour in a browser.

use std::{
    collections::BTreeSet,
    io::Read,
    net::TcpListener,
    process::{Command, Stdio},
};

use customer_gateway::sandbox::Sandbox;
use flate2::read::GzDecoder;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::{Gateway, caller, config, connections_to, sandbox};

const KEY: &str = "a-readers-key";

/// Starts a gateway that requires a key, except for public routes.
async fn gateway() -> (Sandbox, Gateway) {
    let sandbox = sandbox(150, 10, 10).await;
    let mut config = config(connections_to(&sandbox));
    config.callers = vec![caller("reader", KEY, &["affiliates", "tax"])];
    (sandbox, Gateway::start(config).await)
}

/// Fetches a target without decoding the response.
async fn fetch(gateway: &Gateway, target: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().no_brotli().no_gzip().build().unwrap();
    let request = client.get(format!("{}{target}", gateway.url));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Returns the targets of the page's script and document.
async fn asset_targets(gateway: &Gateway) -> [String; 2] {
    let page = gateway.get("/docs").await.text;
    ["/docs/scalar-", "/docs/openapi-"].map(|stem| {
        let start = page.find(stem).unwrap_or_else(|| panic!("no {stem} in {page}"));
        page[start..].split('"').next().unwrap().to_owned()
    })
}

#[tokio::test]
async fn docs_page_is_public_and_self_contained() {
    let (_sandbox, gateway) = gateway().await;
    let page = gateway.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(!page.text.replace("http://www.w3.org/2000/svg", "").contains("//"), "{}", page.text);
    insta::assert_snapshot!(
        page.header("content-security-policy").replace("; ", "\n"),
        @r"
    default-src 'none'
    script-src 'self'
    style-src 'unsafe-inline'
    connect-src 'self'
    img-src data:
    base-uri 'none'
    form-action 'none'
    frame-ancestors 'none'
    "
    );
    let [script, document] = asset_targets(&gateway).await;
    for (target, content_type) in [
        ("/docs", "text/html; charset=utf-8"),
        (&*script, "text/javascript; charset=utf-8"),
        (&*document, "application/json"),
    ] {
        let answer = fetch(&gateway, target, &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, content_type), "{target}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{target}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{target}");
        assert!(!header(&answer, "x-request-id").is_empty(), "{target}");
    }
}

#[tokio::test]
async fn script_is_sent_in_the_preferred_encoding() {
    let (_sandbox, gateway) = gateway().await;
    let [script, _] = asset_targets(&gateway).await;
    let plain = fetch(&gateway, &script, &[]).await;
    assert_eq!((header(&plain, "content-encoding"), header(&plain, "vary")), ("", "accept-encoding"));
    let plain = plain.bytes().await.unwrap();
    assert!(plain.len() > 1_000_000, "{} bytes", plain.len());

    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip", "gzip"),
        ("*", "br"),
        ("br;q=0, *;q=0.5", "zstd"),
        ("identity", ""),
        ("identity, gzip;q=0.5", ""),
        ("gzip;q=0", ""),
        ("zstd", "zstd"),
        ("zstd, gzip", "zstd"),
        ("deflate", ""),
        ("", ""),
    ] {
        let answer = fetch(&gateway, &script, &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&answer, "content-encoding"), encoding, "{accepted}");
        assert_eq!(header(&answer, "vary"), "accept-encoding", "{accepted}");
        let body = answer.bytes().await.unwrap();
        let mut decoded = Vec::new();
        match encoding {
            "br" => brotli::BrotliDecompress(&mut &*body, &mut decoded).unwrap(),
            "zstd" => decoded = zstd::decode_all(&*body).unwrap(),
            "gzip" => drop(GzDecoder::new(&*body).read_to_end(&mut decoded).unwrap()),
            _ => decoded.extend_from_slice(&body),
        }
        assert!(decoded == plain, "{accepted}: not the script");
        assert!(encoding.is_empty() || body.len() < plain.len() / 3, "{accepted}: {} bytes", body.len());
    }
}

#[tokio::test]
async fn cached_assets_are_not_sent_again() {
    let (_sandbox, gateway) = gateway().await;
    let [script, document] = asset_targets(&gateway).await;
    let forever = "public, max-age=31536000, immutable";
    for (target, cache_control) in [("/docs", "no-cache"), (&*script, forever), (&*document, forever)] {
        let mut tags = Vec::new();
        for encoding in ["br", "zstd", "gzip", "identity"] {
            let accept = ("accept-encoding", encoding);
            let first = fetch(&gateway, target, &[accept]).await;
            assert_eq!(header(&first, "cache-control"), cache_control, "{target}");
            let tag = header(&first, "etag").to_owned();

            let again = fetch(&gateway, target, &[accept, ("if-none-match", &tag)]).await;
            assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, &*tag), "{target}");
            assert_eq!(header(&again, "cache-control"), cache_control, "{target}");
            assert!(again.bytes().await.unwrap().is_empty(), "{target}");
            tags.push(tag);
        }
        tags.dedup();
        assert_eq!(tags.len(), 4, "{target}: one tag for several encodings");
    }
}

#[tokio::test]
async fn asset_of_another_version_is_404() {
    let (_sandbox, gateway) = gateway().await;
    for target in ["/docs/scalar-00000000000000000000000000000000.js", "/docs/page.html"] {
        assert_eq!(gateway.get(target).await.code(404), "not_found");
    }
}

#[tokio::test]
async fn page_document_equals_the_contract() {
    let (_sandbox, gateway) = gateway().await;
    let contract: Value = serde_json::from_str(&customer_gateway::api::documents().v3_1).unwrap();
    assert!(contract["paths"].as_object().unwrap().keys().all(|path| !path.starts_with("/docs")));

    let [_, document] = asset_targets(&gateway).await;
    let mut shown = gateway.get(&document).await.ok();
    let mut tried = BTreeSet::new();
    for (path, methods) in shown["paths"].as_object_mut().unwrap() {
        for operation in methods.as_object_mut().unwrap().values_mut() {
            for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                let parameter = parameter.as_object_mut().unwrap();
                let name = parameter["name"].as_str().unwrap().to_owned();
                if let Some(examples) = parameter.remove("examples") {
                    assert_eq!(examples["default"]["x-disabled"], true, "{path} {name}");
                    parameter.insert("example".to_owned(), examples["default"]["value"].clone());
                } else if parameter.contains_key("example") {
                    tried.insert(format!("{path} {name}"));
                }
            }
        }
    }
    assert!(shown == contract, "the page differs from the contract");
    insta::assert_snapshot!(tried.into_iter().collect::<Vec<_>>().join("\n"), @r"
    /cache connection
    /connections/{name} name
    /connections/{name}/sync name
    /customers connection
    /customers limit
    /customers/{id} id
    /customers/{id}/transactions id
    /customers/{id}/transactions limit
    /explain/customers connection
    /explain/customers limit
    /explain/transactions connection
    /explain/transactions limit
    /problems/{code} code
    /transactions connection
    /transactions limit
    ");
}

#[tokio::test]
async fn problem_in_the_introduction_is_current() {
    let (_sandbox, gateway) = gateway().await;
    let contract: Value = serde_json::from_str(&customer_gateway::api::documents().v3_1).unwrap();
    let introduction = contract["info"]["description"].as_str().unwrap();
    let told = introduction.split("```").find_map(|block| {
        let block: Value = serde_json::from_str(block.strip_prefix("json")?).ok()?;
        block.get("type").is_some().then_some(block)
    });
    let mut answered = gateway.get_as(KEY, "/customers?connection=affiliates&limit=1000").await.problem();
    let mut told = told.expect("the introduction shows a problem");
    for problem in [&mut told, &mut answered] {
        problem["request_id"] = json!("the request's own");
    }
    assert_eq!(told, answered);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: ./test-browser"]
async fn browser_renders_the_page_and_sends_a_request() {
    let (_sandbox, gateway) = gateway().await;
    run_in_browser("docs.mjs", &[&gateway.url, KEY]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: ./test-browser"]
async fn page_of_another_origin_reads_customers() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let sandbox = sandbox(150, 10, 10).await;
    let mut config = config(connections_to(&sandbox));
    config.callers = vec![caller("reader", KEY, &["affiliates"])];
    config.server.cors_origins = vec![format!("http://localhost:{port}").parse().unwrap()];
    let gateway = Gateway::start(config).await;
    run_in_browser("cors.mjs", &[&gateway.url, &port, KEY]).await;
}

/// Runs a script of `tests/browser`.
async fn run_in_browser(script: &str, arguments: &[&str]) {
    let mut command = Command::new("node");
    command.arg(format!("{}/tests/browser/{script}", env!("CARGO_MANIFEST_DIR"))).args(arguments);
    command.args(std::env::var_os("SCREENSHOTS")).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let [said, erred] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{}\n{said}\n{erred}", output.status);
}
