//! Queue of a budget: admission, fairness, order, and clients that leave.

use std::time::Duration;

use customer_gateway::{
    config::Config,
    sandbox::{Fault, Field},
    upstream::Window,
};
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::{PAGE, Stage, gated_stage, metrics::metric, stage};
use crate::support::{Answer, caller, ids, one_call_per};

const APP: &str = "cgk_app";
const FLOOD: &str = "cgk_flood";
/// Interval between two calls.
const STEP: Duration = Duration::from_millis(250);

/// Starts a stage with one call per `STEP` and two callers.
async fn queued_stage(change: impl FnOnce(&mut Config)) -> Stage {
    stage()
        .configure(|config| {
            config.connections[0].rate_limit.windows = one_call_per(STEP);
            config.callers = vec![caller("app", APP, &["affiliates"]), caller("flood", FLOOD, &["affiliates"])];
            change(config);
        })
        .start()
        .await
}

impl Stage {
    /// Sends a request in a task. Aborting the task closes its connection.
    fn send(&self, key: &str, target: &str) -> JoinHandle<Answer> {
        let request = reqwest::Client::new().get(format!("{}{target}", self.gateway.url)).bearer_auth(key);
        tokio::spawn(async move {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer { status, headers, text: response.text().await.unwrap() }
        })
    }

    /// Waits until this many calls are in the queue.
    async fn until_waiting(&self, calls: u64) {
        loop {
            let answer = self.gateway.get_as(APP, "/connections/affiliates").await.ok();
            if answer["budget"]["waiting"] == calls {
                return;
            }
        }
    }

    /// Advances the clock by one slot, and waits for the response to its call. A
    /// clock that moves during a call makes the call slow.
    async fn step(&self) {
        let sent = self.tolt_calls();
        self.until_answered(sent).await;
        self.gateway.clock.advance(STEP);
        self.until_answered(sent + 1).await;
    }

    /// Waits until this many calls are answered.
    async fn until_answered(&self, calls: u64) {
        let series = "gateway_vendor_calls_total{connection=\"affiliates\",status=\"200\"}";
        while metric(self, series).await < calls {}
    }

    /// Returns the number of the customer that each call retrieved.
    fn retrieved(&self) -> Vec<usize> {
        let customers = self.vendors.tolt().customers();
        let number = |target: &String| customers.iter().position(|customer| target.contains(&customer.id));
        self.vendors.tolt().requests().iter().filter_map(number).collect()
    }
}

#[tokio::test]
async fn time_in_the_queue_is_not_the_vendors() {
    let stage = queued_stage(|config| config.connections[0].timeout = Duration::from_millis(100)).await;
    stage.send(APP, &stage.customer(0)).await.unwrap().ok();
    let waiting: Vec<_> = (1..7).map(|index| stage.send(APP, &stage.customer(index))).collect();
    stage.until_waiting(6).await;
    // The wait lasts longer than the vendor's timeout, in real time too.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in &waiting {
        stage.step().await;
    }
    for answer in join_all(waiting).await {
        answer.unwrap().ok();
    }
    let connection = stage.gateway.get_as(APP, "/connections/affiliates").await.ok();
    assert_eq!(connection["breaker"]["state"], "closed");
}

