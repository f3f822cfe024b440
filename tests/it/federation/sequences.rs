//! Sequential lists: without an order, one source follows the other.

use customer_gateway::sandbox::{Data, tolt};

use super::{all_ids, stage, tolt_customer, walk};
use crate::support::{Gateway, config, connection, connections_to, ids, sandbox, sandbox_with};

#[tokio::test]
async fn second_source_follows_the_first() {
    let stage = stage(230, 130).start().await;
    let rows = [stage.affiliates(), stage.tax()].concat();
    for limit in [1, 7, 99, 100] {
        let pages = walk(&stage.gateway, &format!("/customers?limit={limit}")).await;
        assert_eq!(all_ids(&pages), rows, "limit {limit}");
        let full = pages.iter().rev().skip(1).all(|page| ids(page).len() == limit);
        assert!(full, "a page before the last is short at limit {limit}, such as the page across two sources");
    }
}

#[tokio::test]
async fn list_spans_any_number_of_sources_of_a_kind() {
    let (first, second) = (sandbox(12, 0, 9).await, sandbox_with(partner_rows()).await);
    let mut connections = connections_to(&first);
    let partners = second.tolt();
    connections.push(connection(
        "partners",
        "tolt",
        &partners.base_url(),
        partners.credential(),
        partners.program_id(),
    ));
    let gateway = Gateway::start(config(connections)).await;
    let pages = walk(&gateway, "/customers?limit=5").await;
    let connections: Vec<_> = pages
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|row| &row["source"]["connection"])
        .collect();
    let of = |name: &'static str, rows| std::iter::repeat_n(name, rows);
    let expected: Vec<_> = of("affiliates", 12).chain(of("tax", 9)).chain(of("partners", 2)).collect();
    assert_eq!(connections, expected);
    assert_eq!(all_ids(&pages)[21..], ["partners.cust_1", "partners.cust_0"]);
}

fn partner_rows() -> Data {
    let customers = vec![tolt_customer("cust_0", 0), tolt_customer("cust_1", 1)];
    Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, ..Data::default() }
}

#[tokio::test]
async fn source_without_rows_is_skipped() {
    for (tolt, corporation) in [(0, 9), (9, 0), (0, 0)] {
        let stage = stage(tolt, corporation).start().await;
        for order in ["", "&order=asc"] {
            let pages = walk(&stage.gateway, &format!("/customers?limit=9{order}")).await;
            assert_eq!(all_ids(&pages).len(), tolt + corporation, "{tolt} and {corporation}{order}");
            assert!(pages[0]["page"]["prev_cursor"].is_null());
        }
    }
}

#[tokio::test]
async fn source_not_yet_reached_is_not_called() {
    let stage = stage(30, 30).start().await;
    stage.gateway.get("/customers?limit=30").await.ok();
    assert_eq!((stage.vendors.tolt().calls(), stage.vendors.corporation().calls()), (1, 0));
}

#[tokio::test]
async fn email_filter_finds_customers_of_both_vendors() {
    let stage = stage(400, 300).start().await;
    let of_tolt = stage.vendors.tolt().customers().into_iter().find(|row| row.email.as_str().is_some()).unwrap();
    let of_tax = stage.vendors.corporation().customers().into_iter().find(|row| row.email.as_str().is_some()).unwrap();
    for (id, email) in [
        (format!("affiliates.{}", of_tolt.id), of_tolt.email.as_str().unwrap()),
        (format!("tax.{}", of_tax.id), of_tax.email.as_str().unwrap()),
    ] {
        let email: String = url::form_urlencoded::byte_serialize(email.to_uppercase().as_bytes()).collect();
        for order in ["", "&order=desc"] {
            let found = all_ids(&walk(&stage.gateway, &format!("/customers?email={email}{order}")).await);
            assert!(found.contains(&id), "{id} is not among {found:?}");
        }
    }
}
