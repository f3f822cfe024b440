//! `limit=0`: the total of a list without rows.

use customer_gateway::sandbox::Fault;
use serde_json::Value;

use crate::support::{Stage, StageBuilder, sandbox};

const LISTS: &str = "connection=affiliates&connection=tax";

async fn stage() -> Stage {
    StageBuilder::new(sandbox(250, 120, 230)).start().await
}

/// Returns the total of a page without rows and without cursors.
fn total(page: &Value) -> &Value {
    assert_eq!(page["data"], serde_json::json!([]));
    assert!(page["page"]["next_cursor"].is_null() && page["page"]["prev_cursor"].is_null(), "{page}");
    &page["page"]["total"]
}

#[tokio::test]
async fn count_takes_one_call_per_connection() {
    let stage = stage().await;
    for target in [format!("/customers?{LISTS}&limit=0"), format!("/customers?{LISTS}&limit=0&order=desc")] {
        let page = stage.get(&target).await.ok();
        assert_eq!(*total(&page), 480, "{page}");
        assert_eq!([&page["sources"][0]["total"], &page["sources"][1]["total"]], [250, 230]);
    }
    // The second order has a page of its own at Tolt.
    assert_eq!(stage.calls().map(|calls| calls <= 2), [true, true], "{:?}", stage.calls());
}

#[tokio::test]
async fn count_of_transactions_is_known() {
    let stage = stage().await;
    let page = stage.get("/transactions?connection=affiliates&limit=0").await.ok();
    assert_eq!(*total(&page), 120);
}

#[tokio::test]
async fn count_of_a_gateway_filter_is_null() {
    let stage = stage().await;
    let page = stage.get("/customers?connection=affiliates&limit=0&external_id=none").await.ok();
    assert!(total(&page).is_null());
    assert_eq!((stage.total_calls(), &page["sources"][0]["status"]), (0, &"not_asked".into()));
}

#[tokio::test]
async fn failed_connection_has_no_count() {
    let stage = stage().await;
    stage.vendors.tolt().fail_next(1_000, Fault::Status(500));
    stage.get(&format!("/customers?{LISTS}&limit=0")).await.problem();
    let page = stage.get(&format!("/customers?{LISTS}&limit=0&partial=allow")).await.ok();
    assert!(total(&page).is_null());
    assert_eq!([&page["sources"][0]["status"], &page["sources"][1]["total"]], [&Value::from("failed"), &230.into()]);
}

#[tokio::test]
async fn explanation_of_a_count_agrees() {
    let stage = stage().await;
    let explained = stage.get(&format!("/explain/customers?{LISTS}&limit=0")).await.ok();
    assert_eq!(explained["calls"], serde_json::json!({ "min": 2, "max": 2 }), "{explained}");
}

#[tokio::test]
async fn count_takes_no_cursor() {
    let stage = stage().await;
    let page = stage.get("/customers?connection=affiliates&limit=5").await.ok();
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    let rejected = stage.get(&format!("/customers?connection=affiliates&limit=0&cursor={cursor}")).await;
    assert_eq!(
        rejected.problem_line(),
        "400 invalid_parameter [cursor] `limit=0` counts the whole list; remove `cursor`, or request rows"
    );
}