#[tokio::test]
async fn queued_call_without_waiters_is_not_sent() {
    let stage = queued_stage(|_| {}).await;
    stage.send(APP, &stage.customer(0)).await.unwrap().ok();
    let leaving = stage.send(APP, &stage.customer(1));
    stage.until_waiting(1).await;
    let [first, second] = [0, 1].map(|_| stage.send(APP, &stage.customer(2)));
    stage.until_waiting(2).await;
    leaving.abort();
    stage.until_waiting(1).await;
    // Another request waits for the call of the second one.
    first.abort();
    stage.step().await;
    second.await.unwrap().ok();
    assert_eq!(stage.retrieved(), [0, 2]);
    let metrics = stage.gateway.get("/metrics").await.text;
    assert!(metrics.contains("gateway_budget_abandoned_total{connection=\"affiliates\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn sent_call_without_waiters_is_cached() {
    let (stage, gate) = gated_stage().await;
    gate.close();
    let leaving = stage.send(APP, PAGE);
    gate.wait_for_requests(1).await;
    leaving.abort();
    gate.open();
    let answer = stage.until(PAGE, |answer| answer.cache_status().starts_with("hit")).await;
    assert_eq!((ids(&answer.ok()).len(), stage.tolt_calls()), (20, 1));
}

#[tokio::test]
async fn caller_passes_the_queue_of_a_flooding_caller() {
    let stage = queued_stage(|_| {}).await;
    stage.send(FLOOD, &stage.customer(0)).await.unwrap().ok();
    let flood: Vec<_> = (1..9).map(|index| stage.send(FLOOD, &stage.customer(index))).collect();
    stage.until_waiting(8).await;
    let app: Vec<_> = (100..103).map(|index| stage.send(APP, &stage.customer(index))).collect();
    stage.until_waiting(11).await;
    for _ in 0..11 {
        stage.step().await;
    }
    for answer in join_all(flood.into_iter().chain(app)).await {
        answer.unwrap().ok();
    }
    let served: Vec<_> = stage.retrieved().into_iter().enumerate().filter(|(_, customer)| *customer >= 100).collect();
    // Every second slot is the app's.
    assert!(served.last().is_some_and(|(slot, _)| *slot <= 7), "{served:?}");
}

#[tokio::test]
async fn joined_call_moves_to_the_better_place() {
    let stage = queued_stage(|_| {}).await;
    stage.send(FLOOD, &stage.customer(0)).await.unwrap().ok();
    let mut flood = Vec::new();
    for index in 1..7 {
        flood.push(stage.send(FLOOD, &stage.customer(index)));
        stage.until_waiting(index as u64).await;
    }
    // The app requests the last customer of the flood.
    let app = stage.send(APP, &stage.customer(6));
    stage.until_waiting(7).await;
    stage.step().await;
    stage.step().await;
    app.await.unwrap().ok();
    assert!(stage.retrieved()[..3].contains(&6), "{:?}", stage.retrieved());
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn full_queue_rejects_with_its_wait() {
    let stage = queued_stage(|config| config.connections[0].rate_limit.max_wait = Duration::from_secs(1)).await;
    stage.send(APP, &stage.customer(0)).await.unwrap().ok();
    let waiting: Vec<_> = (1..5).map(|index| stage.send(APP, &stage.customer(index))).collect();
    stage.until_waiting(4).await;
    let rejected = stage.send(APP, &stage.customer(5)).await.unwrap();
    assert_eq!((rejected.code(503).as_str(), rejected.header("retry-after")), ("vendor_rate_limited", "2"));
    for _ in 0..4 {
        stage.step().await;
    }
    for answer in join_all(waiting).await {
        answer.unwrap().ok();
    }
    assert_eq!(stage.tolt_calls(), 5);
}

/// A search of three pages has time for two.
#[tokio::test]
async fn request_out_of_time_is_partial_and_continues() {
    let stage = queued_stage(|config| {
        config.connections[0].rate_limit.windows = one_call_per(Duration::from_secs(10));
        config.connections[0].rate_limit.max_wait = Duration::from_secs(11);
        config.server.request_timeout = Duration::from_secs(15);
    })
    .await;
    let customers = stage.vendors.tolt().customers();
    let Field::Value(last) = &customers.first().unwrap().customer_id else { panic!("the customer has no id") };
    let last = percent_encoding::utf8_percent_encode(last, percent_encoding::NON_ALPHANUMERIC);
    let target = format!("/customers?connection=affiliates&external_id={last}");
    let searching = stage.send(APP, &target);
    stage.until_waiting(1).await;
    stage.gateway.clock.advance(Duration::from_secs(10));
    let page = searching.await.unwrap().ok();
    assert_eq!((page["sources"][0]["status"].as_str(), ids(&page).len()), (Some("partial"), 0));
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    stage.gateway.clock.advance(Duration::from_secs(10));
    let found = stage.send(APP, &format!("{target}&cursor={cursor}")).await.unwrap().ok();
    assert_eq!((ids(&found).len(), stage.tolt_calls()), (1, 3));
}

#[tokio::test]
async fn stale_page_replaces_a_long_wait() {
    let stage = queued_stage(|_| {}).await;
    stage.send(APP, PAGE).await.unwrap().ok();
    stage.advance(30 + 300);
    let waiting: Vec<_> = (0..5).map(|index| stage.send(APP, &stage.customer(index))).collect();
    stage.until_waiting(4).await;
    let answer = stage.send(APP, PAGE).await.unwrap();
    assert_eq!(answer.cache_status(), "fwd=stale; ttl=-300; detail=stale-if-error");
    // The refresh is in the queue.
    stage.until_waiting(5).await;
    for _ in 0..5 {
        stage.step().await;
    }
    for answer in join_all(waiting).await {
        answer.unwrap().ok();
    }
    let refreshed = stage.send(APP, PAGE).await.unwrap();
    assert!(refreshed.cache_status().starts_with("hit; ttl="), "{}", refreshed.cache_status());
}

#[tokio::test]
async fn all_windows_of_a_limit_hold() {
    let window =
        |requests: u32, seconds| Window { requests: requests.try_into().unwrap(), per: Duration::from_secs(seconds) };
    let stage = queued_stage(|config| {
        config.connections[0].rate_limit.windows = vec![window(2, 1), window(3, 60)];
        config.connections[0].rate_limit.max_wait = Duration::from_secs(5);
    })
    .await;
    for index in 0..2 {
        stage.send(APP, &stage.customer(index)).await.unwrap().ok();
    }
    let third = stage.send(APP, &stage.customer(2));
    stage.until_waiting(1).await;
    stage.gateway.clock.advance(Duration::from_millis(1_030));
    third.await.unwrap().ok();
    let rejected = stage.send(APP, &stage.customer(3)).await.unwrap();
    assert_eq!((rejected.code(503).as_str(), rejected.header("retry-after")), ("vendor_rate_limited", "59"));
}

#[tokio::test]
async fn concurrent_rate_limits_block_once() {
    let stage = stage().configure_first(|connection| connection.rate_limit.max_wait = Duration::ZERO).start().await;
    stage.vendors.tolt().fail_next(10, Fault::Status(429));
    let targets: Vec<_> = (0..10).map(|index| stage.customer(index)).collect();
    join_all(targets.iter().map(|target| stage.send(APP, target))).await;
    let blocked = stage.connection_member("budget").await["blocked_for"].as_u64().unwrap_or_default();
    assert!(blocked <= 3, "{blocked}");
}
