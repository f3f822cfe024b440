//! Rows of cached pages: a retrieval or a walk that finds its rows in a fresh
//! page of another request makes no vendor call.

use customer_gateway::sandbox::{corporation, tolt};
use serde_json::Value;

use super::{PAGE, TAX_PAGE};
use crate::support::{Stage, StageBuilder, ids, sandbox};

/// A creation time after every row of the sandbox.
const LATEST: &str = "2026-01-01T00:00:00.000Z";

async fn stage() -> Stage {
    StageBuilder::new(sandbox(450, 0, 450)).start().await
}

/// Walks a list page by page and returns all ids. The first page is requested
/// with `Cache-Control: no-cache`, if `refetches_first`.
async fn walk(stage: &Stage, question: &str, refetches_first: bool) -> Vec<String> {
    let mut target = question.to_owned();
    let mut found = Vec::new();
    for number in 0..100 {
        let is_refetched = refetches_first && number == 0;
        let answer = if is_refetched {
            stage.get_with(&target, "cache-control", "no-cache").await
        } else {
            stage.get(&target).await
        };
        let page = answer.ok();
        found.extend(ids(&page));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { return found };
        target = format!("{question}&cursor={cursor}");
    }
    panic!("the walk does not end");
}

/// Walks back from the end of a list and returns all ids in list order.
async fn walk_back(stage: &Stage, question: &str) -> Vec<String> {
    let mut target = question.to_owned();
    let mut last: Value;
    loop {
        last = stage.get(&target).await.ok();
        let Some(cursor) = last["page"]["next_cursor"].as_str() else { break };
        target = format!("{question}&cursor={cursor}");
    }
    let mut pages = vec![ids(&last)];
    while let Some(cursor) = last["page"]["prev_cursor"].as_str() {
        last = stage.get(&format!("{question}&cursor={cursor}")).await.ok();
        pages.push(ids(&last));
    }
    pages.into_iter().rev().flatten().collect()
}

