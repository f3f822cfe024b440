//! The request's `Cache-Control` (RFC 9111, section 5.2.1): stricter than the
//! policy, never looser.

use super::{PAGE, stage};

/// Returns the cache status that a directive gives for a page of this age, or
/// the status and code of the problem. A problem costs no further vendor call.
async fn at_age(seconds: u64, directive: &str) -> String {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(seconds);
    let answer = stage.get_with(PAGE, "cache-control", directive).await;
    if answer.status == 200 {
        return answer.cache_status().to_owned();
    }
    assert_eq!(stage.tolt_calls(), 1);
    format!("{} {}", answer.status, answer.code(answer.status))
}

const REFETCHED: &str = "fwd-status=200; stored; ttl=30";

#[tokio::test]
async fn no_cache_calls_the_vendor() {
    assert_eq!(at_age(0, "no-cache").await, format!("fwd=request; {REFETCHED}"));
    assert_eq!(at_age(31, "no-cache").await, format!("fwd=stale; {REFETCHED}"));
}

#[tokio::test]
async fn max_age_rejects_older_pages() {
    assert_eq!(at_age(10, "max-age=10").await, "hit; ttl=20");
    assert_eq!(at_age(11, "max-age=10").await, format!("fwd=request; {REFETCHED}"));
    assert_eq!(at_age(1, "max-age=0").await, format!("fwd=request; {REFETCHED}"));
    // The policy is the upper bound.
    assert_eq!(at_age(31, "max-age=3600").await, "hit; ttl=-1; detail=stale-while-revalidate");
    assert_eq!(at_age(600, "max-age=3600").await, format!("fwd=stale; {REFETCHED}"));
}

#[tokio::test]
async fn max_stale_is_bounded_by_value_and_policy() {
    let stale = |by: u32| format!("hit; ttl=-{by}; detail=stale-while-revalidate");
    assert_eq!(at_age(40, "max-stale=10").await, stale(10));
    assert_eq!(at_age(41, "max-stale=10").await, format!("fwd=stale; {REFETCHED}"));
    assert_eq!(at_age(600, "max-stale=600").await, stale(570));
    assert_eq!(at_age(600, "max-stale").await, stale(570));
    assert_eq!(at_age(30 + 3599, "MAX-STALE").await, stale(3599));
    assert_eq!(at_age(30 + 3600, "max-stale").await, format!("fwd=stale; {REFETCHED}"));
    assert_eq!(at_age(600, "max-stale, max-age=599").await, format!("fwd=stale; {REFETCHED}"));
}

#[tokio::test]
async fn only_if_cached_calls_no_vendor() {
    assert_eq!(at_age(29, "only-if-cached").await, "hit; ttl=1");
    assert_eq!(at_age(31, "only-if-cached").await, "hit; ttl=-1; detail=stale-while-revalidate");
    assert_eq!(at_age(600, "only-if-cached").await, "504 not_cached");
    assert_eq!(at_age(29, "only-if-cached, no-cache").await, "504 not_cached");

    let stage = stage().start().await;
    let answer = stage.get_with(PAGE, "cache-control", "only-if-cached").await;
    assert_eq!(answer.code(504), "not_cached");
    assert_eq!(stage.tolt_calls(), 0);
}

#[tokio::test]
async fn only_if_cached_starts_no_refresh() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(31);
    for _ in 0..5 {
        stage.get_with(PAGE, "cache-control", "only-if-cached").await.ok();
    }
    assert_eq!(stage.tolt_calls(), 1);
}

#[tokio::test]
async fn vendor_failure_does_not_relax_directives() {
    use customer_gateway::sandbox::Fault;

    for (directive, expected) in [("no-cache", 502), ("max-age=100", 502), ("max-stale=100", 502), ("max-age=600", 200)]
    {
        let stage = stage().start().await;
        stage.get(PAGE).await.ok();
        stage.advance(600);
        stage.vendors.tolt().fail_next(3, Fault::Status(500));
        let answer = stage.get_with(PAGE, "cache-control", directive).await;
        assert_eq!(answer.status, expected, "{directive}");
    }
}

#[tokio::test]
async fn unsupported_directives_are_ignored() {
    for directive in ["", "no-transform", "min-fresh=20", "something=else, \"quoted\"", "max-age=ten"] {
        assert_eq!(at_age(1, directive).await, "hit; ttl=29", "{directive}");
    }
}
