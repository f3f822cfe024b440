//! Freshness headers and conditional requests (RFC 9110, section 13; RFC 9111;
//! RFC 9211).

use std::time::Duration;

use customer_gateway::{
    domain::cursor::CursorKey,
    sandbox::{Fault, tolt},
};

use super::{PAGE, stage};
use crate::support::{Answer, Gateway, ScriptedVendor, config, connections_to, tolt_page, tolt_row};

/// Returns the caching headers, one per line.
fn caching_headers(answer: &Answer) -> String {
    let names = ["etag", "age", "cache-control", "cache-status", "vary"];
    let lines = names.map(|name| format!("{name}: {}", answer.header(name)));
    lines.join("\n")
}

#[tokio::test]
async fn response_reports_its_freshness() {
    let stage = stage().start().await;
    let target = stage.customer(0);

    insta::assert_snapshot!(caching_headers(&stage.get(&target).await), @r#"
    etag: "c1cefdfccc7297b539bd955e75da4f85"
    age: 0
    cache-control: private, max-age=30
    cache-status: customer-gateway; fwd=miss; fwd-status=200; stored; ttl=30
    vary: authorization, accept, accept-encoding, prefer
    "#);
    stage.advance(12);
    insta::assert_snapshot!(caching_headers(&stage.get(&target).await), @r#"
    etag: "c1cefdfccc7297b539bd955e75da4f85"
    age: 12
    cache-control: private, max-age=30
    cache-status: customer-gateway; hit; ttl=18
    vary: authorization, accept, accept-encoding, prefer
    "#);
    stage.advance(28);
    insta::assert_snapshot!(caching_headers(&stage.get(&target).await), @r#"
    etag: "c1cefdfccc7297b539bd955e75da4f85"
    age: 40
    cache-control: private, max-age=30
    cache-status: customer-gateway; hit; ttl=-10; detail=stale-while-revalidate
    vary: authorization, accept, accept-encoding, prefer
    "#);
}

#[tokio::test]
async fn max_age_matches_the_gateways_freshness() {
    let stage = stage().start().await;
    for age in [0, 10, 29] {
        let answer = stage.get(PAGE).await;
        // RFC 9111, section 4.2: an answer is fresh while its lifetime exceeds its age.
        assert_eq!((answer.header("age"), answer.header("cache-control")), (&*age.to_string(), "private, max-age=30"));
        stage.advance(if age == 0 { 10 } else { 19 });
    }
}

#[tokio::test]
async fn max_age_is_the_lifetime_at_any_instant() {
    let stage = stage().start().await;
    stage.gateway.clock.advance(Duration::from_millis(1300));
    let tag = stage.get(PAGE).await.header("etag").to_owned();
    let mut age = Duration::ZERO;
    for step in [0, 400, 700, 1, 899, 1000, 12_345, 13_999] {
        let step = Duration::from_millis(step);
        stage.gateway.clock.advance(step);
        age += step;
        // A page that the page cache answers, a page that the response cache answers, and
        // a 304 of both.
        let other = format!("{PAGE}&limit={}", age.subsec_millis() % 90 + 1);
        for answer in [
            stage.get(&other).await,
            stage.get(PAGE).await,
            stage.get(PAGE).await,
            stage.get_with(PAGE, "if-none-match", &tag).await,
            stage.get_with(PAGE, "cache-control", "max-stale").await,
        ] {
            assert_eq!(answer.header("cache-control"), "private, max-age=30", "{age:?}");
            assert_eq!(answer.header("age"), age.as_secs().to_string(), "{age:?}");
            assert_eq!(answer.cache_status(), format!("hit; ttl={}", 30 - age.as_secs()), "{age:?}");
        }
    }
}

#[tokio::test]
async fn etag_changes_with_the_page_only() {
    let stage = stage().start().await;
    let first = stage.get(PAGE).await.header("etag").to_owned();
    assert!(first.starts_with('"') && first.ends_with('"'), "strong: {first}");
    stage.advance(20);
    assert_eq!(stage.get(PAGE).await.header("etag"), first);
    assert_ne!(stage.get(&format!("{PAGE}&limit=5")).await.header("etag"), first);
    assert_ne!(stage.get(&format!("{PAGE}&include=raw")).await.header("etag"), first);

    let target = stage.customer(0);
    let before = stage.get(&target).await.header("etag").to_owned();
    let mut customer = stage.vendors.tolt().customers()[0].clone();
    stage.advance(3600 * 2);
    assert_eq!(stage.get(&target).await.header("etag"), before, "fetched again and unchanged");
    customer.name = "Somebody Else".into();
    stage.vendors.tolt().insert(customer);
    stage.advance(3600 * 2);
    assert_ne!(stage.get(&target).await.header("etag"), before);
}

#[tokio::test]
async fn replicas_send_the_same_etag() {
    let stage = stage().start().await;
    let mut config = config(connections_to(&stage.vendors));
    config.paging.cursor_key = Some(CursorKey::derive(b"another"));
    let replica = Gateway::start(config).await;
    let target = stage.customer(0);

    assert_eq!(stage.get(&target).await.header("etag"), replica.get(&target).await.header("etag"));
}

#[tokio::test]
async fn matching_etag_is_304_without_a_body() {
    let stage = stage().start().await;
    for target in [PAGE.to_owned(), stage.customer(0)] {
        let whole = stage.get(&target).await;
        let tag = whole.header("etag");
        stage.advance(5);

        let known = [tag.to_owned(), format!("W/{tag}"), format!("\"a\", W/\"b\", {tag}"), "*".to_owned()];
        // A tag with a tab or a space is malformed (found by the fuzz target `headers`).
        let malformed = ["\"a\tb\"", "\"a b\"", "\"a", "a\""].map(|other| format!("{tag}, {other}"));
        for known in known.iter().chain(&malformed) {
            let answer = stage.get_with(&target, "if-none-match", known).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
            assert_eq!(
                caching_headers(&answer),
                format!(
                    "etag: {tag}\nage: 5\ncache-control: private, max-age=30\n\
                     cache-status: customer-gateway; hit; ttl=25\nvary: authorization, accept, accept-encoding, prefer"
                )
            );
            assert_eq!(answer.header("content-type"), "");
        }
        for unknown in ["\"other\"", "W/\"other\"", "\"a\tb\"", "*, \"a\"", &tag.replace('"', ""), ""] {
            assert_eq!(stage.get_with(&target, "if-none-match", unknown).await.text, whole.text, "{unknown}");
        }
        stage.advance(3600 * 2);
    }
}

#[tokio::test]
async fn changed_page_is_sent_in_full() {
    let stage = stage().start().await;
    let tag = stage.get(PAGE).await.header("etag").to_owned();
    stage.vendors.tolt().insert(tolt::Customer::new("cust_newcomer", "2025-11-01T00:00:00.000Z"));
    stage.advance(3600);

    let answer = stage.get_with(PAGE, "if-none-match", &tag).await;
    assert!(answer.ok().to_string().contains("cust_newcomer"));
}

#[tokio::test]
async fn head_has_the_same_headers_and_no_body() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    let whole = stage.get(PAGE).await;
    let head = stage.gateway.request(|client, url| client.head(format!("{url}{PAGE}"))).await;

    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(caching_headers(&head), caching_headers(&whole));
    assert_eq!(head.header("content-length"), whole.text.len().to_string());
    assert_eq!(head.header("content-type"), "application/json");
}

#[tokio::test]
async fn page_of_several_reports_the_worst_status() {
    let stage = stage().start().await;
    let first = stage.get(&format!("{PAGE}&limit=90")).await.ok();
    stage.advance(20);
    let across = format!("{PAGE}&limit=100&cursor={}", first["page"]["next_cursor"].as_str().unwrap());

    // Ten rows of the cached page, ninety rows of the next page.
    let answer = stage.get(&across).await;
    assert_eq!(answer.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=10");
    assert_eq!((answer.header("age"), answer.header("cache-control")), ("20", "private, max-age=30"));
    assert_eq!(answer.ok()["sources"][0]["fetched_at"], "2025-11-01T00:00:00.000Z");
    assert_eq!(stage.tolt_calls(), 2);

    stage.advance(5);
    assert_eq!(stage.get(&across).await.cache_status(), "hit; ttl=5");
    stage.advance(6);
    assert_eq!(stage.get(&across).await.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
}

#[tokio::test]
async fn problems_are_no_store() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    for target in [PAGE, "/customers/affiliates.cust_nobody", "/customers?limit=-1", "/nowhere"] {
        let answer = stage.get(target).await;
        assert!(answer.status >= 400);
        assert_eq!(answer.header("cache-control"), "no-store", "{target}");
        assert_eq!(answer.header("etag"), "", "{target}");
    }
}

/// The first response refers to the rows of the vendor's page, and later ones are copies.
#[tokio::test]
async fn long_page_is_equal_shared_and_copied() {
    let rows: Vec<_> = (0..100)
        .map(|at| {
            let mut row = tolt_row(&format!("cust_{at}"));
            row["name"] = "Jim \"é\" ".repeat(1 + at).into();
            row
        })
        .collect();
    let vendor = ScriptedVendor::replying(tolt_page(&rows, false)).await;
    for target in
        ["/customers?limit=100", "/customers?limit=80", "/customers?limit=30", "/customers?limit=100&fields=id"]
    {
        let gateway = vendor.gateway("tolt").await;
        let first = gateway.get(target).await;
        assert_eq!(first.headers["content-length"], *first.text.len().to_string(), "{target}");
        let names: Vec<_> = first.json()["data"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
        if !target.contains("fields") {
            assert!(names.iter().zip(&rows).all(|(name, row)| *name == row["name"]), "{target}");
        }
        for _ in 0..2 {
            let again = gateway.get(target).await;
            assert_eq!((&again.text, &again.headers["etag"]), (&first.text, &first.headers["etag"]), "{target}");
        }
    }
}
