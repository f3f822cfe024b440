//! A credential's budget: GCRA, first come first served, with a bounded wait.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use super::{PAGE, Stage};
use crate::support::Answer;

/// A place comes free every quarter of a second, since of five requests a
/// second one may come at once.
const STEP: Duration = Duration::from_millis(250);

async fn five_a_second(max_wait: Duration) -> Stage {
    Stage::with(|connection| {
        connection.rate_limit.requests = NonZeroU32::new(5).unwrap();
        connection.rate_limit.max_wait = max_wait;
        connection.timeout = Duration::from_mins(1);
    })
    .await
}

/// Callers under way.
struct Callers<'s> {
    stage: &'s Stage,
    asking: JoinSet<Answer>,
    begun: usize,
    done: Arc<AtomicUsize>,
}

impl<'s> Callers<'s> {
    fn of(stage: &'s Stage) -> Self {
        Self { stage, asking: JoinSet::new(), begun: 0, done: Arc::default() }
    }

    /// Begins to ask, and returns when the question waits or is answered.
    async fn ask(&mut self, target: &str) {
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

    /// Waits until every question is answered or has to wait for the clock.
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
async fn no_second_sees_more_calls_than_the_budget() {
    let stage = five_a_second(Duration::from_mins(1)).await;
    let mut callers = Callers::of(&stage);
    for index in 0..24 {
        callers.ask(&stage.customer(index)).await;
    }

    // How many calls had been made by the end of each tenth of a second.
    let mut calls = vec![stage.calls()];
    while stage.calls() < 24 {
        stage.gateway.clock.advance(Duration::from_millis(100));
        callers.settle().await;
        calls.push(stage.calls());
    }
    for second in calls.windows(11) {
        assert!(second[10] - second[0] <= 5, "{calls:?}");
    }
    assert!(calls.len() >= 24 * 2, "{calls:?}");
}

#[tokio::test]
async fn who_comes_first_is_served_first() {
    let stage = five_a_second(Duration::from_mins(1)).await;
    let mut callers = Callers::of(&stage);
    let mut ids = Vec::new();
    for index in 0..6 {
        let target = stage.customer(index);
        ids.push(target.rsplit_once('.').unwrap().1.to_owned());
        callers.ask(&target).await;
    }
    assert_eq!(
        stage.shows("budget").await,
        serde_json::json!({"remaining": 0, "share_remaining": null, "waiting": 5, "blocked_for": null})
    );
    for _ in 0..5 {
        callers.step().await;
    }

    let asked = stage.sandbox.tolt().requests();
    let asked: Vec<_> = asked.iter().map(|target| target.split(['/', '?']).nth(3).unwrap()).collect();
    assert_eq!(asked, ids);
}

#[tokio::test]
async fn who_would_wait_for_too_long_is_told_when_to_come_back_and_is_served_then() {
    let stage = five_a_second(Duration::from_secs(1)).await;
    let mut callers = Callers::of(&stage);
    for index in 0..5 {
        callers.ask(&stage.customer(index)).await;
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
    assert_eq!(stage.calls(), 6);
}

#[tokio::test]
async fn a_hit_costs_no_budget() {
    let stage = five_a_second(Duration::ZERO).await;
    stage.get(PAGE).await.ok();
    for _ in 0..10 {
        assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=30");
    }
    stage.gateway.clock.advance(STEP);
    assert_eq!(stage.shows("budget").await["remaining"], 1);
}

#[tokio::test]
async fn a_refresh_behind_callers_backs_gives_way_to_callers() {
    let stage = five_a_second(Duration::from_secs(5)).await;
    stage.get(PAGE).await.ok();
    stage.pass(31);
    let mut callers = Callers::of(&stage);
    for index in 0..3 {
        callers.ask(&stage.customer(index)).await;
    }
    assert_eq!(stage.calls(), 2);

    // Two callers wait, so that the refresh does not.
    assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
    stage.until("/metrics", |metrics| metrics.text.contains(r#"outcome="failed"} 1"#)).await;
    callers.step().await;
    callers.step().await;
    assert_eq!(stage.calls(), 4);

    stage.pass(1);
    stage.until(PAGE, |answer| answer.cache_status() == "hit; ttl=30").await;
    assert_eq!(stage.calls(), 5);
}
