//! Exports and the page cache: cached pages are used, and fetched pages are not
//! stored.

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::stage;
use crate::support::Stage;

async fn cache_metrics(stage: &Stage) -> Vec<String> {
    let metrics = stage.gateway.get("/metrics").await.text;
    let kept = ["gateway_cache_entries{", "gateway_cache_bytes{", "gateway_cache_evictions_total{"];
    let lines = metrics.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn exported_pages_are_not_cached() {
    let stage = stage().start().await;
    stage.gateway.get("/customers?status=active").await.code(400);
    stage.gateway.get("/customers?connection=affiliates&status=active").await.ok();
    let before = cache_metrics(&stage).await;
    assert!(!before.is_empty());
    for target in ["/customers", "/customers?order=desc", "/transactions?connection=affiliates"] {
        stage.gateway.export(target).await.complete();
        assert_eq!(cache_metrics(&stage).await, before, "{target}");
        let answer = stage
            .gateway
            .request(|client, url| client.get(format!("{url}{target}")).header("cache-control", "only-if-cached"));
        assert_eq!(answer.await.status, 504, "{target}");
    }
}

#[tokio::test]
async fn export_uses_fresh_cached_pages() {
    let stage = stage().start().await;
    let rows = stage.gateway.paged_walk("/customers").await;
    assert_eq!(stage.calls(), [3, 3]);
    assert_eq!(stage.gateway.export("/customers").await.complete(), rows);
    assert_eq!(stage.calls(), [3, 3]);
}

#[tokio::test]
async fn sequential_export_fetches_each_page_once() {
    let stage = stage().start().await;
    stage.gateway.export("/customers").await.complete();
    stage.gateway.export("/customers?order=asc").await.complete();
    assert_eq!(stage.calls(), [6, 6]);
}

#[tokio::test]
async fn export_refetches_stale_pages_despite_a_wait() {
    let stage = stage().start().await;
    let tolt = stage.vendors.tolt();
    let before = stage.gateway.paged_walk("/customers?connection=affiliates").await;
    tolt.insert(customer_gateway::sandbox::tolt::Customer::new("cust_new", "2030-01-01T00:00:00.000Z"));
    stage.gateway.clock.advance(Duration::from_secs(31));
    tolt.fail_next(1, Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), "7".to_owned())]));
    let rows = stage.gateway.export_through_waits("/customers?connection=affiliates").await.complete();
    assert!(rows[0].contains("cust_new"));
    assert_eq!(rows[1..], before);
}
