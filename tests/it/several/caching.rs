//! What callers, and the front, may keep of a page made of several sources.

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::{Stage, preferring, sources};
use crate::support::Answer;

const MERGED: &str = "/customers?order=desc&limit=20";

async fn knowing(stage: &Stage, tag: &str) -> Answer {
    stage.gateway.request(|client, url| client.get(format!("{url}{MERGED}")).header("if-none-match", tag)).await
}

#[tokio::test]
async fn a_merged_page_has_one_tag_as_long_as_its_pages_stand() {
    let stage = Stage::set(30, 30).await;
    let first = stage.gateway.get(MERGED).await;
    let tag = first.header("etag").to_owned();
    assert!(first.header("cache-status").contains("fwd=miss"), "{}", first.header("cache-status"));
    for _ in 0..3 {
        let again = stage.gateway.get(MERGED).await;
        assert_eq!((again.header("etag"), &again.text), (tag.as_str(), &first.text));
        assert!(again.header("cache-status").contains("hit"), "{}", again.header("cache-status"));
        assert_eq!((knowing(&stage, &tag).await.status, knowing(&stage, "\"x\"").await.status), (304, 200));
    }
    assert_eq!(stage.calls(), 2);

    // Fetched anew, the same rows were fetched at another time.
    stage.gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(knowing(&stage, &tag).await.status, 200);
}

#[tokio::test]
async fn a_page_is_as_old_as_the_oldest_of_its_sources() {
    let stage = Stage::set(30, 30).await;
    stage.gateway.get("/customers?connection=tax&order=desc").await.ok();
    stage.gateway.clock.advance(Duration::from_secs(10));
    let merged = stage.gateway.get(MERGED).await;
    assert_eq!((merged.header("age"), merged.header("cache-control")), ("10", "private, max-age=30"));
    stage.gateway.clock.advance(Duration::from_secs(5));
    let again = stage.gateway.get(MERGED).await;
    assert_eq!((again.header("age"), again.header("cache-status")), ("15", "customer-gateway; hit; ttl=15"));
}

#[tokio::test]
async fn a_page_with_a_failed_source_is_kept_by_nobody() {
    let stage = Stage::set(30, 30).await;
    let target = format!("{MERGED}&partial=allow");
    stage.sandbox.corporation().fail_next(1, Fault::Html);
    let partial = stage.gateway.get(&target).await;
    assert_eq!(partial.header("cache-control"), "no-store");
    assert_eq!((partial.header("age"), partial.header("cache-status")), ("", ""));
    assert_eq!(sources(&partial.ok()), "affiliates ok 30, tax failed null (vendor_unreadable)");

    let whole = stage.gateway.get(&target).await;
    assert_eq!(sources(&whole.ok()), "affiliates ok 30, tax ok 30");
    assert_ne!(whole.header("cache-control"), "no-store");
    assert_ne!(whole.header("etag"), partial.header("etag"));
}

/// What stands in a page kept whole is no reason to give out what was failed
/// for, nor the other way round.
#[tokio::test]
async fn the_front_does_not_remember_a_failure() {
    let stage = Stage::set(30, 30).await;
    let target = format!("{MERGED}&partial=allow");
    for _ in 0..2 {
        stage.gateway.get(&target).await.ok();
    }
    stage.gateway.clock.advance(Duration::from_hours(2));
    stage.sandbox.corporation().fail_next(1, Fault::Html);
    for expected in ["tax failed null (vendor_unreadable)", "tax ok 30", "tax ok 30"] {
        let page = stage.gateway.get(&target).await.ok();
        assert_eq!(sources(&page), format!("affiliates ok 30, {expected}"));
    }
}

#[tokio::test]
async fn the_front_gives_nothing_remembered_to_who_prefers_something() {
    let stage = Stage::set(30, 30).await;
    for _ in 0..2 {
        assert_eq!(stage.gateway.get(MERGED).await.header("preference-applied"), "");
    }
    let lenient = preferring(&stage.gateway, "handling=lenient", MERGED).await;
    assert_eq!(lenient.header("preference-applied"), "handling=lenient");

    let target = "/customers?status=active";
    for _ in 0..2 {
        assert_eq!(preferring(&stage.gateway, "handling=lenient", target).await.status, 200);
        assert_eq!(stage.gateway.get(target).await.code(400), "unsupported_filter");
    }
}

#[tokio::test]
async fn an_answer_names_what_it_depends_on() {
    let stage = Stage::set(3, 3).await;
    assert_eq!(stage.gateway.get(MERGED).await.header("vary"), "authorization, accept, prefer");
}
