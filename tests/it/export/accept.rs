//! Content negotiation between exports and pages: `Accept`.

use reqwest::{Method, header::ACCEPT};

use super::{CSV, NDJSON, stage};

const TARGET: &str = "/customers?connection=affiliates";
const JSON: &str = "application/json";

/// Expected media type of each `Accept`.
const ACCEPTS: &[(&str, &str)] = &[
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", JSON),
    ("application/json, text/plain, */*", JSON),
    ("image/png", JSON),
    ("no media type", JSON),
    ("application/json, text/csv;q=0.5", JSON),
    ("text/csv;q=0.5, application/json", JSON),
    ("text/csv, */*;q=0.1", CSV),
    ("text/csv;q=0, application/json", JSON),
    ("application/x-ndjson;q=0", JSON),
    (NDJSON, NDJSON),
    ("Application/X-NDJSON", NDJSON),
    (CSV, CSV),
    ("TEXT/CSV", CSV),
    ("text/csv;charset=utf-8", CSV),
    ("text/csv; charset=UTF-8", CSV),
    ("text/csv; charset=utf-8; header=present", CSV),
    ("text/csv; header=\"present, q=0\"; charset=\"utf-8\"", CSV),
    ("text/csv; charset=iso-8859-1, application/json;q=0.5", JSON),
    ("application/x-ndjson; version=1; q=0.9, text/csv;q=0.5", NDJSON),
    ("application/json; charset=utf-8, text/csv;q=0.5", JSON),
    ("application/*;q=0.1, */*", CSV),
    ("text/*", CSV),
    ("application/x-ndjson;q=0.4, text/csv;q=0.6, application/json;q=0.5", CSV),
    ("application/x-ndjson;q=0.9, application/json;q=0.1", NDJSON),
    ("application/json;q=0.1, */*", NDJSON),
    ("application/json;q=0, */*;q=0.3", NDJSON),
];

#[tokio::test]
async fn accept_selects_the_preferred_format() {
    let stage = stage().start().await;
    // In the second round, pages come from the response cache.
    for round in 0..2 {
        for (accept, expected) in ACCEPTS {
            let answer = stage.gateway.get_as_type(TARGET, accept).await;
            let media_type = answer.header("content-type").split(';').next().unwrap();
            assert_eq!((answer.status, media_type), (200, *expected), "{accept}, round {round}");
            assert!(!answer.text.is_empty());
        }
    }
}

#[tokio::test]
async fn several_accept_headers_form_one_list() {
    let stage = stage().start().await;
    for _ in 0..2 {
        let answer = stage.gateway.request(|client, url| {
            client.get(format!("{url}{TARGET}")).header(ACCEPT, "application/json;q=0.5").header(ACCEPT, NDJSON)
        });
        assert_eq!(answer.await.header("content-type"), NDJSON);
        stage.gateway.get(TARGET).await.ok();
    }
}

#[tokio::test]
async fn exports_are_no_store_and_vary_on_accept() {
    let stage = stage().start().await;
    for accept in [JSON, NDJSON, CSV] {
        let answer = stage.gateway.get_as_type(TARGET, accept).await;
        assert!(answer.header("vary").contains("accept"), "{accept}: {:?}", answer.headers);
        assert_eq!(answer.header("cache-control") == "no-store", accept != JSON);
        assert_eq!(answer.header("etag").is_empty(), accept != JSON);
    }
}

#[tokio::test]
async fn exports_are_attachments() {
    let stage = stage().start().await;
    let customer = format!("/customers/affiliates.{}/transactions", stage.vendors.tolt().customers()[0].id);
    for (target, name) in [(TARGET, "customers"), ("/transactions", "transactions"), (&customer, "transactions")] {
        for (accept, extension) in [(NDJSON, "ndjson"), (CSV, "csv")] {
            let answer = stage.gateway.get_as_type(target, accept).await;
            let expected = format!("attachment; filename=\"{name}.{extension}\"");
            assert_eq!(answer.header("content-disposition"), expected, "{target}");
        }
        assert_eq!(stage.gateway.get(target).await.header("content-disposition"), "");
    }
}

#[tokio::test]
async fn page_etag_does_not_match_an_export() {
    let stage = stage().start().await;
    let tag = stage.gateway.get(TARGET).await.header("etag").to_owned();
    for (accept, status) in [(JSON, 304), (NDJSON, 200), (CSV, 200)] {
        let answer = stage.gateway.request(|client, url| {
            client.get(format!("{url}{TARGET}")).header(ACCEPT, accept).header("if-none-match", &tag)
        });
        assert_eq!(answer.await.status, status, "{accept}");
    }
}

#[tokio::test]
async fn head_of_an_export_has_headers_and_no_body() {
    let stage = stage().start().await;
    for (accept, content_type) in [(NDJSON, NDJSON), (CSV, "text/csv; charset=utf-8; header=present")] {
        let answer = stage
            .gateway
            .request(|client, url| client.request(Method::HEAD, format!("{url}{TARGET}")).header(ACCEPT, accept))
            .await;
        assert_eq!((answer.status, answer.header("content-type"), &*answer.text), (200, content_type, ""));
    }
    assert!(stage.calls()[0] <= 2, "only the first page is fetched");
}

#[tokio::test]
async fn only_lists_are_exported() {
    let stage = stage().start().await;
    let customer = format!("/customers/affiliates.{}", stage.vendors.tolt().customers()[0].id);
    for target in [&*customer, "/connections", "/explain/customers"] {
        assert_eq!(stage.gateway.get_as_type(target, NDJSON).await.header("content-type"), JSON, "{target}");
    }
}
