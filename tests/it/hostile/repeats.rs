//! Rows that a vendor's list contains twice. A walk serves both copies (FACTS.md, case
//! 275).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use reqwest::Client;
use serde_json::Value;

use crate::support::{Gateway, Reply, ScriptedVendor, corporation_page, corporation_row, ids, tolt_page, tolt_row};

/// Starts a corporation vendor with these pages.
async fn corporation(pages: &'static [&'static [&'static str]]) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let at: usize = target.split_once("cursor=").map_or(0, |(_, token)| token.parse().unwrap());
        let next = (at + 1 < pages.len()).then(|| (at + 1).to_string());
        Reply::json(&corporation_page(&rows(pages[at], corporation_row), next.as_deref()))
    })
    .await
}

/// Starts a Tolt vendor with these pages, which it finds by the last row before
/// a page or by the first row after the page.
async fn tolt(pages: &'static [&'static [&'static str]]) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let (after, before) = (parameter(target, "starting_after"), parameter(target, "ending_before"));
        let at = match (after, before) {
            (Some(id), _) => 1 + pages.iter().position(|page| page.last() == Some(&&*id)).unwrap(),
            (_, Some(id)) => pages.iter().position(|page| page.first() == Some(&&*id)).unwrap() - 1,
            _ => 0,
        };
        let has_more = if parameter(target, "ending_before").is_some() { at > 0 } else { at + 1 < pages.len() };
        Reply::json(&tolt_page(&rows(pages[at], tolt_row), has_more))
    })
    .await
}

fn parameter(target: &str, name: &str) -> Option<String> {
    let url = url::Url::parse("http://x").unwrap().join(target).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn rows(ids: &[&str], row: impl Fn(&str) -> Value) -> Vec<Value> {
    ids.iter().map(|id| row(id)).collect()
}

/// Asserts that walks of several limits list these pages, in both directions.
async fn assert_listed(vendor: &ScriptedVendor, kind: &str, pages: &[&[&str]]) {
    let expected: Vec<_> = pages.iter().flat_map(|page| page.iter()).map(|id| format!("odd.{id}")).collect();
    let gateway = vendor.gateway(kind).await;
    // The last walk finds all pages in the cache.
    for limit in [1, 2, 3, 100, 1] {
        let walked = gateway.walk(&format!("/customers?limit={limit}")).await;
        assert_eq!(walked.map_err(|answer| answer.problem_line()), Ok(expected.clone()), "limit {limit}");
        assert_eq!(walked_back(&gateway, limit).await, Ok(expected.clone()), "back, limit {limit}");
    }
}

/// Walks to the last page and back, and returns the rows from the first one on.
async fn walked_back(gateway: &Gateway, limit: u32) -> Result<Vec<String>, String> {
    let target = format!("/customers?limit={limit}");
    let mut page = gateway.get(&target).await.ok();
    while let Some(cursor) = page["page"]["next_cursor"].as_str() {
        page = gateway.get(&format!("{target}&cursor={cursor}")).await.ok();
    }
    let mut pages = vec![ids(&page)];
    while let Some(cursor) = page["page"]["prev_cursor"].as_str() {
        let answer = gateway.get(&format!("{target}&cursor={cursor}")).await;
        if answer.status != 200 {
            return Err(answer.problem_line());
        }
        page = answer.json();
        pages.push(ids(&page));
        assert!(pages.len() < 50, "the walk back does not end");
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

#[tokio::test]
async fn rows_repeated_within_a_page_are_listed() {
    const PAGES: &[&[&str]] = &[&["a", "a"], &["b", "c", "b"], &["d"], &["e", "e", "f"]];
    assert_listed(&corporation(PAGES).await, "corporation", PAGES).await;
    assert_listed(&tolt(PAGES).await, "tolt", PAGES).await;
}

#[tokio::test]
async fn rows_repeated_on_a_later_page_are_listed() {
    const PAGES: &[&[&str]] = &[&["a", "b"], &["c", "a"], &["d", "b"], &["e"]];
    assert_listed(&corporation(PAGES).await, "corporation", PAGES).await;
}

/// The replaced first page has the row that has moved to the end of the second page.
#[tokio::test]
async fn row_of_a_replaced_page_moves_to_a_later_page() {
    let has_moved = Arc::new(AtomicBool::new(false));
    let pages = Arc::clone(&has_moved);
    let vendor = ScriptedVendor::start(move |_, target| {
        let list: [&[&str]; 3] =
            if pages.load(Relaxed) { [&["b", "c"], &["d", "a"], &["e"]] } else { [&["a", "b"], &["c", "d"], &["e"]] };
        let at: usize = target.split_once("cursor=").map_or(0, |(_, token)| token.parse().unwrap());
        let next = (at < 2).then(|| (at + 1).to_string());
        Reply::json(&corporation_page(&rows(list[at], corporation_row), next.as_deref()))
    })
    .await;
    let gateway = vendor.gateway("corporation").await;
    gateway.get("/customers?limit=2").await.ok();
    has_moved.store(true, Relaxed);
    let refetch =
        |client: &Client, url: &str| client.get(format!("{url}/customers?limit=2")).header("cache-control", "no-cache");
    gateway.request(refetch).await.ok();
    for limit in [2, 1, 100] {
        let walked = gateway.walk(&format!("/customers?limit={limit}")).await;
        let expected = ["b", "c", "d", "a", "e"].map(|id| format!("odd.{id}")).to_vec();
        assert_eq!(walked.map_err(|answer| answer.problem_line()), Ok(expected), "limit {limit}");
    }
}
