//! A breaker per connection: closed, open, half-open with one probe.

use std::ops::Range;

use customer_gateway::sandbox::Fault;
use futures_util::future::join;
use serde_json::json;

use super::{PAGE, Stage, TAX_PAGE};
use crate::support::connection;

/// A stage whose first connection has just failed five times.
async fn broken() -> Stage {
    let stage = Stage::set().await;
    break_it(&stage).await;
    stage
}

/// A failure of the vendor's that is not tried again.
const FAILURE: Fault = Fault::Status(520);

async fn break_it(stage: &Stage) {
    stage.sandbox.tolt().reset_calls();
    stage.sandbox.tolt().fail_next(5, FAILURE);
    for index in 0..5 {
        assert_eq!(stage.get(&stage.customer(index)).await.code(502), "vendor_error");
    }
    assert_eq!(stage.get(&stage.customer(5)).await.code(503), "vendor_unavailable");
    assert_eq!(stage.calls(), 5);
}

#[tokio::test]
async fn after_five_failures_in_a_row_the_vendor_is_left_alone_for_a_while() {
    let stage = broken().await;
    assert_eq!(stage.shows("breaker").await, json!({"state": "open", "retry_after": 5}));

    stage.pass(1);
    for _ in 0..10 {
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_unavailable");
        assert_eq!(refused.header("retry-after"), "4");
        assert_eq!(refused.problem()["retryable"], true);
    }
    assert_eq!(stage.calls(), 5);
}

#[tokio::test]
async fn one_connection_s_breaker_is_not_another_s() {
    let stage = Stage::configured(|config| {
        let tolt = &config.connections[0];
        let (url, id) = (tolt.base_url.to_string(), tolt.account_id.clone());
        config.connections.push(connection("second", "tolt", &url, "sandbox-tolt-key", &id));
    })
    .await;
    break_it(&stage).await;

    stage.get(TAX_PAGE).await.ok();
    stage.get("/customers?connection=second").await.ok();
    assert_eq!(stage.get(PAGE).await.code(503), "vendor_unavailable");
}

#[tokio::test]
async fn a_call_that_passes_closes_it() {
    let stage = broken().await;
    stage.pass(5);
    assert_eq!(stage.shows("breaker").await, json!({"state": "half_open", "retry_after": null}));

    stage.get(PAGE).await.ok();
    assert_eq!(stage.shows("breaker").await, json!({"state": "closed", "retry_after": null}));
    stage.get(&stage.customer(0)).await.ok();
    assert_eq!(stage.calls(), 7);
}

#[tokio::test]
async fn a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_minute() {
    let stage = broken().await;
    let mut length = 5;
    for doubled in [10, 20, 40, 60, 60] {
        stage.pass(length);
        stage.sandbox.tolt().reset_calls();
        stage.sandbox.tolt().fail_next(1, Fault::Status(500));
        assert_eq!(stage.get(PAGE).await.code(502), "vendor_error");
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_unavailable");
        assert_eq!(refused.header("retry-after"), doubled.to_string());
        assert_eq!(stage.calls(), 1);
        length = doubled;
    }
}

#[tokio::test]
async fn a_half_open_breaker_lets_one_call_pass() {
    let (stage, bar) = Stage::with_a_bar().await;
    break_it(&stage).await;
    stage.pass(5);
    bar.close();
    let so_far = bar.requests();

    let others = async {
        bar.has_seen(so_far + 1).await;
        for index in 10..20 {
            let refused = stage.get(&stage.customer(index)).await;
            assert_eq!(refused.code(503), "vendor_unavailable");
            assert_ne!(refused.header("retry-after"), "");
        }
        assert_eq!(bar.requests(), so_far + 1);
        bar.open();
    };
    join(stage.get(PAGE), others).await.0.ok();
    stage.get(&stage.customer(10)).await.ok();
}

#[tokio::test]
async fn a_vendor_that_fails_half_of_the_time_is_left_alone_too() {
    let stage = Stage::set().await;
    fail_every_other(&stage, 0..10).await;
    assert_eq!(stage.calls(), 20);
    assert_eq!(stage.get(PAGE).await.code(503), "vendor_unavailable");
}

/// Asks for customers, each of which fails once and passes then.
async fn fail_every_other(stage: &Stage, customers: Range<usize>) {
    for index in customers {
        stage.sandbox.tolt().fail_next(1, FAILURE);
        assert_eq!(stage.get(&stage.customer(index)).await.code(502), "vendor_error");
        stage.get(&stage.customer(index)).await.ok();
    }
}

#[tokio::test]
async fn failures_of_long_ago_do_not_count() {
    let stage = Stage::set().await;
    fail_every_other(&stage, 0..9).await;
    stage.pass(30);
    fail_every_other(&stage, 9..12).await;
    assert_eq!(stage.shows("breaker").await["state"], "closed");
}

#[tokio::test]
async fn what_the_vendor_refuses_is_not_a_failure_of_its() {
    let stage = Stage::set().await;
    for index in 0..10 {
        stage.sandbox.tolt().fail_next(1, Fault::Status(401));
        stage.get(&stage.customer(index)).await.code(502);
    }
    assert_eq!(stage.shows("breaker").await["state"], "closed");
}

#[tokio::test]
async fn kept_pages_are_served_while_it_is_open() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.pass(600);
    break_it(&stage).await;

    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; ttl=-570; detail=stale-if-error");
    assert_eq!(stage.calls(), 5);
}
