//! Merged lists: one order by (`created_at`, `id`) over all sources.

use std::{sync::Arc, time::Duration};

use customer_gateway::sandbox::{Data, Sandbox, corporation};
use futures_util::future::join;
use tokio::sync::Semaphore;

use super::{
    all_ids, corporation_customer,
    oracle::{self, Filter, Order, Source},
    stage, stage_of, tolt_customer, walk,
};
use crate::support::{
    Gateway, Reply, ScriptedVendor, config, connection, connections_to, corporation_page, corporation_row, ids,
    sandbox_with, tolt_page, tolt_row, until,
};

fn expected(sandbox: &Sandbox, order: Order) -> Vec<String> {
    let sources = [Source::tolt("affiliates", sandbox.tolt()), Source::corporation("tax", sandbox.corporation())];
    oracle::list(&sources, &Filter::default(), Some(order))
}

#[tokio::test]
async fn merged_walk_in_small_pages_matches_the_oracle() {
    let stage = stage(430, 260).start().await;
    for order in [Order::Desc, Order::Asc] {
        let pages = walk(&stage.gateway, &format!("/customers?order={}&limit=7", order.name())).await;
        assert_eq!(all_ids(&pages), expected(&stage.vendors, order));
        assert!(pages.iter().rev().skip(1).all(|page| ids(page).len() == 7));
    }
}

