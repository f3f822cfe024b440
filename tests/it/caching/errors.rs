//! Stale if error: what the vendor last said stands in for a failure
//! (RFC 5861, section 4).

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::{PAGE, Stage};

/// A stage whose page was fetched so many seconds ago.
async fn with_a_page_of_age(seconds: u64) -> Stage {
    let stage = Stage::with(|connection| {
        connection.timeout = Duration::from_millis(500);
        connection.rate_limit.max_wait = Duration::ZERO;
    })
    .await;
    stage.get(PAGE).await.ok();
    stage.pass(seconds);
    stage
}

#[tokio::test]
async fn a_stale_page_stands_in_for_a_vendor_that_fails() {
    let too_many = Fault::StatusWithHeaders(429, vec![("Retry-After".into(), "60".into())]);
    let failures = [
        (Fault::Status(500), "fwd=stale; fwd-status=500"),
        (Fault::Status(503), "fwd=stale; fwd-status=503"),
        (Fault::Reset, "fwd=stale"),
        (Fault::Html, "fwd=stale; fwd-status=200"),
        (Fault::Stall(Duration::from_mins(1)), "fwd=stale"),
        (too_many, "fwd=stale; fwd-status=429"),
    ];
    for (fault, forwarded) in failures {
        let stage = with_a_page_of_age(600).await;
        let before = stage.get_with(PAGE, "cache-control", "only-if-cached, max-stale").await;
        stage.sandbox.tolt().fail_next(3, fault.clone());

        let answer = stage.get(PAGE).await;
        assert_eq!(answer.cache_status(), format!("{forwarded}; ttl=-570; detail=stale-if-error"), "{fault:?}");
        assert_eq!(answer.ok(), before.ok());
        assert_eq!(answer.header("age"), "600");
    }
}

#[tokio::test]
async fn a_stale_page_stands_in_while_the_breaker_is_open_or_the_credential_is_stopped() {
    let stage = with_a_page_of_age(600).await;
    stage.sandbox.tolt().fail_next(100, Fault::Status(503));
    while stage.shows("breaker").await["state"] == "closed" {
        stage.get(PAGE).await.ok();
    }
    let calls = stage.calls();
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; ttl=-570; detail=stale-if-error");
    assert_eq!(stage.calls(), calls);

    let stage = with_a_page_of_age(600).await;
    let wait = vec![("Retry-After".into(), "60".into())];
    stage.sandbox.tolt().fail_next(1, Fault::StatusWithHeaders(429, wait));
    for _ in 0..3 {
        stage.get(PAGE).await.ok();
    }
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn a_stale_page_does_not_hide_that_the_vendor_refuses() {
    for (status, code) in
        [(401, "vendor_unauthorized"), (403, "vendor_unauthorized"), (400, "vendor_rejected"), (422, "vendor_rejected")]
    {
        let stage = with_a_page_of_age(600).await;
        stage.sandbox.tolt().fail_next(1, Fault::Status(status));

        assert_eq!(stage.get(PAGE).await.code(502), code, "{status}");
        assert_eq!(stage.calls(), 2);
    }
}

#[tokio::test]
async fn after_an_hour_the_error_shows() {
    let stage = with_a_page_of_age(30 + 3599).await;
    stage.sandbox.tolt().fail_next(3, Fault::Status(500));
    stage.get(PAGE).await.ok();

    let stage = with_a_page_of_age(30 + 3600).await;
    stage.sandbox.tolt().fail_next(3, Fault::Status(500));
    let answer = stage.get(PAGE).await;
    assert_eq!(answer.code(502), "vendor_error");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("cache-status"), "");
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let stage = Stage::set().await;
    stage.sandbox.tolt().fail_next(1, Fault::Status(401));

    assert_eq!(stage.get(PAGE).await.code(502), "vendor_unauthorized");
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
}

#[tokio::test]
async fn a_vendor_that_is_down_for_an_hour_is_invisible_to_callers_of_kept_pages() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.sandbox.tolt().fail_next(10_000, Fault::Status(503));

    let hour = 60;
    for _ in 0..hour {
        stage.pass(60);
        stage.get(PAGE).await.ok();
    }
    // Five failures of three attempts, then one probe each time, of one.
    assert!(stage.calls() <= 1 + 5 * 3 + hour, "{}", stage.calls());
}
