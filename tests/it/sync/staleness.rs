//! Age of the lists: what callers demand, and what is served while a vendor fails.

use customer_gateway::sandbox::Fault;

use super::*;
use crate::support::{Answer, ids};

impl Stage {
    async fn get_controlled(&self, target: &str, cache_control: &str) -> Answer {
        let request = |client: &reqwest::Client, url: &str| {
            client.get(format!("{url}{target}")).header("cache-control", cache_control)
        };
        self.gateway.request(request).await
    }
}

#[tokio::test]
async fn answer_shows_the_start_of_its_walk() {
    let stage = synchronized(60, 60).await;
    stage.gateway.clock.advance(Duration::from_mins(10));
    let answer = stage.get("/customers?order=desc").await;
    assert_eq!(answer.header("age"), "600");
    let page = answer.ok();
    for source in page["sources"].as_array().unwrap() {
        assert_eq!(source["fetched_at"], "2025-11-01T00:00:00.000Z", "{source}");
    }
}

#[tokio::test]
async fn demand_for_fresher_rows_asks_the_vendor() {
    let stage = synchronized(60, 60).await;
    stage.gateway.clock.advance(Duration::from_mins(10));
    for (directive, calls) in [("max-age=601", 0), ("max-age=599", 1), ("no-cache", 1), ("only-if-cached", 0)] {
        stage.reset_calls();
        let answer = stage.get_controlled("/customers?connection=tax&limit=5", directive).await;
        assert_eq!(ids(&answer.ok()).len(), 5, "{directive}");
        assert_eq!(stage.total_calls(), calls, "{directive}");
    }
}

#[tokio::test]
async fn list_beyond_its_age_is_served_only_on_error() {
    let stage = synchronized(60, 60).await;
    // Walks fail from now on.
    stage.vendors.corporation().fail_next(10_000, Fault::Html);
    stage.gateway.clock.advance(Duration::from_mins(125));
    let [_, tax] = stage.lists().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = stage.get("/customers?connection=tax&limit=100").await;
    assert_eq!(ids(&answer.ok()).len(), 60);
    assert!(answer.header("cache-status").contains("detail=stale-if-error"), "{}", answer.header("cache-status"));
    assert_eq!(answer.header("age"), "7500");
    // An hour later, stale rows are no longer allowed.
    stage.gateway.clock.advance(Duration::from_hours(1));
    assert!(tax.stored().is_some());
    assert_ne!(stage.get("/customers?connection=tax&limit=100").await.status, 200);
}

#[tokio::test]
async fn vendor_that_is_down_does_not_disturb_a_list() {
    let stage = synchronized(60, 60).await;
    stage.vendors.tolt().fail_next(10_000, Fault::Html);
    stage.vendors.corporation().fail_next(10_000, Fault::Html);
    assert_eq!(ids(&stage.get("/customers?order=asc&limit=100").await.ok()).len(), 100);
}

#[tokio::test]
async fn failed_walk_keeps_the_list_before() {
    let stage = synchronized(60, 60).await;
    stage.vendors.corporation().fail_next(10_000, Fault::Status(401));
    let [_, tax] = stage.lists().await;
    tax.request_walk();
    assert_eq!(failed(&tax).await, SyncState::Complete);
    assert_eq!(ids(&stage.get("/customers?connection=tax&limit=100").await.ok()).len(), 60);
}

#[tokio::test]
async fn list_beyond_its_memory_is_not_kept() {
    let settings = SyncSettings { max_bytes: 10_000, ..settings() };
    let stage = stage(0, 500, settings).start().await;
    let [_, tax] = stage.lists().await;
    assert_eq!(failed(&tax).await, SyncState::TooLarge);
    assert_eq!(ids(&stage.get("/customers?connection=tax&limit=7").await.ok()).len(), 7);
}
