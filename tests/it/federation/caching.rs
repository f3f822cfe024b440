//! Caching of merged pages, by callers and by the response cache.

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::{Stage, get_preferring, sources, stage};
use crate::support::Answer;

const MERGED: &str = "/customers?order=desc&limit=20";

async fn get_if_none_match(stage: &Stage, tag: &str) -> Answer {
    stage.gateway.request(|client, url| client.get(format!("{url}{MERGED}")).header("if-none-match", tag)).await
}

#[tokio::test]
async fn merged_page_keeps_its_etag_while_cached() {
    let stage = stage(30, 30).start().await;
    let first = stage.gateway.get(MERGED).await;
    let tag = first.header("etag").to_owned();
    assert!(first.header("cache-status").contains("fwd=miss"), "{}", first.header("cache-status"));
    for _ in 0..3 {
        let again = stage.gateway.get(MERGED).await;
        assert_eq!((again.header("etag"), &again.text), (tag.as_str(), &first.text));
        assert!(again.header("cache-status").contains("hit"), "{}", again.header("cache-status"));
        assert_eq!(
            (get_if_none_match(&stage, &tag).await.status, get_if_none_match(&stage, "\"x\"").await.status),
            (304, 200)
        );
    }
    assert_eq!(stage.total_calls(), 2);

    // Fetched again, the same rows have another fetch time.
    stage.gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(get_if_none_match(&stage, &tag).await.status, 200);
}

#[tokio::test]
async fn merged_page_has_the_age_of_its_oldest_source() {
    let stage = stage(30, 30).start().await;
    stage.gateway.get("/customers?connection=tax&order=desc").await.ok();
    stage.gateway.clock.advance(Duration::from_secs(10));
    let merged = stage.gateway.get(MERGED).await;
    assert_eq!((merged.header("age"), merged.header("cache-control")), ("10", "private, max-age=30"));
    stage.gateway.clock.advance(Duration::from_secs(5));
    let again = stage.gateway.get(MERGED).await;
    assert_eq!((again.header("age"), again.header("cache-status")), ("15", "customer-gateway; hit; ttl=15"));
}

#[tokio::test]
async fn page_with_a_failed_source_is_not_cached() {
    let stage = stage(30, 30).start().await;
    let target = format!("{MERGED}&partial=allow");
    stage.vendors.corporation().fail_next(1, Fault::Html);
    let partial = stage.gateway.get(&target).await;
    assert_eq!(partial.header("cache-control"), "no-store");
    assert_eq!((partial.header("age"), partial.header("cache-status")), ("", ""));
    assert_eq!(sources(&partial.ok()), "affiliates ok 30, tax failed null (vendor_error)");

    let whole = stage.gateway.get(&target).await;
    assert_eq!(sources(&whole.ok()), "affiliates ok 30, tax ok 30");
    assert_ne!(whole.header("cache-control"), "no-store");
    assert_ne!(whole.header("etag"), partial.header("etag"));
}

/// A complete cached page does not answer for a partial page, and a partial
/// page does not answer for a complete page.
#[tokio::test]
async fn response_cache_stores_no_failure() {
    let stage = stage(30, 30).start().await;
    let target = format!("{MERGED}&partial=allow");
    for _ in 0..2 {
        stage.gateway.get(&target).await.ok();
    }
    stage.gateway.clock.advance(Duration::from_hours(2));
    stage.vendors.corporation().fail_next(1, Fault::Html);
    for expected in ["tax failed null (vendor_error)", "tax ok 30", "tax ok 30"] {
        let page = stage.gateway.get(&target).await.ok();
        assert_eq!(sources(&page), format!("affiliates ok 30, {expected}"));
    }
}

#[tokio::test]
async fn response_cache_varies_on_prefer() {
    let stage = stage(30, 30).start().await;
    for _ in 0..2 {
        assert_eq!(stage.gateway.get(MERGED).await.header("preference-applied"), "");
    }
    let lenient = get_preferring(&stage.gateway, "handling=lenient", MERGED).await;
    assert_eq!(lenient.header("preference-applied"), "handling=lenient");

    let target = "/customers?status=active";
    for _ in 0..2 {
        assert_eq!(get_preferring(&stage.gateway, "handling=lenient", target).await.status, 200);
        assert_eq!(stage.gateway.get(target).await.code(400), "unsupported_filter");
    }
}

#[tokio::test]
async fn merged_page_varies_on_request_headers() {
    let stage = stage(3, 3).start().await;
    assert_eq!(stage.gateway.get(MERGED).await.header("vary"), "authorization, accept, accept-encoding, prefer");
}
