//! Walks over unchanged lists.

use serde_json::Value;

use super::{all_ids, page, walk};
use crate::support::{Gateway, config, connections_to, ids, sandbox};

const LIMITS: [usize; 6] = [1, 7, 10, 33, 99, 100];

fn affiliates(id: &str) -> String {
    format!("affiliates.{id}")
}

fn tax(id: &str) -> String {
    format!("tax.{id}")
}

#[tokio::test]
async fn tolt_walk_lists_every_row_in_order() {
    let sandbox = sandbox(350, 0, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let oldest_first: Vec<_> = sandbox.tolt().customers().iter().map(|row| affiliates(&row.id)).collect();
    let newest_first: Vec<_> = oldest_first.iter().rev().cloned().collect();

    for limit in LIMITS {
        let walked = |order| walk(&gateway, order, move || limit);
        let unordered = walked("/customers?connection=affiliates").await;
        assert_eq!(all_ids(&unordered), newest_first, "limit {limit}");
        assert_eq!(all_ids(&walked("/customers?connection=affiliates&order=desc").await), newest_first);
        assert_eq!(all_ids(&walked("/customers?connection=affiliates&order=asc").await), oldest_first);
        let full_pages = unordered.iter().rev().skip(1).all(|page| ids(page).len() == limit);
        assert!(full_pages, "a page before the last is short at limit {limit}");
        assert!(unordered.iter().all(|page| page["page"]["total"] == 350));
    }
}

#[tokio::test]
async fn corporation_walk_lists_every_row_in_order() {
    let sandbox = sandbox(0, 0, 320).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let rows: Vec<_> = sandbox.corporation().customers().iter().map(|row| tax(&row.id)).collect();

    for limit in LIMITS {
        let pages = walk(&gateway, "/customers?connection=tax", || limit).await;
        assert_eq!(all_ids(&pages), rows, "limit {limit}");
        assert!(pages.iter().all(|page| page["page"]["total"] == rows.len()));
    }
}

#[tokio::test]
async fn transaction_walk_lists_every_row_in_order() {
    let sandbox = sandbox(40, 230, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let rows: Vec<_> = sandbox.tolt().transactions().iter().map(|row| affiliates(&row.id)).collect();

    let pages = walk(&gateway, "/transactions?connection=affiliates&order=asc", || 13).await;
    assert_eq!(all_ids(&pages), rows);

    let customer = sandbox.tolt().transactions()[0].customer_id.clone();
    let own = sandbox.tolt().transactions();
    let own: Vec<_> = own.iter().filter(|row| row.customer_id == customer).map(|row| affiliates(&row.id)).collect();
    let pages = walk(&gateway, &format!("/customers/affiliates.{customer}/transactions?order=asc"), || 2).await;
    assert_eq!(all_ids(&pages), own);
}

#[tokio::test]
async fn limit_may_change_between_pages() {
    let sandbox = sandbox(250, 0, 250).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for connection in ["affiliates", "tax"] {
        let question = format!("/customers?connection={connection}");
        let mut limits = [3, 100, 1, 50, 17].into_iter().cycle();
        let walked = walk(&gateway, &question, || limits.next().unwrap()).await;
        assert_eq!(all_ids(&walked), all_ids(&walk(&gateway, &question, || 100).await));
    }
}

#[tokio::test]
async fn small_limit_shares_vendor_pages() {
    let sandbox = sandbox(1_000, 0, 500).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;

    walk(&gateway, "/customers?connection=affiliates", || 10).await;
    assert_eq!(sandbox.tolt().calls(), 10);

    walk(&gateway, "/customers?connection=tax", || 10).await;
    assert_eq!(sandbox.corporation().calls(), 5);
}

/// Walks to the last page, then by `prev_cursor` back to the first page.
async fn walk_both_ways(gateway: &Gateway, question: &str, limit: usize) -> (Vec<Value>, Vec<Value>) {
    let there = walk(gateway, question, || limit).await;
    let mut back = Vec::new();
    let mut cursor = there.last().unwrap()["page"]["prev_cursor"].as_str().map(str::to_owned);
    while let Some(at) = cursor {
        assert!(back.len() < there.len(), "the backward walk does not end");
        let page = page(gateway, question, limit, Some(&at)).await;
        cursor = page["page"]["prev_cursor"].as_str().map(str::to_owned);
        back.push(page);
    }
    (there, back)
}

#[tokio::test]
async fn backward_walk_visits_pages_in_reverse() {
    let sandbox = sandbox(230, 0, 230).await;
    for connection in ["affiliates", "tax"] {
        for limit in [7, 50, 100] {
            let gateway = Gateway::start(config(connections_to(&sandbox))).await;
            let question = format!("/customers?connection={connection}");
            let (there, back) = walk_both_ways(&gateway, &question, limit).await;
            let expected: Vec<_> = there.iter().rev().skip(1).map(ids).collect();
            assert_eq!(back.iter().map(ids).collect::<Vec<_>>(), expected, "{connection} by {limit}");
        }
    }
}

#[tokio::test]
async fn forward_walk_resumes_after_backward_walk() {
    let sandbox = sandbox(230, 0, 230).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for connection in ["affiliates", "tax"] {
        let question = format!("/customers?connection={connection}");
        let (there, back) = walk_both_ways(&gateway, &question, 20).await;
        let mut cursor = back.last().unwrap()["page"]["next_cursor"].as_str().map(str::to_owned);
        let mut again = vec![back.last().unwrap().clone()];
        while let Some(at) = cursor {
            let page = page(&gateway, &question, 20, Some(&at)).await;
            cursor = page["page"]["next_cursor"].as_str().map(str::to_owned);
            again.push(page);
        }
        assert_eq!(all_ids(&again), all_ids(&there), "{connection}");
    }
}

#[tokio::test]
async fn alternating_direction_is_not_a_cycle() {
    let sandbox = sandbox(230, 0, 230).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for connection in ["affiliates", "tax"] {
        let question = format!("/customers?connection={connection}");
        let mut at = page(&gateway, &question, 100, None).await;
        for turn in 0..12 {
            let way = if turn % 2 == 0 { "next_cursor" } else { "prev_cursor" };
            let cursor = at["page"][way].as_str().unwrap().to_owned();
            at = page(&gateway, &question, 100, Some(&cursor)).await;
            assert_eq!(ids(&at).len(), 100);
        }
    }
}

#[tokio::test]
async fn backward_walk_uses_cached_vendor_pages() {
    let sandbox = sandbox(0, 0, 520).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    walk_both_ways(&gateway, "/customers?connection=tax", 10).await;
    assert_eq!(sandbox.corporation().calls(), 6);
}

#[tokio::test]
async fn backward_walk_works_on_another_gateway() {
    let sandbox = sandbox(0, 0, 320).await;
    let first = Gateway::start(config(connections_to(&sandbox))).await;
    let there = walk(&first, "/customers?connection=tax", || 100).await;
    let cursor = there.last().unwrap()["page"]["prev_cursor"].as_str().unwrap().to_owned();

    let other = Gateway::start(config(connections_to(&sandbox))).await;
    let before = page(&other, "/customers?connection=tax", 100, Some(&cursor)).await;
    assert_eq!(ids(&before), ids(&there[there.len() - 2]));
}

#[tokio::test]
async fn empty_list_is_one_empty_page() {
    let sandbox = sandbox(0, 0, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for connection in ["affiliates", "tax"] {
        let pages = walk(&gateway, &format!("/customers?connection={connection}"), || 20).await;
        assert_eq!(pages.len(), 1);
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(pages[0]["page"], @r#"
            {
              "has_more": false,
              "limit": 20,
              "next_cursor": null,
              "prev_cursor": null,
              "total": 0
            }
            "#);
        }
    }
}