/// Walks all rows of the default sandbox in pages of a hundred. The 2,500 rows of
/// the unordered vendor are sorted once.
#[tokio::test]
async fn merged_walk_of_the_sandbox_matches_the_oracle() {
    let stage = stage(10_000, 2_500).start().await;
    let pages = walk(&stage.gateway, "/customers?order=desc&limit=100").await;
    let rows = all_ids(&pages);
    assert_eq!(rows.len(), 12_500);
    assert!(rows == expected(&stage.vendors, Order::Desc), "the rows are not the oracle's");
    assert_eq!(stage.total_calls(), 125, "each vendor page is fetched once");
    let metrics = stage.get("/metrics").await.text;
    assert!(metrics.contains("gateway_sorted_views_total{connection=\"tax\",outcome=\"miss\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn ties_are_ordered_by_gateway_id() {
    let held = |ids: &[&str]| -> Vec<corporation::Customer> {
        ids.iter().map(|id| corporation_customer(id, Some(60))).collect()
    };
    let (first, second) = (sandbox_with(Data { corporation: held(&["cust_b", "cust_d"]), ..Data::default() }).await, {
        let tolt = vec![tolt_customer("cust_c", 60), tolt_customer("cust_a", 60)];
        let tolt = customer_gateway::sandbox::tolt::Data { customers: tolt, ..Default::default() };
        sandbox_with(Data { tolt, corporation: held(&["cust_d", "cust_a"]) }).await
    });
    let vendor = |sandbox: &Sandbox, name: &str| {
        let vendor = sandbox.corporation();
        connection(name, "corporation", &vendor.base_url(), vendor.credential(), vendor.corporation_id())
    };
    let mut connections = vec![vendor(&first, "tax"), vendor(&second, "tax-eu")];
    connections.extend(connections_to(&second).into_iter().take(1));
    let gateway = Gateway::start(config(connections)).await;

    let ascending = all_ids(&walk(&gateway, "/customers?order=asc&limit=2").await);
    // `-` comes before `.`, and so `tax-eu` before `tax`.
    assert_eq!(
        ascending,
        ["affiliates.cust_a", "affiliates.cust_c", "tax-eu.cust_a", "tax-eu.cust_d", "tax.cust_b", "tax.cust_d"]
    );
    let descending = all_ids(&walk(&gateway, "/customers?order=desc&limit=2").await);
    assert_eq!(descending, ascending.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn row_without_a_timestamp_counts_as_oldest() {
    let tax = vec![
        corporation_customer("cust_old", Some(1)),
        corporation_customer("cust_null", None),
        corporation_customer("cust_gone", None),
        corporation_customer("cust_new", Some(100)),
    ];
    let stage = stage_of(vec![tolt_customer("cust_0", 0), tolt_customer("cust_50", 50)], tax).start().await;
    let ascending =
        ["tax.cust_gone", "tax.cust_null", "affiliates.cust_0", "tax.cust_old", "affiliates.cust_50", "tax.cust_new"];
    for limit in [1, 2, 4, 20] {
        let walked =
            async |order| all_ids(&walk(&stage.gateway, &format!("/customers?order={order}&limit={limit}")).await);
        assert_eq!(walked("asc").await, ascending);
        assert_eq!(walked("desc").await, ascending.iter().rev().copied().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn gateway_orders_an_unordered_vendor() {
    let second = |number: i64| (number % 5 > 0).then_some(number % 5);
    let named = |number: i64| corporation::Customer {
        email: if number % 3 == 0 { "a@example.com".into() } else { "b@example.com".into() },
        ..corporation_customer(&format!("cust_{number:03}"), second(number))
    };
    let stage = stage_of(Vec::new(), (0..240).map(named).collect()).start().await;
    let tax = Source::corporation("tax", stage.vendors.corporation());
    let filters = [
        Filter::default(),
        Filter { email: Some("a@example.com"), ..Filter::default() },
        Filter { lte: Some(0), ..Filter::default() },
    ];
    for filter in filters {
        for order in [Order::Asc, Order::Desc] {
            let filtering = crate::support::query(&filter.parameters());
            let question = format!("/customers?connection=tax&order={}&limit=11&{filtering}", order.name());
            let question = question.trim_end_matches('&');
            assert_eq!(all_ids(&walk(&stage.gateway, question).await), tax.part(&filter, Some(order)), "{question}");
        }
    }
}

#[tokio::test]
async fn sources_are_called_concurrently() {
    let gate = Arc::new(Semaphore::new(0));
    let held = |page: serde_json::Value| {
        let gate = Arc::clone(&gate);
        ScriptedVendor::start(move |_, _| Reply::json(&page).gated_by(&gate))
    };
    let (tolt, corporation) =
        join(held(tolt_page(&[tolt_row("cust_1")], false)), held(corporation_page(&[corporation_row("cust_2")], None)))
            .await;
    let mut connections = vec![tolt.connection("tolt"), corporation.connection("corporation")];
    connections[1].name = "odder".parse().unwrap();
    let gateway = Gateway::start(config(connections)).await;

    let both_are_asked = async {
        until(|| tolt.calls() == 1 && corporation.calls() == 1).await;
        gate.add_permits(2);
    };
    let waiting =
        tokio::time::timeout(Duration::from_secs(10), join(gateway.get("/customers?order=desc"), both_are_asked));
    let (page, ()) = waiting.await.expect("a source is called only after the other has answered");
    assert_eq!(ids(&page.ok()), ["odder.cust_2", "odd.cust_1"]);
}

#[tokio::test]
async fn full_page_ignores_failure_of_the_next_page() {
    use customer_gateway::sandbox::Fault;
    let newer = (0..100).map(|number| tolt_customer(&format!("cust_{number:03}"), 1_000 + number));
    let older = (0..50).map(|number| tolt_customer(&format!("cust_old_{number:03}"), number));
    let stage = stage_of(newer.chain(older).collect(), vec![corporation_customer("cust_0", Some(0))]).start().await;
    stage.gateway.get("/customers?connection=affiliates&order=desc&limit=1").await.ok();
    stage.vendors.tolt().fail_next(1, Fault::Html);
    let page = stage.gateway.get("/customers?order=desc&limit=100").await.ok();
    assert_eq!(ids(&page).len(), 100);
    assert_eq!(stage.vendors.tolt().calls(), 1, "this request does not need the next page");
}

/// Vendor whose first page changed after the next page was cached.
#[tokio::test]
async fn row_on_two_vendor_pages_is_listed_once() {
    let vendor = ScriptedVendor::start(|_, target| {
        let rows = |ids: [&str; 2]| ids.map(corporation_row);
        Reply::json(&if target.contains("cursor=") {
            corporation_page(&rows(["cust_2", "cust_3"]), None)
        } else {
            corporation_page(&rows(["cust_1", "cust_2"]), Some("token"))
        })
    })
    .await;
    let gateway = vendor.gateway("corporation").await;
    for limit in [1, 2, 20] {
        let pages = walk(&gateway, &format!("/customers?order=asc&limit={limit}")).await;
        assert_eq!(all_ids(&pages), ["odd.cust_1", "odd.cust_2", "odd.cust_3"]);
        assert_eq!(pages[0]["page"]["total"], 3);
    }
}
