//! Selection of connections, and the order of their lists.

use super::{all_ids, cursor, sources, stage, target, walk};
use crate::support::{Gateway, caller, config, connections_to, ids, sandbox};

#[tokio::test]
async fn configuration_orders_the_connections() {
    let stage = stage(9, 8).start().await;
    let rows = all_ids(&walk(&stage.gateway, "/customers?limit=5").await);
    for named in [
        "connection=affiliates&connection=tax",
        "connection=tax&connection=affiliates",
        "connection=tax,affiliates",
        "connection=tax&connection=affiliates,tax&connection=tax",
    ] {
        assert_eq!(all_ids(&walk(&stage.gateway, &format!("/customers?{named}&limit=5")).await), rows, "{named}");
    }
}

#[tokio::test]
async fn repeated_connection_counts_once() {
    let stage = stage(9, 8).start().await;
    let page = stage.gateway.get("/customers?connection=tax&connection=tax&limit=3").await.ok();
    assert_eq!(sources(&page), "tax ok 8");
    assert_eq!(ids(&page), stage.tax()[..3]);
}

#[tokio::test]
async fn naming_all_connections_equals_naming_none() {
    let stage = stage(9, 8).start().await;
    let first = stage.gateway.get("/customers?limit=5").await.ok();
    let second = target("/customers?connection=tax,affiliates&limit=5", cursor(&first, "next_cursor").as_deref());
    assert_eq!(ids(&stage.gateway.get(&second).await.ok()).len(), 5);
}

#[tokio::test]
async fn default_connections_are_the_callers_own() {
    let sandbox = sandbox(9, 0, 8).await;
    let mut config = config(connections_to(&sandbox));
    config.callers = vec![caller("all", "key-all", &["tax", "affiliates"]), caller("tax", "key-tax", &["tax"])];
    let gateway = Gateway::start(config).await;
    let page = async |key| sources(&gateway.get_as(key, "/customers").await.ok());
    assert_eq!(page("key-all").await, "affiliates ok 9, tax ok 8");
    assert_eq!(page("key-tax").await, "tax ok 8");
    let hidden = gateway.get_as("key-tax", "/customers?connection=tax,affiliates").await;
    assert_eq!(hidden.code(404), "connection_not_found");
    assert_eq!(hidden.problem()["supported"], serde_json::json!(["tax"]));
}
