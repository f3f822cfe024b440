//! `total`: the count over all sources, or null.

use customer_gateway::sandbox::Fault;
use serde_json::json;

use super::{Stage, StageBuilder, cursor, page, sources, stage};

async fn total(stage: &Stage, target: &str) -> serde_json::Value {
    stage.gateway.get(target).await.ok()["page"]["total"].clone()
}

#[tokio::test]
async fn total_is_the_sum_over_sources() {
    let stage = stage(25, 18).start().await;
    assert_eq!(total(&stage, "/customers?order=desc&limit=3").await, 43);
    assert_eq!(total(&stage, "/customers?limit=30").await, 43, "this page spans both sources");
}

#[tokio::test]
async fn total_is_null_if_a_source_was_not_asked() {
    let stage = stage(25, 18).start().await;
    assert_eq!(total(&stage, "/customers?limit=20").await, json!(null));
}

#[tokio::test]
async fn total_is_null_for_partial_gateway_filter() {
    let stage = stage(250, 250).start().await;
    let filtered = page(&stage.gateway, "/customers?email=nobody@example.com&order=desc", None).await;
    assert_eq!(filtered["page"]["total"], json!(null));
    assert_eq!(sources(&filtered), "affiliates ok null, tax ok 0");
    let ordered = page(&stage.gateway, "/customers?connection=tax&created_gte=2000-01-01&order=desc", None).await;
    let dated = stage.vendors.corporation().customers().iter().filter(|row| row.created_at.value().is_some()).count();
    assert_eq!(ordered["page"]["total"], dated);
}

#[tokio::test]
async fn total_is_null_if_a_source_failed() {
    let stage = stage(25, 18).start().await;
    stage.vendors.corporation().fail_next(1, Fault::Empty);
    let page = page(&stage.gateway, "/customers?order=desc&limit=3&partial=allow", None).await;
    assert_eq!(page["page"]["total"], json!(null));
    assert_eq!(sources(&page), "affiliates ok 25, tax failed null (vendor_unreadable)");
}

#[tokio::test]
async fn missing_list_counts_zero_and_skipped_one_null() {
    let stage = StageBuilder::new(crate::support::sandbox(25, 40, 18)).start().await;
    assert_eq!(total(&stage, "/transactions?limit=3").await, 40);
    let spared = super::get_preferring(&stage.gateway, "handling=lenient", "/customers?status=active").await.ok();
    assert_eq!(spared["page"]["total"], json!(null));
}

#[tokio::test]
async fn totals_of_earlier_pages_are_not_remembered() {
    let stage = stage(25, 18).start().await;
    let first = page(&stage.gateway, "/customers?limit=25", None).await;
    let second = page(&stage.gateway, "/customers?limit=25", cursor(&first, "next_cursor").as_deref()).await;
    assert_eq!((&first["page"]["total"], &second["page"]["total"]), (&json!(null), &json!(null)));
}