#[tokio::test]
async fn retrieval_is_a_hit_of_a_cached_page() {
    let stage = stage().await;
    for (page, connection) in [(PAGE, "affiliates"), (TAX_PAGE, "tax")] {
        let listed = stage.get(page).await.ok();
        let before = stage.total_calls();
        let target = format!("/customers/{}", listed["data"][3]["id"].as_str().unwrap());
        let from_page = stage.get(&target).await;
        assert_eq!(from_page.cache_status(), "hit; ttl=30", "{connection}");
        assert_eq!(from_page.ok(), listed["data"][3]);
        assert_eq!(stage.total_calls(), before);

        let from_vendor = stage.get_with(&target, "cache-control", "no-cache").await;
        assert_eq!(from_vendor.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
        assert_eq!(from_vendor.header("etag"), from_page.header("etag"), "{connection}");
        assert_eq!(from_vendor.text, from_page.text);
    }
}

#[tokio::test]
async fn retrieval_of_another_form_is_fetched() {
    let stage = stage().await;
    let id = stage.get(PAGE).await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    for parameters in ["expand=stats", "expand=partner", "include=raw"] {
        let answer = stage.get(&format!("/customers/{id}?{parameters}")).await;
        assert_eq!(answer.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30", "{parameters}");
    }
    stage.get(&format!("{PAGE}&expand=program")).await.ok();
    assert_eq!(stage.get(&format!("/customers/{id}?expand=program")).await.cache_status(), "hit; ttl=30");
}

#[tokio::test]
async fn retrieval_from_a_page_expires_with_the_page() {
    let stage = stage().await;
    let target = stage.customer(449);
    stage.get(PAGE).await.ok();
    stage.advance(20);
    let answer = stage.get(&target).await;
    assert_eq!((answer.cache_status(), answer.header("age")), ("hit; ttl=10", "20"));
    let strict = stage.get_with(&target, "cache-control", "max-age=10").await;
    assert_eq!(strict.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.tolt_calls(), 2);

    let other = stage.customer(448);
    stage.advance(10);
    assert_eq!(stage.get(&other).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn younger_page_replaces_a_cached_404() {
    let stage = stage().await;
    let target = "/customers/affiliates.cust_late";
    stage.get(target).await.code(404);
    stage.vendors.tolt().insert(tolt::Customer::new("cust_late", LATEST));
    stage.advance(1);
    stage.get(PAGE).await.ok();
    assert_eq!(stage.get(target).await.ok()["id"], "affiliates.cust_late");
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn deleted_row_of_a_replaced_page_is_fetched() {
    let stage = stage().await;
    let target = stage.customer(449);
    stage.get(PAGE).await.ok();
    stage.vendors.tolt().delete(&stage.vendors.tolt().customers()[449].id);
    stage.get_with(PAGE, "cache-control", "no-cache").await.ok();
    assert_eq!(stage.get(&target).await.code(404), "customer_not_found");
}

#[tokio::test]
async fn purged_row_is_fetched() {
    let stage = stage().await;
    let target = stage.customer(449);
    stage.get(PAGE).await.ok();
    let id = target.trim_start_matches("/customers/");
    stage.gateway.request(|client, url| client.delete(format!("{url}/cache?customer={id}"))).await;
    assert_eq!(stage.get(&target).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
}

#[tokio::test]
async fn inserted_row_costs_one_call_of_a_walk() {
    for limit in [7, 20, 100] {
        let stage = stage().await;
        for question in [format!("{PAGE}&limit={limit}"), format!("{TAX_PAGE}&limit={limit}")] {
            let before: Vec<_> = walk(&stage, &question, false).await;
            if question.starts_with(PAGE) {
                stage.vendors.tolt().insert(tolt::Customer::new("cust_late", LATEST));
            } else {
                stage.vendors.corporation().insert(first_by_order(&stage));
            }
            let calls = stage.total_calls();
            let after = walk(&stage, &question, true).await;
            assert_eq!(stage.total_calls() - calls, 1, "{question}");
            let new: Vec<_> = after.iter().filter(|id| !before.contains(id)).collect();
            assert_eq!((new.len(), after.len()), (1, before.len() + 1), "{question}");
            assert_eq!(
                after.iter().filter(|id| before.contains(id)).collect::<Vec<_>>(),
                before.iter().collect::<Vec<_>>()
            );
            assert_eq!(walk_back(&stage, &question).await, after, "{question}");
        }
    }
}

/// Returns a customer that the corporation vendor lists on its first page.
fn first_by_order(stage: &Stage) -> corporation::Customer {
    let vendor = stage.vendors.corporation();
    let customer = |number| corporation::Customer::new(&format!("cust_late_{number}"), "Late Ltd", 1_735_689_600);
    for number in 0..1_000 {
        let candidate = customer(number);
        vendor.insert(candidate.clone());
        let is_early = vendor.customers().iter().take(50).any(|row| row.id == candidate.id);
        vendor.delete(&candidate.id);
        if is_early {
            return candidate;
        }
    }
    panic!("no id comes early");
}

#[tokio::test]
async fn walk_back_from_replaced_page_shows_insertion() {
    for question in [format!("{PAGE}&limit=100"), format!("{TAX_PAGE}&limit=100")] {
        let stage = stage().await;
        walk(&stage, &question, false).await;
        stage.vendors.tolt().insert(tolt::Customer::new("cust_late", LATEST));
        stage.vendors.corporation().insert(first_by_order(&stage));
        let first = stage.get_with(&question, "cache-control", "no-cache").await.ok();
        let follow = |page: &Value, name: &str| format!("{question}&cursor={}", page["page"][name].as_str().unwrap());
        let second = stage.get(&follow(&first, "next_cursor")).await.ok();
        let back = stage.get(&follow(&second, "prev_cursor")).await.ok();
        assert_eq!(ids(&back), ids(&first), "{question}");
        assert_eq!(back["page"]["prev_cursor"], Value::Null, "{question}");
    }
}

#[tokio::test]
async fn insertion_at_an_expired_page_costs_two_calls() {
    for question in [format!("{PAGE}&limit=100"), format!("{TAX_PAGE}&limit=100")] {
        let stage = stage().await;
        stage.get(&question).await.ok();
        stage.advance(20);
        let before = walk(&stage, &question, false).await;
        stage.vendors.tolt().insert(tolt::Customer::new("cust_late", LATEST));
        stage.vendors.corporation().insert(first_by_order(&stage));
        // The first page is beyond its freshness lifetime, the others are not.
        stage.advance(11);
        let calls = stage.total_calls();
        let after = walk(&stage, &question, true).await;
        let known: Vec<_> = after.iter().filter(|id| !id.contains("cust_late")).cloned().collect();
        assert_eq!((known, after.len()), (before.clone(), before.len() + 1));
        assert_eq!(stage.total_calls() - calls, 2, "{question}");
    }
}

#[tokio::test]
async fn deleted_row_costs_no_further_call() {
    for question in [format!("{PAGE}&limit=100"), format!("{TAX_PAGE}&limit=100")] {
        let stage = stage().await;
        let before = walk(&stage, &question, false).await;
        for id in &before[..3] {
            let id = id.split_once('.').unwrap().1;
            stage.vendors.tolt().delete(id);
            stage.vendors.corporation().delete(id);
        }
        let calls = stage.total_calls();
        assert_eq!(walk(&stage, &question, true).await, before[3..]);
        assert_eq!(stage.total_calls() - calls, 1, "{question}");
    }
}

#[tokio::test]
async fn page_of_another_filter_continues_no_walk() {
    let stage = stage().await;
    walk(&stage, &format!("{PAGE}&limit=100&status=active"), false).await;
    let calls = stage.tolt_calls();
    let all = walk(&stage, &format!("{PAGE}&limit=100"), false).await;
    assert_eq!((all.len(), stage.tolt_calls() - calls), (450, 5));
}
