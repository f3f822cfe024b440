//! Callers on connections that carry several requests (FACTS.md, cases 210 and 211).

use crate::support::{Gateway, caller, config, connections_to, sandbox};

const BILLING: &str = "cgk_billing";
const GROWTH: &str = "cgk_growth";
const TAX: &str = "/customers?connection=tax";

/// A proxy may send the requests of several clients on one connection.
#[tokio::test]
async fn kept_connection_separates_callers() {
    let sandbox = sandbox(1, 0, 1).await;
    let mut config = config(connections_to(&sandbox));
    config.callers =
        vec![caller("billing", BILLING, &["affiliates", "tax"]), caller("growth", GROWTH, &["affiliates"])];
    let gateway = Gateway::start(config).await;
    for _ in 0..3 {
        for _ in 0..2 {
            gateway.get_as(BILLING, TAX).await.ok();
        }
        for _ in 0..2 {
            assert_eq!(gateway.get_as(GROWTH, TAX).await.code(404), "connection_not_found");
        }
        for unknown in ["cgk_billinh", "cgk_billin", "cgk_billing2"] {
            assert_eq!(gateway.get_as(unknown, TAX).await.code(401), "unauthenticated");
        }
        assert_eq!(gateway.get(TAX).await.code(401), "unauthenticated");
    }
}

#[tokio::test]
async fn kept_connection_follows_a_reload() {
    let sandbox = sandbox(1, 0, 1).await;
    let with = |callers| {
        let mut config = config(connections_to(&sandbox));
        config.callers = callers;
        config
    };
    let both = || vec![caller("growth", GROWTH, &["affiliates"]), caller("billing", BILLING, &["tax"])];
    let gateway = Gateway::start(with(both())).await;
    for _ in 0..3 {
        gateway.get_as(BILLING, TAX).await.ok();
    }
    // The caller has another place, then no connection, then no key.
    gateway.reload(with(both().into_iter().rev().collect())).await;
    gateway.get_as(BILLING, TAX).await.ok();
    gateway.reload(with(vec![caller("billing", BILLING, &["affiliates"])])).await;
    assert_eq!(gateway.get_as(BILLING, TAX).await.code(404), "connection_not_found");
    gateway.reload(with(vec![caller("billing", GROWTH, &["tax"])])).await;
    assert_eq!(gateway.get_as(BILLING, TAX).await.code(401), "unauthenticated");
}
