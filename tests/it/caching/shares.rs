//! A caller's share of a budget: its bound, and its isolation from other
//! callers.

use std::time::Duration;

use customer_gateway::{
    callers::{Caller, CallerKey},
    clock::Clock,
    config::{Config, Connection},
    sandbox::Fault,
    upstream::Share,
};
use insta::assert_json_snapshot;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{PAGE, Stage, TAX_PAGE, metrics::metric};
use crate::support::{Answer, caller, config, connections_to, one_call_per, until};

const APP: &str = "cgk_app";
const BATCH: &str = "cgk_batch";
const BATCH_SECOND: &str = "cgk_batch_too";
const REPORT: &str = "cgk_report";

/// Interval between two calls.
const STEP: Duration = Duration::from_millis(250);
/// Interval between two calls of a share of one fifth, which has no margin.
const SHARE_STEP: Duration = Duration::from_millis(1_100);

/// Starts a stage with a fifth of four calls per second for the batch job
/// and for the report. The app has no bound.
async fn stage(max_wait: Duration) -> Stage {
    stage_with(max_wait, |_| {}).await
}

async fn stage_with(max_wait: Duration, change: impl FnOnce(&mut Config)) -> Stage {
    super::stage().configure(|config| configure_shares(config, max_wait, 0.2, change)).start().await
}

