//! `/readyz`: fails only if nothing can be served.

use std::time::Duration;

use serde_json::json;

use crate::support::{Gateway, config, connections_to, sandbox};
use customer_gateway::sandbox::Fault;

/// Cached pages count until they are too old for stale-if-error. A cached 404
/// never counts.
#[tokio::test]
async fn cached_pages_count_until_they_expire() {
    let sandbox = sandbox(5, 0, 5).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    gateway.get("/customers?connection=tax").await.ok();
    gateway.get("/customers/affiliates.cust_none").await.code(404);
    let fails = async || {
        sandbox.tolt().fail_next(100, Fault::Status(520));
        sandbox.corporation().fail_next(100, Fault::Status(520));
        open_breaker(&gateway, "affiliates").await;
        open_breaker(&gateway, "tax").await;
    };
    let hour = Duration::from_hours(1);
    gateway.clock.advance(hour + Duration::from_secs(20));
    fails().await;
    gateway.get("/customers?connection=tax").await.ok();
    let report = gateway.get("/readyz").await.ok();
    assert_eq!(report["connections"][0]["status"], "failing");
    assert_eq!(report["connections"][1]["status"], "degraded");

    gateway.clock.advance(hour);
    fails().await;
    gateway.get("/customers?connection=tax").await.problem();
    assert_eq!(gateway.get("/readyz").await.code(503), "not_ready");
}

/// Opens the breaker of a connection whose vendor is down.
async fn open_breaker(gateway: &Gateway, connection: &str) {
    for index in 0..5 {
        gateway.get(&format!("/customers/{connection}.cust_{index}")).await.problem();
    }
}

#[tokio::test]
async fn readiness_fails_only_if_nothing_can_be_served() {
    let sandbox = sandbox(5, 0, 5).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let closed = json!({"state": "closed", "retry_after": null});
    let open = json!({"state": "open", "retry_after": 5});
    let tax = json!({"name": "tax", "status": "ok", "breaker": closed});
    let ready = json!({"status": "ok", "connections": [
        {"name": "affiliates", "status": "ok", "breaker": closed}, tax
    ]});
    assert_eq!(gateway.get("/readyz").await.ok(), ready);

    sandbox.tolt().fail_next(100, Fault::Status(520));
    open_breaker(&gateway, "affiliates").await;
    let degraded = json!({"status": "degraded", "connections": [
        {"name": "affiliates", "status": "failing", "breaker": open}, tax
    ]});
    assert_eq!(gateway.get("/readyz").await.ok(), degraded);

    // Both vendors are down now, and a page of one vendor is cached.
    gateway.get("/customers?connection=tax").await.ok();
    sandbox.corporation().fail_next(100, Fault::Status(520));
    open_breaker(&gateway, "tax").await;
    let kept = json!({"status": "degraded", "connections": [
        {"name": "affiliates", "status": "failing", "breaker": open},
        {"name": "tax", "status": "degraded", "breaker": open}
    ]});
    assert_eq!(gateway.get("/readyz").await.ok(), kept);

    let purged = gateway.request(|client, url| client.delete(format!("{url}/cache?connection=tax"))).await;
    assert_eq!(purged.status, 200, "{}", purged.text);
    let problem = gateway.get("/readyz").await;
    assert_eq!(problem.code(503), "not_ready");
    assert!(problem.text.contains("the vendors of `affiliates`, `tax` fail"), "{}", problem.text);
    assert_eq!(gateway.get("/livez").await.status, 200);

    // A probe may succeed.
    gateway.clock.advance(Duration::from_secs(6));
    assert_eq!(gateway.get("/readyz").await.status, 200);
}
