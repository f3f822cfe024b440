//! Sorted views: sorted once, reused while their pages are fresh, and never
//! used after a page has changed, expired or been removed.

use std::time::Duration;

use customer_gateway::sandbox::corporation;
use reqwest::header::CACHE_CONTROL;
use serde_json::Value;

use super::{all_ids, walk};
use crate::support::{Answer, Stage, StageBuilder, config, connections_to, ids, sandbox, until};

const SORTED: &str = "/customers?connection=tax&order=desc";

/// Returns a stage with three pages at the corporation vendor.
async fn stage() -> Stage {
    StageBuilder::new(sandbox(0, 0, 250)).start().await
}

impl Stage {
    /// Returns the numbers of reused and of sorted views.
    async fn views(&self) -> [u64; 2] {
        let metrics = self.get("/metrics").await.text;
        ["hit", "miss"].map(|outcome| {
            let name = format!("gateway_sorted_views_total{{connection=\"tax\",outcome=\"{outcome}\"}} ");
            metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
        })
    }

    /// Fetches the first page with a `Cache-Control`.
    async fn sorted_with(&self, directives: &str) -> Answer {
        let get = |client: &reqwest::Client, url: &str| {
            client.get(format!("{url}{SORTED}")).header(CACHE_CONTROL, directives)
        };
        self.gateway.request(get).await
    }

    /// Adds the newest customer.
    fn insert(&self, id: &str) {
        self.vendors.corporation().insert(corporation::Customer::new(id, "New", 4_000_000_000));
    }
}

fn first_id(page: &Answer) -> String {
    ids(&page.ok())[0].clone()
}

#[tokio::test]
async fn walk_sorts_its_list_once() {
    let stage = stage().await;
    let pages = walk(&stage.gateway, SORTED, || 40).await;
    let rows = all_ids(&pages);
    assert_eq!((rows.len(), stage.calls()), (250, [0, 3]));
    assert_eq!(stage.views().await, [6, 1]);

    let mut back = Vec::new();
    let mut cursor = pages[6]["page"]["prev_cursor"].clone();
    while let Some(text) = cursor.as_str() {
        let page = stage.get(&format!("{SORTED}&limit=40&cursor={text}")).await.ok();
        back.push(ids(&page));
        cursor = page["page"]["prev_cursor"].clone();
    }
    back.reverse();
    assert_eq!(back.concat(), rows[..240]);
    assert_eq!((stage.calls(), stage.views().await), ([0, 3], [12, 1]));
}

/// Responses from a view have the headers and counts of page lookups.
#[tokio::test]
async fn response_of_a_view_is_a_hit() {
    let stage = stage().await;
    let first = stage.get(SORTED).await;
    stage.gateway.clock.advance(Duration::from_secs(10));
    let again = stage.get(&format!("{SORTED}&limit=20")).await;
    assert_eq!(again.text, first.text);
    assert_eq!((again.header("age"), again.header("etag")), ("10", first.header("etag")));
    assert_eq!(again.header("cache-status"), "customer-gateway; hit; ttl=20");
    assert_eq!(again.header("cache-control"), "private, max-age=30");
    let metrics = stage.get("/metrics").await.text;
    assert!(metrics.contains("gateway_cache_lookups_total{connection=\"tax\",outcome=\"hit\"} 3\n"));
    assert_eq!(stage.views().await, [1, 1]);
}

#[tokio::test]
async fn each_order_and_filter_has_its_view() {
    let stage = stage().await;
    let descending = all_ids(&walk(&stage.gateway, SORTED, || 100).await);
    let mut ascending = all_ids(&walk(&stage.gateway, "/customers?connection=tax&order=asc", || 100).await);
    ascending.reverse();
    assert_eq!(ascending, descending);
    let none = stage.get(&format!("{SORTED}&email=nobody@example.com")).await.ok();
    assert_eq!((none["page"]["total"].clone(), stage.calls()), (0.into(), [0, 3]));
    assert_eq!(stage.views().await[1], 3);
}

#[tokio::test]
async fn changed_row_appears_after_expiry() {
    let stage = stage().await;
    stage.get(SORTED).await.ok();
    stage.insert("cust_new");
    stage.gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(first_id(&stage.get(SORTED).await), "tax.cust_new");
    assert_eq!((stage.calls(), stage.views().await), ([0, 6], [0, 2]));
}

