//! Caching and coalescing of vendor responses.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Reply, ScriptedVendor, tolt_page, tolt_row, until};

/// Starts a vendor that answers each call when the semaphore has a permit.
async fn gated_vendor() -> (ScriptedVendor, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).gated_by(&gate)
    })
    .await;
    (vendor, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_equal_requests_make_one_call() {
    let (vendor, gate) = gated_vendor().await;
    let gateway = Arc::new(vendor.gateway("tolt").await);
    let mut asked = JoinSet::new();
    for _ in 0..1_000 {
        let gateway = Arc::clone(&gateway);
        asked.spawn(async move { gateway.get("/customers").await });
    }
    until(|| vendor.calls() == 1).await;
    // Some callers wait for the response, others arrive while it is stored.
    gate.add_permits(1_000);
    let answers = asked.join_all().await;
    assert_eq!(answers.len(), 1_000);
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test]
async fn cancelled_request_keeps_the_vendor_call() {
    let (vendor, gate) = gated_vendor().await;
    let gateway = vendor.gateway("tolt").await;
    {
        let gives_up = gateway.get("/customers");
        tokio::select! {
            _ = gives_up => panic!("no response may arrive before the vendor answers"),
            () = until(|| vendor.calls() == 1) => {}
        }
    }
    gate.add_permits(1);
    // Only the first call has a permit. A second call would never complete.
    gateway.get("/customers").await.ok();
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test]
async fn coalesced_requests_share_the_failure() {
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::text(401, "{}").gated_by(&gate)
    })
    .await;
    let gateway = vendor.gateway("tolt").await;
    let (first, second, ()) = tokio::join!(gateway.get("/customers"), gateway.get("/customers"), async {
        until(|| vendor.calls() == 1).await;
        gate.add_permits(100);
    });
    assert_eq!([first.code(502), second.code(502)], ["vendor_unauthorized", "vendor_unauthorized"]);
}

#[tokio::test]
async fn stale_page_is_fetched_again() {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers").await.ok();
    gateway.clock.advance(Duration::from_millis(29_999));
    gateway.get("/customers").await.ok();
    assert_eq!(vendor.calls(), 1, "a page is fresh for 30 seconds");
    gateway.clock.advance(Duration::from_millis(1));
    gateway.get("/customers").await.ok();
    until(|| vendor.calls() == 2).await;
}

#[tokio::test]
async fn cached_page_keeps_its_fetched_at() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = vendor.gateway("tolt").await;
    let fetched_at = async || gateway.get("/customers").await.ok()["sources"][0]["fetched_at"].clone();
    let first = fetched_at().await;
    assert_eq!(first, "2025-11-01T00:00:00.000Z");
    gateway.clock.advance(Duration::from_secs(10));
    assert_eq!(fetched_at().await, first);
}

#[tokio::test]
async fn raw_pages_are_cached_separately() {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for _ in 0..2 {
        let plain = gateway.get("/customers").await.ok();
        assert_eq!(plain["data"][0].get("raw"), None);
        let raw = gateway.get("/customers?include=raw").await.ok();
        assert_eq!(raw["data"][0]["raw"], tolt_row("cust_1"));
    }
    assert_eq!(vendor.calls(), 2);
}

#[tokio::test]
async fn equivalent_requests_share_a_cached_page() {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for (target, calls) in [
        ("/customers", 1),
        ("/customers?limit=1", 1),
        ("/customers?connection=odd&limit=100", 1),
        ("/customers?external_id=jim", 1),
        ("/customers?status=active", 2),
        ("/customers?limit=5&status=active", 2),
        ("/customers?order=desc", 2),
        ("/customers?order=asc", 3),
        ("/customers?expand=partner,program", 4),
        ("/customers?expand=program&expand=partner", 4),
    ] {
        gateway.get(target).await.ok();
        assert_eq!(vendor.calls(), calls, "{target}");
    }
}

#[tokio::test]
async fn single_customer_is_cached() {
    let vendor = ScriptedVendor::replying(serde_json::json!({"success": true, "data": tolt_row("cust_1")})).await;
    let gateway = vendor.gateway("tolt").await;
    let first: Value = gateway.get("/customers/odd.cust_1").await.ok();
    assert_eq!(gateway.get("/customers/odd.cust_1").await.ok(), first);
    assert_eq!(vendor.calls(), 1);
}
