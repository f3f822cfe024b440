//! A credential's budget: oldest request first, with a bounded wait.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use super::{PAGE, Stage, stage};
use crate::support::{Answer, one_call_per};

/// Interval between two calls.
const STEP: Duration = Duration::from_millis(250);

async fn one_call_per_step(max_wait: Duration) -> Stage {
    stage()
        .configure_first(|connection| {
            connection.rate_limit.windows = one_call_per(STEP);
            connection.rate_limit.max_wait = max_wait;
            connection.timeout = Duration::from_mins(1);
        })
        .start()
        .await
}

/// Concurrent callers of the gateway.
struct Callers<'s> {
    stage: &'s Stage,
    asking: JoinSet<Answer>,
    begun: usize,
    done: Arc<AtomicUsize>,
}

impl<'s> Callers<'s> {
    fn new(stage: &'s Stage) -> Self {
        Self { stage, asking: JoinSet::new(), begun: 0, done: Arc::default() }
    }

    /// Sends a request. Returns when the request waits for a permit or is
    /// answered.
    async fn send(&mut self, target: &str) {
        let (url, done) = (format!("{}{target}", self.stage.gateway.url), Arc::clone(&self.done));
        self.begun += 1;
        self.asking.spawn(async move {
            let response = reqwest::get(url).await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = response.text().await.unwrap();
            done.fetch_add(1, Ordering::SeqCst);
            Answer { status, headers, text }
        });
        self.settle().await;
    }

    /// Waits until every request is answered or waits for the clock.
    async fn settle(&self) {
        self.stage
            .until("/connections/affiliates", |answer| {
                let budget = answer.ok()["budget"].take();
                let waiting = usize::try_from(budget["waiting"].as_u64().unwrap()).unwrap();
                let all = self.done.load(Ordering::SeqCst) + waiting == self.begun;
                all && (waiting == 0 || budget["remaining"] == 0)
            })
            .await;
    }

    async fn step(&self) {
        self.stage.gateway.clock.advance(STEP);
        self.settle().await;
    }
}

#[tokio::test]
async fn budget_bounds_calls_in_any_second() {
    let stage = one_call_per_step(Duration::from_mins(1)).await;
    let mut callers = Callers::new(&stage);
    for index in 0..24 {
        callers.send(&stage.customer(index)).await;
    }

    // Vendor calls made by the end of each tenth of a second.
    let mut calls = vec![stage.tolt_calls()];
    while stage.tolt_calls() < 24 {
        stage.gateway.clock.advance(Duration::from_millis(100));
        callers.settle().await;
        calls.push(stage.tolt_calls());
    }
    for second in calls.windows(11) {
        assert!(second[10] - second[0] <= 5, "{calls:?}");
    }
    assert!(calls.len() >= 24 * 2, "{calls:?}");
}

#[tokio::test]
async fn waiting_callers_are_served_in_order() {
    let stage = one_call_per_step(Duration::from_mins(1)).await;
    let mut callers = Callers::new(&stage);
    let mut ids = Vec::new();
    for index in 0..6 {
        let target = stage.customer(index);
        ids.push(target.rsplit_once('.').unwrap().1.to_owned());
        callers.send(&target).await;
    }
    assert_eq!(
        stage.connection_member("budget").await,
        serde_json::json!({"remaining": 0, "share_remaining": null, "waiting": 5, "blocked_for": null, "scope": "process"})
    );
    for _ in 0..5 {
        callers.step().await;
    }

    let asked = stage.vendors.tolt().requests();
    let asked: Vec<_> = asked.iter().map(|target| target.split(['/', '?']).nth(3).unwrap()).collect();
    assert_eq!(asked, ids);
}

#[tokio::test]
async fn excessive_wait_is_rejected_with_retry_after() {
    let stage = one_call_per_step(Duration::from_secs(1)).await;
    let mut callers = Callers::new(&stage);
    for index in 0..5 {
        callers.send(&stage.customer(index)).await;
    }

    let refused = stage.get(&stage.customer(5)).await;
    assert_eq!(refused.code(503), "vendor_rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(wait, 2);
    for _ in 0..wait * 4 {
        callers.step().await;
    }
    stage.get(&stage.customer(5)).await.ok();
    while let Some(answer) = callers.asking.join_next().await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(stage.tolt_calls(), 6);
}

#[tokio::test]
async fn cache_hit_costs_no_budget() {
    let stage = one_call_per_step(Duration::ZERO).await;
    stage.get(PAGE).await.ok();
    for _ in 0..10 {
        assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=30");
    }
    stage.gateway.clock.advance(STEP);
    assert_eq!(stage.connection_member("budget").await["remaining"], 1);
}

#[tokio::test]
async fn waiting_refresh_gets_a_tenth_of_the_slots() {
    let stage = one_call_per_step(Duration::from_secs(5)).await;
    stage.get(PAGE).await.ok();
    stage.advance(31);
    let mut callers = Callers::new(&stage);
    for index in 0..20 {
        callers.send(&stage.customer(index)).await;
    }
    // Callers wait for all slots, and one of the next ten goes to the refresh.
    assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
    stage.until("/connections/affiliates", |answer| answer.ok()["budget"]["waiting"] == 20).await;
    let pages = || stage.vendors.tolt().requests().iter().filter(|target| target.contains("limit=100")).count();
    assert_eq!(pages(), 1);
    for _ in 0..10 {
        stage.gateway.clock.advance(STEP);
        let calls = stage.tolt_calls();
        crate::support::until(|| stage.tolt_calls() > calls || pages() == 2).await;
    }
    assert_eq!(pages(), 2);
}
