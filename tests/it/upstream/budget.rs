//! Rate limits of the vendors.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use customer_gateway::{
    clock::SystemClock,
    config::Connection,
    sandbox::{Options, Sandbox},
    upstream::{Credential, RateLimit, Window},
};
use tokio::task::JoinSet;

use crate::support::{Gateway, ScriptedVendor, config, connections_to, tolt_page};

#[tokio::test]
async fn connections_with_one_key_share_its_budget() {
    let sandbox =
        Sandbox::start(Options { tolt_customers: 5, enforce_rate_limits: true, ..Options::default() }).await.unwrap();
    let mut first = connections_to(&sandbox).remove(0);
    first.rate_limit = Connection::default_rate_limit(first.kind);
    let second = Connection { name: "partners".parse().unwrap(), ..first.clone() };
    let gateway = Arc::new(Gateway::start_on(SystemClock::shared(), config(vec![first, second])).await);
    // Uncached requests, which the vendor's limit of 25 per second spreads out.
    let mut asked = JoinSet::new();
    for question in 0..60 {
        let gateway = Arc::clone(&gateway);
        let connection = if question % 2 == 0 { "affiliates" } else { "partners" };
        asked.spawn(async move {
            gateway.get(&format!("/customers?connection={connection}&partner_id=part_{question}")).await
        });
    }
    for answer in asked.join_all().await {
        answer.ok();
    }
    assert_eq!(sandbox.tolt().calls(), 60, "no request may be sent twice");
}

/// Limits a connection to one call per day. A second call fits no deadline.
fn limited_to_one_per_day(connection: Connection) -> Connection {
    let window = Window { requests: NonZeroU32::MIN, per: Duration::from_hours(24) };
    let rate_limit = RateLimit { windows: vec![window], max_wait: Duration::from_secs(5) };
    Connection { rate_limit, ..connection }
}

#[tokio::test]
async fn exhausted_budget_is_503_with_retry_after() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = Gateway::start(config(vec![limited_to_one_per_day(vendor.connection("tolt"))])).await;
    gateway.get("/customers?status=a").await.ok();
    let answer = gateway.get("/customers?status=b").await;
    assert_eq!(answer.code(503), "vendor_rate_limited");
    assert_eq!((&answer.problem()["connection"], &answer.problem()["retryable"]), (&"odd".into(), &true.into()));
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((86_000..=86_401).contains(&wait), "{wait}");
    assert_eq!(vendor.calls(), 1);
    // Cached pages use no budget.
    gateway.get("/customers?status=a").await.ok();
}

#[tokio::test]
async fn call_without_time_to_wait_takes_a_free_slot() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let mut connection = vendor.connection("tolt");
    connection.rate_limit.max_wait = Duration::ZERO;
    // The real clock moves between admission and the queue.
    let gateway = Gateway::start_on(SystemClock::shared(), config(vec![connection])).await;
    for status in ["a", "b", "c"] {
        gateway.get(&format!("/customers?status={status}")).await.ok();
    }
    assert_eq!(vendor.calls(), 3);
}

#[tokio::test]
async fn budget_is_per_key_and_host() {
    let (vendor, other_host) =
        (ScriptedVendor::replying(tolt_page(&[], false)).await, ScriptedVendor::replying(tolt_page(&[], false)).await);
    let first = limited_to_one_per_day(vendor.connection("tolt"));
    let named = |name: &str, connection: Connection| Connection { name: name.parse().unwrap(), ..connection };
    let another_key = Credential::new("another".into()).unwrap();
    let connections = vec![
        first.clone(),
        named("same-key", first.clone()),
        named("another-key", Connection { credential: another_key, ..first }),
        named("another-host", limited_to_one_per_day(other_host.connection("tolt"))),
    ];
    let gateway = Gateway::start(config(connections)).await;
    let mut statuses = Vec::new();
    for name in ["odd", "same-key", "another-key", "another-host"] {
        statuses.push((name, gateway.get(&format!("/customers?connection={name}")).await.status));
    }
    assert_eq!(statuses, [("odd", 200), ("same-key", 503), ("another-key", 200), ("another-host", 200)]);
}