fn configure_shares(config: &mut Config, max_wait: Duration, share: f64, change: impl FnOnce(&mut Config)) {
    for connection in &mut config.connections {
        connection.rate_limit.windows = one_call_per(STEP);
        connection.rate_limit.max_wait = max_wait;
        connection.timeout = Duration::from_mins(1);
    }
    change(config);
    let names: Vec<_> = config.connections.iter().map(|connection| connection.name.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let shared = |name, key| Caller { share: Share::new(share), ..caller(name, key, &names) };
    let mut batch = shared("batch", BATCH);
    batch.keys.push(CallerKey::permanent(blake3::hash(BATCH_SECOND.as_bytes())));
    config.callers = vec![caller("app", APP, &names), batch, shared("report", REPORT)];
}

impl Stage {
    async fn get_as(&self, key: &str, target: &str) -> Answer {
        self.gateway.get_as(key, target).await
    }

    /// Sends a request. Returns when the request sleeps.
    async fn get_until_asleep(&self, key: &str, target: &str) -> JoinHandle<u16> {
        let sleepers = self.gateway.clock.sleepers();
        let request = reqwest::Client::new().get(format!("{}{target}", self.gateway.url)).bearer_auth(key);
        let asking = tokio::spawn(async move { request.send().await.unwrap().status().as_u16() });
        until(|| self.gateway.clock.sleepers() > sleepers).await;
        asking
    }

    /// Returns the budget as a caller sees it.
    async fn budget(&self, key: &str) -> Value {
        self.get_as(key, "/connections/affiliates").await.ok()["budget"].take()
    }

    /// Reloads the configuration with other shares.
    async fn reload_shares(&self, share: f64, change: impl FnOnce(&mut Vec<Caller>)) {
        let mut config = config(connections_to(&self.vendors));
        configure_shares(&mut config, Duration::ZERO, share, |_| {});
        change(&mut config.callers);
        self.gateway.reload(config).await;
    }

    /// Gives background work time to finish.
    async fn settle(&self) {
        for _ in 0..20 {
            self.get("/livez").await.ok();
        }
    }
}

#[tokio::test]
async fn share_bounds_a_busy_batch_caller() {
    let stage = stage(Duration::ZERO).await;
    let (mut of_batch, mut of_app) = (Vec::new(), Vec::new());
    for step in 0..100 {
        while stage.get_as(BATCH, &stage.customer(of_batch.len())).await.status == 200 {
            of_batch.push(step);
        }
        // Nothing waits for a permit here, so a permit of the batch job is not
        // the app's.
        if of_batch.last() != Some(&step) {
            stage.get_as(APP, &stage.customer(249 - of_app.len())).await.ok();
            of_app.push(step);
        }
        stage.gateway.clock.advance(STEP);
    }
    assert_eq!(of_batch, (0..100).step_by(5).collect::<Vec<_>>());
    assert_eq!(of_app.len(), 80);
    assert_eq!(stage.tolt_calls(), 100);
}

#[tokio::test]
async fn spent_share_is_429_until_it_refills() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(BATCH, PAGE).await.ok();
    stage.gateway.clock.advance(STEP);

    let other = stage.customer(0);
    let refused = stage.get_as(BATCH, &other).await;
    assert_json_snapshot!(refused.problem_snapshot(), @r#"
    {
      "code": "quota_exceeded",
      "connection": "affiliates",
      "detail": "the caller's share of the vendor's rate limit is exhausted; retry in 1 s",
      "request_id": "[request id]",
      "retry_after": 1,
      "retryable": true,
      "status": 429,
      "title": "The caller's quota is exhausted"
    }
    "#);
    assert_eq!(refused.header("retry-after"), "1");
    let count = r#"gateway_caller_share_refused_total{caller="batch",connection="affiliates"}"#;
    assert_eq!(metric(&stage, count).await, 1);
    assert_eq!(metric(&stage, r#"gateway_caller_share_remaining{caller="batch",connection="affiliates"}"#).await, 0);

    // Cached pages cost nothing, for any caller.
    assert_eq!(stage.get_as(BATCH, PAGE).await.cache_status(), "hit; ttl=30");
    stage.get_as(APP, &other).await.ok();
    assert_eq!(stage.get_as(BATCH, &other).await.cache_status(), "hit; ttl=30");

    stage.advance(1);
    stage.get_as(BATCH, &stage.customer(1)).await.ok();
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn remaining_share_is_shown_to_its_caller() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(BATCH, PAGE).await.ok();
    stage.gateway.clock.advance(STEP);
    for (key, share_remaining) in [(APP, Value::Null), (BATCH, json!(0)), (REPORT, json!(1))] {
        let budget = json!({"remaining": 1, "share_remaining": share_remaining, "waiting": 0, "blocked_for": null, "scope": "process"});
        assert_eq!(stage.budget(key).await, budget);
        let explained = stage.get_as(key, "/explain/customers?connection=affiliates").await.ok();
        assert_eq!(explained["sources"][0]["budget"], budget);
    }
    stage.gateway.clock.advance(STEP * 4);
    assert_eq!(stage.budget(BATCH).await["share_remaining"], 1);
}

#[tokio::test]
async fn share_covers_all_keys_and_connections() {
    let stage = stage_with(Duration::ZERO, |config| {
        let partners = Connection { name: "partners".parse().unwrap(), ..config.connections[0].clone() };
        config.connections.push(partners);
    })
    .await;
    stage.get_as(BATCH, PAGE).await.ok();
    stage.gateway.clock.advance(STEP);
    for key in [BATCH, BATCH_SECOND] {
        for connection in ["affiliates", "partners"] {
            let refused = stage.get_as(key, &format!("/customers?connection={connection}&status=lead")).await;
            assert_eq!(refused.code(429), "quota_exceeded");
            assert_eq!(refused.problem()["connection"], connection);
        }
    }
    // Another credential's budget has its own share, and another caller has its
    // own.
    stage.get_as(BATCH, TAX_PAGE).await.ok();
    stage.get_as(REPORT, "/customers?connection=partners&status=lead").await.ok();
}

#[tokio::test]
async fn wait_for_a_share_blocks_no_other_caller() {
    let stage = stage(Duration::from_millis(1_900)).await;
    stage.get_as(BATCH, PAGE).await.ok();
    stage.gateway.clock.advance(STEP);
    let [same, next, last] = [0, 1, 2].map(|index| stage.customer(index));
    let waiting = stage.get_until_asleep(BATCH, &same).await;

    // A request for the same page does not wait either. Both share one call.
    assert_eq!(stage.get_as(APP, &same).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert!(!waiting.is_finished());
    // The next request in the same queue would wait for 1.95 seconds.
    let refused = stage.get_as(BATCH, &last).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "2"), "{}", refused.text);
    stage.gateway.clock.advance(STEP * 4);
    assert_eq!(waiting.await.unwrap(), 200);
    assert_eq!(stage.tolt_calls(), 2);

    let waiting = stage.get_until_asleep(BATCH, &next).await;
    stage.get_as(APP, &last).await.ok();
    stage.gateway.clock.advance(SHARE_STEP);
    assert_eq!(waiting.await.unwrap(), 200);
    assert_eq!(stage.tolt_calls(), 4);
}

#[tokio::test]
async fn stale_page_is_served_when_the_share_is_spent() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(BATCH, PAGE).await.ok();
    stage.advance(30 + 300);
    stage.get_as(BATCH, &stage.customer(0)).await.ok();
    stage.gateway.clock.advance(STEP);

    let answer = stage.get_as(BATCH, PAGE).await;
    assert_eq!((answer.status, answer.cache_status()), (200, "fwd=stale; ttl=-300; detail=stale-if-error"));
    let fresh = stage.gateway.request(|client, url| {
        client.get(format!("{url}{PAGE}")).bearer_auth(BATCH).header("cache-control", "no-cache")
    });
    assert_eq!(fresh.await.code(429), "quota_exceeded");
    assert_eq!(stage.tolt_calls(), 2);
    stage.get_as(APP, PAGE).await.ok();
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn refresh_is_charged_to_the_caller_starting_it() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(APP, PAGE).await.ok();
    stage.advance(31);
    stage.get_as(BATCH, &stage.customer(0)).await.ok();
    stage.gateway.clock.advance(STEP);
    for _ in 0..2 {
        assert_eq!(stage.get_as(BATCH, PAGE).await.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
        stage.settle().await;
    }
    assert_eq!(stage.tolt_calls(), 2);
    // No caller was refused.
    assert!(!stage.get("/metrics").await.text.contains("gateway_caller_share_refused_total"));

    // Other callers can refresh the page.
    while stage.get_as(APP, PAGE).await.cache_status() != "hit; ttl=30" {}
    assert_eq!(stage.tolt_calls(), 3);
    stage.advance(40);
    stage.get_as(BATCH, PAGE).await.ok();
    while stage.get_as(APP, PAGE).await.cache_status() != "hit; ttl=30" {}
    assert_eq!(stage.tolt_calls(), 4);
    stage.gateway.clock.advance(STEP);
    stage.get_as(BATCH, &stage.customer(1)).await.code(429);
}

#[tokio::test]
async fn partial_page_omits_source_with_spent_share() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(BATCH, &stage.customer(0)).await.ok();
    stage.gateway.clock.advance(STEP);

    stage.get_as(BATCH, "/customers").await.code(429);
    let page = stage.get_as(BATCH, "/customers?partial=allow").await.ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
    let [affiliates, tax] = [0, 1].map(|at| &page["sources"][at]);
    assert_eq!((&affiliates["status"], &tax["status"]), (&json!("failed"), &json!("ok")));
    assert_eq!(
        (&affiliates["problem"]["code"], &affiliates["problem"]["retry_after"]),
        (&json!("quota_exceeded"), &json!(1))
    );
}

#[tokio::test]
async fn export_waits_for_its_callers_share() {
    let stage = stage(Duration::ZERO).await;
    let export = reqwest::Client::new().get(format!("{}{PAGE}", stage.gateway.url)).bearer_auth(BATCH);
    let export = export.header(ACCEPT, "application/x-ndjson");
    let export = tokio::spawn(async move { export.send().await.unwrap().text().await.unwrap() });
    while !export.is_finished() {
        stage.settle().await;
        stage.gateway.clock.advance(Duration::from_millis(50));
    }
    let export = export.await.unwrap();
    assert!(export.lines().last().unwrap().contains(r#""status":"complete","count":250"#), "{export}");
    assert_eq!(stage.tolt_calls(), 3);
    assert!(stage.gateway.clock.elapsed() >= 2 * SHARE_STEP, "{:?}", stage.gateway.clock.elapsed());
}

/// The export uses the caller's share at its start. Later requests use the
/// changed share.
#[tokio::test]
async fn changed_share_still_bounds_a_running_export() {
    let stage = stage(Duration::ZERO).await;
    let export = reqwest::Client::new().get(format!("{}{PAGE}", stage.gateway.url)).bearer_auth(BATCH);
    let export = export.header(ACCEPT, "application/x-ndjson");
    let export = tokio::spawn(async move { export.send().await.unwrap().text().await.unwrap() });
    until(|| stage.tolt_calls() == 1).await;
    stage.settle().await;
    stage.gateway.clock.advance(STEP);
    stage.reload_shares(0.1, |_| {}).await;
    // A reload gives no caller a burst.
    assert_eq!(
        stage.budget(BATCH).await,
        json!({"remaining": 1, "share_remaining": 0, "waiting": 0, "blocked_for": null, "scope": "process"})
    );
    assert_eq!(stage.get_as(BATCH, &stage.customer(0)).await.code(429), "quota_exceeded");

    // Two permits at half the previous rate.
    let soonest = 2 * 2 * SHARE_STEP;
    while !export.is_finished() {
        stage.budget(BATCH).await;
        stage.settle().await;
        stage.gateway.clock.advance(Duration::from_millis(50));
    }
    assert!(export.await.unwrap().contains(r#""status":"complete","count":250"#));
    assert_eq!(stage.tolt_calls(), 3);
    assert!(stage.gateway.clock.elapsed() >= soonest, "{:?}", stage.gateway.clock.elapsed());
}

#[tokio::test]
async fn share_gauge_of_a_removed_caller_is_nan() {
    let stage = stage(Duration::ZERO).await;
    let left = |caller: &str| format!(r#"gateway_caller_share_remaining{{caller="{caller}",connection="affiliates"}}"#);
    for (key, index) in [(BATCH, 0), (REPORT, 1)] {
        stage.get_as(key, &stage.customer(index)).await.ok();
        stage.gateway.clock.advance(STEP);
    }
    assert_eq!(metric(&stage, &left("batch")).await, 0);
    stage.reload_shares(0.2, |callers| callers.retain(|caller| &*caller.name != "batch")).await;
    let metrics = stage.get("/metrics").await.text;
    assert!(metrics.contains(&format!("{} NaN", left("batch"))), "{metrics}");
    assert_eq!(metric(&stage, &left("report")).await, 0);
    // A caller that returns starts with a full share.
    stage.reload_shares(0.2, |_| {}).await;
    assert_eq!(stage.budget(BATCH).await["share_remaining"], 1);
    assert_eq!(metric(&stage, &left("batch")).await, 1);
}

#[tokio::test]
async fn call_that_is_not_made_is_not_charged() {
    let stage = stage(Duration::ZERO).await;
    stage.get_as(APP, PAGE).await.ok();
    // The budget itself is spent.
    assert_eq!(stage.get_as(BATCH, &stage.customer(0)).await.code(503), "vendor_rate_limited");
    assert_eq!(stage.budget(BATCH).await["share_remaining"], 1);

    stage.vendors.tolt().fail_next(5, Fault::Status(520));
    for index in 0..5 {
        stage.gateway.clock.advance(STEP);
        stage.get_as(APP, &stage.customer(index)).await.code(502);
    }
    stage.gateway.clock.advance(STEP);
    for _ in 0..3 {
        assert_eq!(stage.get_as(BATCH, &stage.customer(0)).await.code(503), "vendor_unavailable");
    }
    assert_eq!(stage.budget(BATCH).await["share_remaining"], 1);
}
