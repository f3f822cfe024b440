//! Cursors over several sources: validity and length.

use super::{all_ids, cursor, page, stage, target, walk};
use crate::support::{Gateway, caller, config, connection, connections_to, ids, sandbox};

#[tokio::test]
async fn cursor_is_bound_to_its_query() {
    let stage = stage(30, 30).start().await;
    let first = page(&stage.gateway, "/customers?limit=5&order=desc", None).await;
    let next = cursor(&first, "next_cursor");
    for other in [
        "/customers?connection=tax&order=desc",
        "/customers?connection=affiliates&order=desc",
        "/customers?order=asc",
        "/customers",
        "/customers?order=desc&email=a@example.com",
        "/transactions?order=desc",
    ] {
        let refused = stage.gateway.get(&target(other, next.as_deref())).await;
        assert_eq!(refused.code(400), "cursor_mismatch", "{other}");
    }
    for same in [
        "/customers?order=desc&limit=9&connection=tax,affiliates",
        "/customers?order=desc&limit=9&partial=allow&max_calls=9",
        "/customers?order=desc&limit=9&include=raw",
    ] {
        let page = stage.gateway.get(&target(same, next.as_deref())).await.ok();
        assert_eq!(ids(&page).len(), 9, "{same}");
    }
}

#[tokio::test]
async fn access_is_checked_on_every_page() {
    let sandbox = sandbox(30, 0, 30).await;
    let mut config = config(connections_to(&sandbox));
    config.callers = vec![caller("both", "key-both", &["affiliates", "tax"]), caller("one", "key-one", &["tax"])];
    let gateway = Gateway::start(config).await;
    let first = gateway.get_as("key-both", "/customers?limit=5").await.ok();
    let next = cursor(&first, "next_cursor");
    let as_one = async |question: &str| gateway.get_as("key-one", &target(question, next.as_deref())).await;
    assert_eq!(as_one("/customers?limit=5").await.code(400), "cursor_mismatch");
    assert_eq!(as_one("/customers?limit=5&connection=affiliates,tax").await.code(404), "connection_not_found");
    let as_both = gateway.get_as("key-both", &target("/customers?limit=5", next.as_deref())).await;
    assert_eq!(as_both.status, 200);
}

/// Starts a gateway with `count` connections to one program.
async fn with_connections(count: usize, rows: usize) -> (customer_gateway::sandbox::Sandbox, Gateway) {
    let sandbox = sandbox(rows, 0, 0).await;
    let tolt = sandbox.tolt();
    let named =
        |number| connection(&format!("c{number:02}"), "tolt", &tolt.base_url(), tolt.credential(), tolt.program_id());
    let mut config = config((0..count).map(named).collect());
    config.paging.max_vendor_calls = 100;
    let gateway = Gateway::start(config).await;
    (sandbox, gateway)
}

/// FACTS.md, case 103.
#[tokio::test]
async fn cursor_over_forty_sources_is_kept() {
    let (sandbox, gateway) = with_connections(40, 10).await;
    for order in ["", "&order=desc"] {
        let pages = walk(&gateway, &format!("/customers?limit=80{order}")).await;
        assert_eq!(all_ids(&pages).len(), 40 * sandbox.tolt().customers().len());
        let back = target("/customers?limit=80", cursor(&pages[2], "prev_cursor").as_deref()) + order;
        assert_eq!(ids(&gateway.get(&back).await.ok()), ids(&pages[1]));
        let longest = pages.iter().filter_map(|page| cursor(page, "next_cursor")).map(|cursor| cursor.len()).max();
        assert!(longest.unwrap() <= 2_048);
    }
}

#[tokio::test]
async fn cursor_over_twelve_sources_fits() {
    let (sandbox, gateway) = with_connections(12, 10).await;
    for order in ["", "&order=desc"] {
        let pages = walk(&gateway, &format!("/customers?limit=7{order}")).await;
        assert_eq!(all_ids(&pages).len(), 12 * sandbox.tolt().customers().len());
        let longest = pages.iter().filter_map(|page| cursor(page, "next_cursor")).map(|cursor| cursor.len()).max();
        assert!(longest.unwrap() <= 2_048);
    }
}
