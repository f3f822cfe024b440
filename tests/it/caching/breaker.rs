//! A circuit breaker per connection: closed, open, half-open with one probe.

use std::ops::Range;

use customer_gateway::sandbox::Fault;
use futures_util::future::{join, join_all};
use serde_json::json;

use super::{PAGE, Stage, TAX_PAGE, gated_stage, stage};
use crate::support::connection;

/// Stage whose first connection has an open breaker, after five failures.
async fn stage_with_open_breaker() -> Stage {
    let stage = stage().start().await;
    open_breaker(&stage).await;
    stage
}

/// A vendor failure that is not retried.
const FAILURE: Fault = Fault::Status(520);

async fn open_breaker(stage: &Stage) {
    stage.vendors.tolt().reset_calls();
    stage.vendors.tolt().fail_next(5, FAILURE);
    for index in 0..5 {
        assert_eq!(stage.get(&stage.customer(index)).await.code(502), "vendor_error");
    }
    assert_eq!(stage.get(&stage.customer(5)).await.code(503), "vendor_unavailable");
    assert_eq!(stage.tolt_calls(), 5);
}

#[tokio::test]
async fn breaker_opens_after_five_failures() {
    let stage = stage_with_open_breaker().await;
    assert_eq!(stage.connection_member("breaker").await, json!({"state": "open", "retry_after": 5}));

    stage.advance(1);
    for _ in 0..10 {
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_unavailable");
        assert_eq!(refused.header("retry-after"), "4");
        assert_eq!(refused.problem()["retryable"], true);
    }
    assert_eq!(stage.tolt_calls(), 5);
}

#[tokio::test]
async fn breakers_of_connections_are_independent() {
    let stage = stage()
        .configure(|config| {
            let tolt = &config.connections[0];
            let (url, id) = (tolt.base_url.to_string(), tolt.account_id.clone());
            config.connections.push(connection("second", "tolt", &url, "sandbox-tolt-key", &id));
        })
        .start()
        .await;
    open_breaker(&stage).await;

    stage.get(TAX_PAGE).await.ok();
    stage.get("/customers?connection=second").await.ok();
    assert_eq!(stage.get(PAGE).await.code(503), "vendor_unavailable");
}

#[tokio::test]
async fn successful_probe_closes_the_breaker() {
    let stage = stage_with_open_breaker().await;
    stage.advance(5);
    assert_eq!(stage.connection_member("breaker").await, json!({"state": "half_open", "retry_after": null}));

    stage.get(PAGE).await.ok();
    assert_eq!(stage.connection_member("breaker").await, json!({"state": "closed", "retry_after": null}));
    stage.get(&stage.customer(0)).await.ok();
    assert_eq!(stage.tolt_calls(), 7);
}

#[tokio::test]
async fn failed_probe_doubles_the_open_time_to_60_s() {
    let stage = stage_with_open_breaker().await;
    let mut length = 5;
    for doubled in [10, 20, 40, 60, 60] {
        stage.advance(length);
        stage.vendors.tolt().reset_calls();
        stage.vendors.tolt().fail_next(1, Fault::Status(500));
        assert_eq!(stage.get(PAGE).await.code(502), "vendor_error");
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_unavailable");
        assert_eq!(refused.header("retry-after"), doubled.to_string());
        assert_eq!(stage.tolt_calls(), 1);
        length = doubled;
    }
}

#[tokio::test]
async fn half_open_breaker_allows_one_probe() {
    let (stage, gate) = gated_stage().await;
    open_breaker(&stage).await;
    stage.advance(5);
    gate.close();
    let so_far = gate.requests();

    let others = async {
        gate.wait_for_requests(so_far + 1).await;
        for index in 10..20 {
            let refused = stage.get(&stage.customer(index)).await;
            assert_eq!(refused.code(503), "vendor_unavailable");
            assert_ne!(refused.header("retry-after"), "");
        }
        assert_eq!(gate.requests(), so_far + 1);
        gate.open();
    };
    join(stage.get(PAGE), others).await.0.ok();
    stage.get(&stage.customer(10)).await.ok();
}

#[tokio::test]
async fn breaker_opens_at_half_failure_rate() {
    let stage = stage().start().await;
    fail_alternately(&stage, 0..10).await;
    assert_eq!(stage.tolt_calls(), 20);
    assert_eq!(stage.get(PAGE).await.code(503), "vendor_unavailable");
}

/// Gets customers; each fails once and then succeeds.
async fn fail_alternately(stage: &Stage, customers: Range<usize>) {
    for index in customers {
        stage.vendors.tolt().fail_next(1, FAILURE);
        assert_eq!(stage.get(&stage.customer(index)).await.code(502), "vendor_error");
        stage.get(&stage.customer(index)).await.ok();
    }
}

#[tokio::test]
async fn failures_outside_the_window_do_not_count() {
    let stage = stage().start().await;
    fail_alternately(&stage, 0..9).await;
    stage.advance(30);
    fail_alternately(&stage, 9..12).await;
    assert_eq!(stage.connection_member("breaker").await["state"], "closed");
}

#[tokio::test]
async fn vendor_401_does_not_open_the_breaker() {
    let stage = stage().start().await;
    for index in 0..10 {
        stage.vendors.tolt().fail_next(1, Fault::Status(401));
        stage.get(&stage.customer(index)).await.code(502);
    }
    assert_eq!(stage.connection_member("breaker").await["state"], "closed");
}

#[tokio::test]
async fn cached_pages_are_served_while_breaker_is_open() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(600);
    open_breaker(&stage).await;

    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; ttl=-570; detail=stale-if-error");
    assert_eq!(stage.tolt_calls(), 5);
}

// FACTS.md, case 136.
#[tokio::test]
async fn hanging_calls_open_the_breaker() {
    let (stage, gate) = gated_stage().await;
    stage.get(PAGE).await.ok();
    gate.close();
    let targets: Vec<_> = (0..5).map(|index| stage.customer(index)).collect();
    let checking = async {
        gate.wait_for_requests(6).await;
        stage.advance(4);
        assert_eq!(stage.connection_member("breaker").await["state"], "closed");
        stage.advance(1);
        // Half of the time limit of ten seconds has passed.
        let refused = stage.get(&stage.customer(5)).await;
        assert_eq!((refused.code(503), refused.header("retry-after")), ("vendor_unavailable".to_owned(), "5"));
        gate.open();
    };
    let (answers, ()) = join(join_all(targets.iter().map(|target| stage.get(target))), checking).await;
    answers.iter().for_each(|answer| drop(answer.ok()));
    assert_eq!(gate.requests(), 6);
}
