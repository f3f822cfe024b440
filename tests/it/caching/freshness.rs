//! Freshness, then stale while revalidating: RFC 9111 and RFC 5861, section 3.

use std::time::Duration;

use customer_gateway::{
    cache::Policy,
    config::Config,
    directory::Policies,
    sandbox::{Fault, tolt},
};

use super::{PAGE, TAX_PAGE, stage};

#[tokio::test]
async fn fresh_page_is_fetched_once() {
    let stage = stage().start().await;

    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    stage.advance(29);
    assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=1");
    assert_eq!(stage.tolt_calls(), 1);
}

#[tokio::test]
async fn stale_page_is_served_and_refreshed_once() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    let newcomer = tolt::Customer::new("cust_newcomer", "2025-11-01T00:00:00.000Z");
    stage.vendors.tolt().insert(newcomer);
    stage.advance(31);

    for answer in stage.get_concurrently(20, PAGE).await {
        let status = answer.cache_status();
        let is_refreshed = status == "hit; ttl=30";
        assert!(is_refreshed || status == "hit; ttl=-1; detail=stale-while-revalidate", "{status}");
        assert_eq!(answer.text.contains("cust_newcomer"), is_refreshed);
    }

    let refreshed = stage.until(PAGE, |answer| answer.cache_status() == "hit; ttl=30").await;
    assert!(refreshed.text.contains("cust_newcomer"));
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn page_beyond_stale_window_is_refetched_first() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(30 + 5 * 60);

    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn failed_refresh_pauses_one_second() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(31);
    // Not retried, so the failure is one call.
    stage.vendors.tolt().fail_next(1, Fault::Status(403));
    stage.get(PAGE).await.ok();
    stage.until("/metrics", |metrics| metrics.text.contains(r#"{connection="affiliates",outcome="failed"} 1"#)).await;

    for _ in 0..10 {
        assert_eq!(stage.get(PAGE).await.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
    }
    assert_eq!(stage.tolt_calls(), 2);

    stage.advance(1);
    stage.until(PAGE, |answer| answer.cache_status() == "hit; ttl=30").await;
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn missing_customer_is_cached_briefly() {
    let stage = stage().start().await;
    let missing = "/customers/affiliates.cust_nobody";

    assert_eq!(stage.get(missing).await.code(404), "customer_not_found");
    stage.advance(9);
    assert_eq!(stage.get(missing).await.code(404), "customer_not_found");
    assert_eq!(stage.tolt_calls(), 1);

    stage.advance(1);
    stage.vendors.tolt().fail_next(1, Fault::Status(403));
    assert_eq!(stage.get(missing).await.code(502), "vendor_unauthorized");
    stage.vendors.tolt().insert(tolt::Customer::new("cust_nobody", "2025-11-01T00:00:00.000Z"));
    stage.get(missing).await.ok();
    assert_eq!(stage.tolt_calls(), 3);
}

#[tokio::test]
async fn deleted_customer_is_404_after_refetch() {
    let stage = stage().start().await;
    let target = stage.customer(7);
    stage.get(&target).await.ok();
    stage.vendors.tolt().delete(&stage.vendors.tolt().customers()[7].id);
    stage.advance(60 * 60);

    assert_eq!(stage.get(&target).await.code(404), "customer_not_found");
    assert_eq!(stage.get(&target).await.code(404), "customer_not_found");
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn policies_apply_per_connection_and_resource() {
    let brief = |seconds| Policy {
        fresh: Duration::from_secs(seconds),
        stale_while_revalidate: Duration::from_nanos(1),
        ..Policy::default()
    };
    let stage = stage()
        .configure_first(|connection| {
            connection.policies = Policies { customers: brief(2), customer: brief(4), transactions: brief(6) };
        })
        .start()
        .await;

    let single = stage.customer(0);
    for (target, ttl) in [(PAGE, 2), (&single, 4), ("/transactions?connection=affiliates", 6), (TAX_PAGE, 30)] {
        let stored = format!("fwd-status=200; stored; ttl={ttl}");
        assert_eq!(stage.get(target).await.cache_status(), format!("fwd=miss; {stored}"));
        stage.advance(ttl - 1);
        assert_eq!(stage.get(target).await.cache_status(), "hit; ttl=1");
    }
}

#[test]
fn policy_is_resolved_from_specific_to_general() {
    let folder = std::env::temp_dir().join(format!("gateway-caching-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key"), "secret").unwrap();
    let text = r#"
        [cache]
        fresh = "1s"
        stale_if_error = "3h"

        [[connections]]
        name = "affiliates"
        vendor = "tolt"
        credential = { file = "key" }
        program_id = "prg_1"

        [connections.cache]
        fresh = "2s"
        not_found = "4s"
        customer = { fresh = "3s" }
        transactions = { stale_while_revalidate = "5s", not_found = "6s" }

        [[connections]]
        name = "others"
        vendor = "tolt"
        credential = { file = "key" }
        program_id = "prg_2"
    "#;
    let config = Config::parse(text, &folder.join("gateway.toml")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();

    let seconds = |policy: Policy| {
        [policy.fresh, policy.stale_while_revalidate, policy.stale_if_error, policy.not_found].map(|it| it.as_secs())
    };
    let Policies { customers, customer, transactions } = config.connections[0].policies;
    assert_eq!(seconds(customers), [2, 300, 3 * 3600, 4]);
    assert_eq!(seconds(customer), [3, 300, 3 * 3600, 4]);
    assert_eq!(seconds(transactions), [2, 5, 3 * 3600, 6]);
    assert_eq!(seconds(config.connections[1].policies.customers), [1, 300, 3 * 3600, 10]);
}
