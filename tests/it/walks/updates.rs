//! `updated_gte` and `updated_lte`, which the gateway applies to vendor pages.

use customer_gateway::sandbox::{Data, tolt};

use crate::support::{Gateway, caller, config, connections_to, sandbox_with};

/// Times of the last change of the rows `cust_0`, `cust_1`, …
const UPDATED: &[&str] = &[
    "2025-01-01T00:00:00Z",
    "2025-01-02T12:00:00.5Z",
    "2025-01-02T12:00:00.500001Z",
    "soon",
    "2025-02-01T01:00:00+01:00",
];

fn customers() -> Data {
    let customer = |(id, updated): (usize, &&str)| tolt::Customer {
        updated_at: (*updated).to_owned(),
        ..tolt::Customer::new(&format!("cust_{id}"), &format!("2024-12-0{}T00:00:00Z", id + 1))
    };
    let customers = UPDATED.iter().enumerate().map(customer).collect();
    Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, ..Data::default() }
}

#[tokio::test]
async fn rows_updated_within_the_range_are_listed() {
    let sandbox = sandbox_with(customers()).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for (filter, expected) in [
        ("updated_gte=2025-01-01", &[0, 1, 2, 4][..]),
        ("updated_gte=2025-01-02T12:00:00.500000001Z", &[2, 4]),
        ("updated_lte=2025-01-02T12:00:00.5Z", &[0, 1]),
        ("updated_gte=2025-01-02&updated_lte=2025-01-02", &[1, 2]),
        ("updated_gte=2025-02-01&created_gte=2024-12-05", &[4]),
        ("updated_gte=2025-02-01T00:00:00.001Z", &[]),
    ] {
        let page = gateway.get(&format!("/customers?connection=affiliates&order=asc&{filter}")).await.ok();
        let ids: Vec<_> = page["data"].as_array().unwrap().iter().map(|row| row["source"]["id"].clone()).collect();
        let expected: Vec<_> = expected.iter().map(|id| format!("cust_{id}")).collect();
        assert_eq!(ids, expected, "{filter}");
        // The time of `cust_3` is unreadable.
        let undecided = u64::from(!filter.contains("created_gte"));
        assert_eq!(page["sources"][0]["undecided"], undecided, "{filter}");
        assert!(page["page"]["total"].is_null(), "{filter}");
    }
}

#[tokio::test]
async fn range_of_updates_is_validated() {
    let sandbox = sandbox_with(customers()).await;
    let mut config = config(connections_to(&sandbox));
    let mut narrow = caller("narrow", "a key", &["affiliates"]);
    narrow.fields.deny("updated_at").unwrap();
    config.callers = vec![narrow, caller("app", "another key", &["affiliates", "tax"])];
    let gateway = Gateway::start(config).await;
    let rejected =
        async |key, query| gateway.get_as(key, &format!("/customers?connection={query}")).await.problem_line();
    insta::assert_snapshot!(rejected("another key", "affiliates&updated_gte=2025-02-01&updated_lte=2025-01-31").await, @"400 invalid_parameter [updated_lte] `updated_lte` is before `updated_gte`, so no row can match");
    insta::assert_snapshot!(rejected("another key", "tax&updated_gte=2025-02-01").await, @"400 unsupported_filter [updated_gte] the connection `tax` does not support `updated_gte`; name only connections that support this (`affiliates`) in `connection`");
    let denied = rejected("a key", "affiliates&updated_lte=2025-02-01").await;
    assert!(denied.starts_with("403 forbidden [updated_lte] "), "{denied}");
}
