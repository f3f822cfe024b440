//! Stale if error: the cached page is served when the vendor fails (RFC 5861,
//! section 4).

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::{PAGE, Stage, stage};

/// Stage with a cached page of this age.
async fn stage_with_page_aged(seconds: u64) -> Stage {
    let stage = stage()
        .configure_first(|connection| {
            connection.timeout = Duration::from_millis(500);
            connection.rate_limit.max_wait = Duration::ZERO;
        })
        .start()
        .await;
    stage.get(PAGE).await.ok();
    stage.advance(seconds);
    stage
}

#[tokio::test]
async fn stale_page_is_served_when_the_vendor_fails() {
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
        let stage = stage_with_page_aged(600).await;
        let before = stage.get_with(PAGE, "cache-control", "only-if-cached, max-stale").await;
        stage.vendors.tolt().fail_next(3, fault.clone());

        let answer = stage.get(PAGE).await;
        assert_eq!(answer.cache_status(), format!("{forwarded}; ttl=-570; detail=stale-if-error"), "{fault:?}");
        assert_eq!(answer.ok(), before.ok());
        assert_eq!(answer.header("age"), "600");
    }
}

#[tokio::test]
async fn stale_page_is_served_while_vendor_is_blocked() {
    let stage = stage_with_page_aged(600).await;
    stage.vendors.tolt().fail_next(100, Fault::Status(503));
    while stage.connection_member("breaker").await["state"] == "closed" {
        stage.get(PAGE).await.ok();
    }
    let calls = stage.tolt_calls();
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; ttl=-570; detail=stale-if-error");
    assert_eq!(stage.tolt_calls(), calls);

    let stage = stage_with_page_aged(600).await;
    let wait = vec![("Retry-After".into(), "60".into())];
    stage.vendors.tolt().fail_next(1, Fault::StatusWithHeaders(429, wait));
    for _ in 0..3 {
        stage.get(PAGE).await.ok();
    }
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn stale_page_does_not_hide_a_vendor_4xx() {
    for (status, code) in
        [(401, "vendor_unauthorized"), (403, "vendor_unauthorized"), (400, "vendor_rejected"), (422, "vendor_rejected")]
    {
        let stage = stage_with_page_aged(600).await;
        stage.vendors.tolt().fail_next(1, Fault::Status(status));

        assert_eq!(stage.get(PAGE).await.code(502), code, "{status}");
        assert_eq!(stage.tolt_calls(), 2);
    }
}

#[tokio::test]
async fn stale_if_error_ends_after_an_hour() {
    let stage = stage_with_page_aged(30 + 3599).await;
    stage.vendors.tolt().fail_next(3, Fault::Status(500));
    stage.get(PAGE).await.ok();

    let stage = stage_with_page_aged(30 + 3600).await;
    stage.vendors.tolt().fail_next(3, Fault::Status(500));
    let answer = stage.get(PAGE).await;
    assert_eq!(answer.code(502), "vendor_error");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("cache-status"), "");
}

#[tokio::test]
async fn errors_are_not_cached() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));

    assert_eq!(stage.get(PAGE).await.code(502), "vendor_unauthorized");
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
}

#[tokio::test]
async fn hour_of_vendor_failure_is_hidden_by_the_cache() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.vendors.tolt().fail_next(10_000, Fault::Status(503));

    let hour = 60;
    for _ in 0..hour {
        stage.advance(60);
        stage.get(PAGE).await.ok();
    }
    // Five failures of three attempts, then one probe of one attempt at a time.
    assert!(stage.tolt_calls() <= 1 + 5 * 3 + hour, "{}", stage.tolt_calls());
}