/// Stale pages are refreshed in the background. Until then, their view remains.
#[tokio::test]
async fn refreshed_page_ends_its_view() {
    let stage = stage().await;
    let before = stage.get(SORTED).await;
    stage.insert("cust_new");
    stage.gateway.clock.advance(Duration::from_secs(31));
    let expired = stage.get(SORTED).await;
    assert_eq!(expired.header("cache-status"), "customer-gateway; hit; ttl=-1; detail=stale-while-revalidate");
    assert_eq!(expired.text, before.text);
    until(|| stage.calls()[1] >= 6).await;
    let mut page = stage.get(SORTED).await;
    while page.ok()["page"]["total"] != 251 {
        tokio::task::yield_now().await;
        page = stage.get(SORTED).await;
    }
    assert_eq!(first_id(&page), "tax.cust_new");
}

#[tokio::test]
async fn purged_page_ends_its_view() {
    let stage = stage().await;
    let id = first_id(&stage.get(SORTED).await);
    stage.insert("cust_new");
    for scope in [format!("customer={id}"), "connection=tax".to_owned(), String::new()] {
        let before = stage.calls()[1];
        let purge = |client: &reqwest::Client, url: &str| client.delete(format!("{url}/cache?{scope}"));
        stage.gateway.request(purge).await.ok();
        stage.get(SORTED).await.ok();
        assert!(stage.calls()[1] > before, "{scope}");
    }
    assert_eq!(first_id(&stage.get(SORTED).await), "tax.cust_new");
    assert_eq!(stage.views().await[1], 4);
}

#[tokio::test]
async fn cache_directives_apply_to_views() {
    let stage = stage().await;
    stage.get(SORTED).await.ok();
    stage.gateway.clock.advance(Duration::from_secs(10));
    for (directives, calls, views) in [
        ("max-age=10", 3, [1, 1]),
        ("only-if-cached", 3, [2, 1]),
        ("max-stale", 3, [3, 1]),
        ("max-age=9", 6, [3, 2]),
        ("no-cache", 9, [3, 3]),
        ("no-store", 9, [4, 3]),
    ] {
        let answer = stage.sorted_with(directives).await;
        assert_eq!((answer.status, stage.calls()[1], stage.views().await), (200, calls, views), "{directives}");
    }
    stage.gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(stage.sorted_with("only-if-cached").await.code(504), "not_cached");
}

/// A cache with space for one of three pages. It evicts in the background.
#[tokio::test]
async fn evicted_page_ends_its_view() {
    let builder = StageBuilder::new(sandbox(0, 0, 250));
    let stage = builder.configure(|config| config.cache.max_bytes = 80_000).start().await;
    let expected = ids(&stage.get(SORTED).await.ok());
    for _ in 0..5 {
        let page = stage.sorted_with("max-stale").await.ok();
        assert_eq!((ids(&page), &page["page"]["total"]), (expected.clone(), &250.into()));
    }
    assert!(stage.calls()[1] > 3);
    assert!(stage.views().await[1] > 1);
}

/// A view of pages that are not stored is not stored.
#[tokio::test]
async fn unstored_pages_leave_no_view() {
    let stage = stage().await;
    for calls in [3, 6] {
        assert_eq!(stage.sorted_with("no-store").await.status, 200);
        assert_eq!(stage.calls(), [0, calls]);
    }
    stage.get(SORTED).await.ok();
    assert_eq!((stage.calls(), stage.views().await), ([0, 9], [0, 3]));
}

#[tokio::test]
async fn view_survives_reload_within_limits() {
    let stage = stage().await;
    stage.get(SORTED).await.ok();
    let reload = async |max_sorted_rows| {
        let mut config = config(connections_to(&stage.vendors));
        config.paging.max_sorted_rows = max_sorted_rows;
        stage.gateway.reload(config).await;
        stage.get(SORTED).await
    };
    assert_eq!(reload(250).await.status, 200);
    assert_eq!((stage.calls(), stage.views().await), ([0, 3], [1, 1]));
    assert_eq!(reload(249).await.code(422), "order_too_expensive");
    assert_eq!(reload(1_000).await.ok()["page"]["total"], Value::from(250));
    assert_eq!(stage.calls(), [0, 3]);
}
