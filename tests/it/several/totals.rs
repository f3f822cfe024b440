//! `total`: the count of the whole question, or null.

use customer_gateway::sandbox::Fault;
use serde_json::json;

use super::{Stage, cursor, page, sources};

async fn total(stage: &Stage, target: &str) -> serde_json::Value {
    stage.gateway.get(target).await.ok()["page"]["total"].clone()
}

#[tokio::test]
async fn it_is_the_sum_where_every_source_has_counted() {
    let stage = Stage::set(25, 18).await;
    assert_eq!(total(&stage, "/customers?order=desc&limit=3").await, 43);
    assert_eq!(total(&stage, "/customers?limit=30").await, 43, "this page reaches over the seam");
}

#[tokio::test]
async fn it_is_null_where_a_source_was_not_asked() {
    let stage = Stage::set(25, 18).await;
    assert_eq!(total(&stage, "/customers?limit=20").await, json!(null));
}

#[tokio::test]
async fn it_is_null_where_the_gateway_filters_unless_it_saw_all_rows() {
    let stage = Stage::set(250, 250).await;
    let filtered = page(&stage.gateway, "/customers?email=nobody@example.com&order=desc", None).await;
    assert_eq!(filtered["page"]["total"], json!(null));
    assert_eq!(sources(&filtered), "affiliates ok null, tax ok 0");
    let ordered = page(&stage.gateway, "/customers?connection=tax&created_gte=2000-01-01&order=desc", None).await;
    let dated = stage.sandbox.corporation().customers().iter().filter(|row| row.created_at.value().is_some()).count();
    assert_eq!(ordered["page"]["total"], dated);
}

#[tokio::test]
async fn it_is_null_where_a_source_has_failed() {
    let stage = Stage::set(25, 18).await;
    stage.sandbox.corporation().fail_next(1, Fault::Html);
    let page = page(&stage.gateway, "/customers?order=desc&limit=3&partial=allow", None).await;
    assert_eq!(page["page"]["total"], json!(null));
    assert_eq!(sources(&page), "affiliates ok 25, tax failed null (vendor_unreadable)");
}

#[tokio::test]
async fn what_a_vendor_has_no_list_of_counts_as_none_and_what_it_was_spared_does_not() {
    let stage = Stage::before(crate::support::sandbox(25, 40, 18).await, |_| {}).await;
    assert_eq!(total(&stage, "/transactions?limit=3").await, 40);
    let spared = super::preferring(&stage.gateway, "handling=lenient", "/customers?status=active").await.ok();
    assert_eq!(spared["page"]["total"], json!(null));
}

#[tokio::test]
async fn what_is_counted_at_one_page_is_forgotten_at_the_next() {
    let stage = Stage::set(25, 18).await;
    let first = page(&stage.gateway, "/customers?limit=25", None).await;
    let second = page(&stage.gateway, "/customers?limit=25", cursor(&first, "next_cursor").as_deref()).await;
    assert_eq!((&first["page"]["total"], &second["page"]["total"]), (&json!(null), &json!(null)));
}
