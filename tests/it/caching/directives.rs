//! What a request's `Cache-Control` demands (RFC 9111, section 5.2.1): fresher
//! than the policy, never for longer.

use super::{PAGE, Stage};

/// What a directive brings on a page of an age, and how many calls it makes
/// besides a refresh behind the caller's back.
async fn at_age(seconds: u64, directive: &str) -> String {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.pass(seconds);
    let answer = stage.get_with(PAGE, "cache-control", directive).await;
    if answer.status == 200 {
        return answer.cache_status().to_owned();
    }
    assert_eq!(stage.calls(), 1);
    format!("{} {}", answer.status, answer.code(answer.status))
}

const MADE_ANEW: &str = "fwd-status=200; stored; ttl=30";

#[tokio::test]
async fn no_cache_asks_the_vendor() {
    assert_eq!(at_age(0, "no-cache").await, format!("fwd=request; {MADE_ANEW}"));
    assert_eq!(at_age(31, "no-cache").await, format!("fwd=stale; {MADE_ANEW}"));
}

#[tokio::test]
async fn max_age_takes_nothing_older() {
    assert_eq!(at_age(10, "max-age=10").await, "hit; ttl=20");
    assert_eq!(at_age(11, "max-age=10").await, format!("fwd=request; {MADE_ANEW}"));
    assert_eq!(at_age(1, "max-age=0").await, format!("fwd=request; {MADE_ANEW}"));
    // No longer than the policy.
    assert_eq!(at_age(31, "max-age=3600").await, "hit; ttl=-1; detail=stale-while-revalidate");
    assert_eq!(at_age(600, "max-age=3600").await, format!("fwd=stale; {MADE_ANEW}"));
}

#[tokio::test]
async fn max_stale_takes_what_is_kept_up_to_its_number_and_the_policy() {
    let stale = |by: u32| format!("hit; ttl=-{by}; detail=stale-while-revalidate");
    assert_eq!(at_age(40, "max-stale=10").await, stale(10));
    assert_eq!(at_age(41, "max-stale=10").await, format!("fwd=stale; {MADE_ANEW}"));
    assert_eq!(at_age(600, "max-stale=600").await, stale(570));
    assert_eq!(at_age(600, "max-stale").await, stale(570));
    assert_eq!(at_age(30 + 3599, "MAX-STALE").await, stale(3599));
    assert_eq!(at_age(30 + 3600, "max-stale").await, format!("fwd=stale; {MADE_ANEW}"));
    assert_eq!(at_age(600, "max-stale, max-age=599").await, format!("fwd=stale; {MADE_ANEW}"));
}

#[tokio::test]
async fn only_if_cached_asks_nobody() {
    assert_eq!(at_age(29, "only-if-cached").await, "hit; ttl=1");
    assert_eq!(at_age(31, "only-if-cached").await, "hit; ttl=-1; detail=stale-while-revalidate");
    assert_eq!(at_age(600, "only-if-cached").await, "504 not_cached");
    assert_eq!(at_age(29, "only-if-cached, no-cache").await, "504 not_cached");

    let stage = Stage::set().await;
    let answer = stage.get_with(PAGE, "cache-control", "only-if-cached").await;
    assert_eq!(answer.code(504), "not_cached");
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn only_if_cached_starts_no_refresh() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.pass(31);
    for _ in 0..5 {
        stage.get_with(PAGE, "cache-control", "only-if-cached").await.ok();
    }
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn a_vendor_that_fails_does_not_loosen_what_a_request_demands() {
    use customer_gateway::sandbox::Fault;

    for (directive, expected) in [("no-cache", 502), ("max-age=100", 502), ("max-stale=100", 502), ("max-age=600", 200)]
    {
        let stage = Stage::set().await;
        stage.get(PAGE).await.ok();
        stage.pass(600);
        stage.sandbox.tolt().fail_next(3, Fault::Status(500));
        let answer = stage.get_with(PAGE, "cache-control", directive).await;
        assert_eq!(answer.status, expected, "{directive}");
    }
}

#[tokio::test]
async fn directives_that_mean_nothing_here_change_nothing() {
    for directive in ["", "no-transform", "min-fresh=20", "something=else, \"quoted\"", "max-age=ten"] {
        assert_eq!(at_age(1, directive).await, "hit; ttl=29", "{directive}");
    }
}
