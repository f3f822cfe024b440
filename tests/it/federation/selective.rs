//! Selective questions over several connections: all connections are searched at
//! once.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use serde_json::{Value, json};

use super::{corporation_customer, cursor, page, sources, stage_of, tolt_customer, walk};
use crate::support::{Stage, StageBuilder, ids};

const JIM: &str = "/customers?email=jim%40example.com";

/// Returns a stage whose vendors have two rows with the same address.
fn stage() -> StageBuilder<'static> {
    let tolt = (0..150).map(|number| {
        let mut row = tolt_customer(&format!("cust_{number:03}"), 1_000 + number);
        row.customer_id = "crm_1".into();
        if number < 2 {
            row.email = "jim@example.com".into();
        }
        row
    });
    let tax = (0..250).map(|number| {
        let mut row = corporation_customer(&format!("cust_{number:03}"), Some(number));
        if number < 2 {
            row.email = "jim@example.com".into();
        }
        row
    });
    stage_of(tolt.collect(), tax.collect())
}

impl Stage {
    async fn explanation(&self, question: &str) -> Value {
        self.gateway.get(&format!("/explain{question}")).await.ok()
    }
}

#[tokio::test]
async fn rows_of_a_page_are_grouped_by_connection() {
    let stage = stage().start().await;
    let found = page(&stage.gateway, JIM, None).await;
    assert_eq!(ids(&found), ["affiliates.cust_001", "affiliates.cust_000", "tax.cust_001", "tax.cust_000"]);
    assert_eq!((cursor(&found, "next_cursor"), stage.calls()), (None, [1, 3]));
}

#[tokio::test]
async fn cached_row_stops_all_connections() {
    let stage = stage().start().await;
    page(&stage.gateway, &format!("{JIM}&connection=affiliates"), None).await;
    let found = page(&stage.gateway, &format!("{JIM}&limit=1"), None).await;
    assert_eq!(ids(&found), ["affiliates.cust_001"]);
    assert_eq!((sources(&found).as_str(), stage.calls()), ("affiliates ok null, tax not_asked null", [1, 0]));
    assert!(cursor(&found, "next_cursor").is_some());
}

#[tokio::test]
async fn full_page_does_not_wait_for_other_connections() {
    let stage = stage().start().await;
    stage.vendors.corporation().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    let found = page(&stage.gateway, &format!("{JIM}&limit=1"), None).await;
    assert_eq!(ids(&found), ["affiliates.cust_001"]);
    assert_eq!(sources(&found), "affiliates ok null, tax not_asked null");
}

#[tokio::test]
async fn full_page_needs_no_failed_connection() {
    let stage = stage().start().await;
    stage.vendors.corporation().fail_next(1, Fault::Status(401));
    let found = page(&stage.gateway, &format!("{JIM}&limit=2"), None).await;
    assert_eq!(sources(&found), "affiliates ok null, tax not_asked null");
    let rest = page(&stage.gateway, &format!("{JIM}&limit=2"), cursor(&found, "next_cursor").as_deref()).await;
    assert_eq!(ids(&rest), ["tax.cust_001", "tax.cust_000"]);

    stage.gateway.clock.advance(Duration::from_hours(2));
    stage.vendors.corporation().fail_next(1, Fault::Status(401));
    assert_eq!(stage.gateway.get(&format!("{JIM}&limit=3")).await.problem()["connection"], "tax");
    stage.vendors.corporation().fail_next(1, Fault::Status(401));
    let found = page(&stage.gateway, &format!("{JIM}&limit=3&partial=allow"), None).await;
    assert_eq!(sources(&found), "affiliates ok null, tax failed null (vendor_unauthorized)");
}

#[tokio::test]
async fn plain_lists_remain_sequential() {
    let stage = stage().start().await;
    for question in ["/customers?limit=1", "/customers?search=jim&limit=1", "/customers?created_gte=2025-01-01&limit=1"]
    {
        page(&stage.gateway, question, None).await;
        assert_eq!(stage.explanation(question).await["strategy"], "sequential");
    }
    assert_eq!(stage.calls()[1], 0);
}

#[tokio::test]
async fn explanation_states_the_cost_of_a_search() {
    let stage = stage().start().await;
    let cold = stage.explanation(JIM).await;
    assert_eq!((&cold["strategy"], &cold["calls_to_end"]), (&json!("concurrent"), &json!(null)));
    assert_eq!(cold["calls"]["min"], 2);
    let affiliates = &cold["sources"][0];
    assert_eq!(affiliates["gateway"], json!(["email"]));
    assert_eq!(affiliates["native"], json!([{"parameter": "email", "name": "search", "value": "jim@example.com"}]));

    // A search by another field knows the row counts of cached pages.
    walk(&stage.gateway, "/customers?limit=50&connection=affiliates").await;
    page(&stage.gateway, "/customers?connection=tax", None).await;
    let known = stage.explanation("/customers?external_id=nobody").await;
    let cost = |at: usize| &known["sources"][at]["calls_to_end"];
    assert_eq!((cost(0), cost(1), &known["calls_to_end"]), (&json!(0), &json!(2), &json!(2)));
    let calls = stage.total_calls();
    page(&stage.gateway, "/customers?external_id=nobody", None).await;
    assert_eq!(stage.total_calls() - calls, 2);
    assert_eq!(stage.explanation("/customers?external_id=nobody").await["calls_to_end"], 0);
}

#[tokio::test]
async fn explanation_has_at_most_20_requests() {
    let tax = (0..2_350).map(|number| corporation_customer(&format!("cust_{number:04}"), Some(number))).collect();
    let stage = stage_of(Vec::new(), tax).configure(|config| config.paging.max_vendor_calls = 50).start().await;
    let question = "/customers?connection=tax&email=nobody%40example.com";
    page(&stage.gateway, question, None).await;
    stage.gateway.clock.advance(Duration::from_secs(31));
    let explanation = stage.explanation(question).await;
    let source = &explanation["sources"][0];
    assert_eq!((source["requests"].as_array().unwrap().len(), &source["omitted_requests"]), (20, &json!(4)));
    assert_eq!(source["calls"], json!({"min": 24, "max": 24}), "all refreshes are counted");
}
