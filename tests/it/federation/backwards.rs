//! Backward paging: the same rows in reverse pages, also across the boundary
//! between two sources.

use std::time::Duration;

use super::{all_ids, cursor, get_preferring, page, stage, stage_of, target, tolt_customer, walk, walk_back};
use crate::support::ids;

#[tokio::test]
async fn backward_walk_reverses_the_pages() {
    let stage = stage(130, 120).start().await;
    for order in ["", "&order=asc", "&order=desc"] {
        for limit in [7, 50, 100] {
            let question = format!("/customers?limit={limit}{order}");
            let there = walk(&stage.gateway, &question).await;
            let back = walk_back(&stage.gateway, &question, there.last().unwrap()).await;
            let expected: Vec<_> = there.iter().rev().skip(1).map(ids).collect();
            assert_eq!(back.iter().map(ids).collect::<Vec<_>>(), expected, "{question}");
        }
    }
}

#[tokio::test]
async fn every_page_leads_forward_and_backward() {
    let stage = stage(30, 30).start().await;
    for order in ["", "&order=desc"] {
        let question = format!("/customers?limit=8{order}");
        let there = walk(&stage.gateway, &question).await;
        for (before, here) in there.iter().zip(&there[1..]) {
            let back = page(&stage.gateway, &question, cursor(here, "prev_cursor").as_deref()).await;
            assert_eq!(ids(&back), ids(before));
            let again = page(&stage.gateway, &question, cursor(&back, "next_cursor").as_deref()).await;
            assert_eq!(ids(&again), ids(here));
        }
    }
}

/// Vendor cursors repeat on the backward walk. Repeated cursors and a turn at a
/// source's end are not a cycle.
#[tokio::test]
async fn backward_walk_across_sources_is_not_a_cycle() {
    for pages in 2..=9 {
        let stage = stage(120, pages * 100).configure(|config| config.connections.reverse()).start().await;
        let there = walk(&stage.gateway, "/customers?limit=100").await;
        assert_eq!(all_ids(&there), [stage.tax(), stage.affiliates()].concat());
        let back = walk_back(&stage.gateway, "/customers?limit=100", there.last().unwrap()).await;
        let expected: Vec<_> = there.iter().rev().skip(1).map(ids).collect();
        assert_eq!(back.iter().map(ids).collect::<Vec<_>>(), expected, "{pages} pages");
    }
}

#[tokio::test]
async fn first_and_last_page_end_the_walk() {
    let stage = stage(3, 3).start().await;
    for order in ["", "&order=desc"] {
        let all = stage.gateway.get(&format!("/customers?limit=100{order}")).await.ok();
        assert_eq!((cursor(&all, "next_cursor"), cursor(&all, "prev_cursor")), (None, None));
        assert_eq!(all["page"]["has_more"], false);
    }
}

#[tokio::test]
async fn end_reached_backward_omits_skipped_sources() {
    let rows = (0..10).map(|number| tolt_customer(&format!("cust_{number}"), number)).collect();
    let stage = stage_of(rows, Vec::new()).start().await;
    let lenient = async |at: Option<String>| {
        let target = target("/customers?status=lead&order=desc&limit=5", at.as_deref());
        get_preferring(&stage.gateway, "handling=lenient", &target).await.ok()
    };
    let first = lenient(None).await;
    for number in 0..5 {
        stage.vendors.tolt().delete(&format!("cust_{number}"));
    }
    stage.gateway.clock.advance(Duration::from_hours(2));
    let second = lenient(cursor(&first, "next_cursor")).await;
    assert_eq!((ids(&second).len(), cursor(&second, "next_cursor")), (0, None));
    let back = lenient(cursor(&second, "prev_cursor")).await;
    assert_eq!((ids(&back), cursor(&back, "next_cursor")), (ids(&first), None));
}
