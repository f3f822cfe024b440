//! The call budget of a request, which all its sources share: a partial page,
//! and a cursor to continue.

use insta::assert_snapshot;

use super::{all_ids, cursor, page, sources, stage, stage_of, target, walk};
use crate::support::{Gateway, config, connections_to, ids};

const NO_MATCH: &str = "/customers?email=nobody@example.com";

#[tokio::test]
async fn max_calls_can_only_be_lowered() {
    let stage = stage(4, 4).start().await;
    let mut lines = Vec::new();
    for given in ["0", "21", "-1", "x", "1.0", "1&max_calls=2"] {
        let refused = stage.gateway.get(&format!("/customers?max_calls={given}")).await;
        lines.push(format!("{given}: {}", refused.problem_line()));
    }
    assert_snapshot!(lines.join("\n"), @r"
    0: 400 invalid_parameter [max_calls] `max_calls` takes a whole number from 1 to 20, not `0`
    21: 400 invalid_parameter [max_calls] `max_calls` takes a whole number from 1 to 20, not `21`
    -1: 400 invalid_parameter [max_calls] `max_calls` takes a whole number from 1 to 20, not `-1`
    x: 400 invalid_parameter [max_calls] `max_calls` takes a whole number from 1 to 20, not `x`
    1.0: 400 invalid_parameter [max_calls] `max_calls` takes a whole number from 1 to 20, not `1.0`
    1&max_calls=2: 400 repeated_parameter [max_calls] `max_calls` takes one value, but the request repeats the parameter
    ");
    for given in [1, 20] {
        assert_eq!(stage.gateway.get(&format!("/customers?max_calls={given}")).await.status, 200);
    }
    let roomy = super::stage(4, 4).configure(|config| config.paging.max_vendor_calls = 30).start().await;
    assert_eq!(roomy.gateway.get("/customers?max_calls=30").await.status, 200);
}

#[tokio::test]
async fn sparse_search_is_partial_and_continues() {
    let stage = stage(450, 250).start().await;
    let question = format!("{NO_MATCH}&max_calls=2");
    let (mut told, mut costs, mut at) = (Vec::new(), Vec::new(), None);
    loop {
        let before = stage.total_calls();
        let page = page(&stage.gateway, &question, at.as_deref()).await;
        assert!(ids(&page).is_empty());
        costs.push(stage.total_calls() - before);
        told.push(sources(&page));
        at = cursor(&page, "next_cursor");
        if at.is_none() {
            break;
        }
    }
    assert_eq!(
        told,
        [
            "affiliates partial null, tax not_asked null",
            "affiliates partial null, tax not_asked null",
            "affiliates ok null, tax partial null",
            "affiliates not_asked null, tax ok null",
        ]
    );
    assert_eq!(costs, [2; 4], "no call is repeated");
}

#[tokio::test]
async fn default_budget_is_twenty_calls() {
    let stage = stage(2_500, 0).start().await;
    let first = page(&stage.gateway, NO_MATCH, None).await;
    assert_eq!(stage.total_calls(), 20);
    assert_eq!(sources(&first), "affiliates partial null, tax not_asked null");
    page(&stage.gateway, NO_MATCH, cursor(&first, "next_cursor").as_deref()).await;
    assert_eq!(stage.total_calls(), 26);
}

#[tokio::test]
async fn walk_with_one_call_per_request_is_complete() {
    let stage = stage(230, 120).start().await;
    for filter in ["", "&search=a", "&created_gte=2000-01-01"] {
        let question = format!("/customers?limit=40{filter}");
        let rows = all_ids(&walk(&stage.gateway, &question).await);
        stage.gateway.clock.advance(std::time::Duration::from_hours(2));
        let mut walked = Vec::new();
        let mut at = None;
        loop {
            let before = stage.total_calls();
            let page = page(&stage.gateway, &format!("{question}&max_calls=1"), at.as_deref()).await;
            assert!(stage.total_calls() - before <= 1);
            walked.extend(ids(&page));
            at = cursor(&page, "next_cursor");
            if at.is_none() {
                break;
            }
        }
        assert_eq!(walked, rows, "{question}");
    }
}

#[tokio::test]
async fn cached_pages_cost_no_calls() {
    let stage = stage(90, 90).start().await;
    stage.gateway.get("/customers?limit=100").await.ok();
    let page = stage.gateway.get("/customers?limit=100&max_calls=1").await.ok();
    assert_eq!((ids(&page).len(), sources(&page).as_str()), (100, "affiliates ok 90, tax ok 90"));
    assert_eq!(stage.total_calls(), 2);
}

/// The order of 15 pages needs 15 calls, and a search could use all of the
/// caller's calls.
#[tokio::test]
async fn search_reserves_the_calls_of_an_order() {
    let stage = stage(1_000, 1_500).start().await;
    let question = format!("{NO_MATCH}&order=desc&max_calls=20");
    let first = stage.gateway.get(&question).await.ok();
    assert_eq!(sources(&first), "affiliates partial null, tax ok 0");
    assert_eq!((stage.vendors.tolt().calls(), stage.vendors.corporation().calls()), (5, 15));
    let second = stage.gateway.get(&target(&question, cursor(&first, "next_cursor").as_deref())).await.ok();
    assert_eq!(sources(&second), "affiliates ok null, tax not_asked null");
    assert_eq!(cursor(&second, "next_cursor"), None);
}

/// Known rows wait for rows that may precede them.
#[tokio::test]
async fn rows_wait_for_possible_predecessors() {
    let mut tolt: Vec<_> =
        (0..250).map(|number| super::tolt_customer(&format!("cust_{number:03}"), 1_000 + number)).collect();
    tolt[0].email = "jim@example.com".into();
    let mut tax = super::corporation_customer("cust_0", Some(0));
    tax.email = "jim@example.com".into();
    let stage = stage_of(tolt, vec![tax]).start().await;
    let question = "/customers?email=jim@example.com&order=desc&max_calls=2";
    let pages = walk(&stage.gateway, question).await;
    let shown: Vec<_> = pages.iter().map(ids).collect();
    let none = Vec::<String>::new();
    assert_eq!(shown, [none, vec!["affiliates.cust_000".to_owned(), "tax.cust_0".to_owned()]]);
    assert_eq!(sources(&pages[0]), "affiliates partial null, tax ok 1");
}

/// The corporation vendor has no request for the previous page. A gateway
/// without cached pages walks from the beginning.
#[tokio::test]
async fn backward_walk_is_resumed_across_requests() {
    let stage = stage(40, 450).configure(|config| config.connections.reverse()).start().await;
    let there = walk(&stage.gateway, "/customers?limit=100").await;
    let mut connections = connections_to(&stage.vendors);
    connections.reverse();
    let other = Gateway::start(config(connections)).await;

    let question = "/customers?limit=100&max_calls=2";
    let mut at = cursor(there.last().unwrap(), "prev_cursor");
    let (mut back, mut requests) = (Vec::new(), 0);
    while let Some(prev) = at {
        let before = stage.total_calls();
        let page = page(&other, question, Some(&prev)).await;
        assert!(stage.total_calls() - before <= 2);
        back.push(ids(&page));
        at = cursor(&page, "prev_cursor");
        requests += 1;
        assert!(requests < 20, "the backward walk does not end");
    }
    let back: Vec<_> = back.into_iter().rev().flatten().collect();
    assert_eq!(back, all_ids(&there[..there.len() - 1]));
}
