//! Quotas of callers, counted by all replicas (FACTS.md, cases 169 to 172).

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::{callers::Quota, config::Config};
use tokio::time::Instant;

use super::connected;
use crate::support::{
    Gateway, ScriptedVendor, caller, config,
    redis::{RedisServer, eventually, replicas},
    tolt_page, tolt_row,
};

const KEY: &str = "cgk_billing";

/// Starts replicas whose caller has a quota.
async fn sharing<const N: usize>(
    server: &RedisServer,
    vendor: &ScriptedVendor,
    requests: u32,
    per: Duration,
) -> [Gateway; N] {
    let gateways = replicas::<N>(|| configuration(server, vendor, requests, per)).await;
    for gateway in &gateways {
        connected(gateway).await;
    }
    gateways
}

fn configuration(server: &RedisServer, vendor: &ScriptedVendor, requests: u32, per: Duration) -> Config {
    let mut config = config(vec![vendor.connection("tolt")]);
    config.shared = Some(server.settings());
    config.callers = vec![caller("billing", KEY, &["odd"])];
    config.callers[0].quota = Some(Quota { requests: NonZeroU32::new(requests).unwrap(), per });
    config
}

async fn vendor() -> ScriptedVendor {
    ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await
}

/// Returns the number of requests whose report had an outcome.
async fn requests(gateway: &Gateway, outcome: &str) -> usize {
    let metrics = gateway.get("/metrics").await.text;
    let start = format!("gateway_shared_quota_requests_total{{outcome=\"{outcome}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
}

/// Sends requests, and waits until the replica has reported them. Returns their
/// statuses.
async fn send(gateway: &Gateway, count: usize) -> Vec<u16> {
    let reported = requests(gateway, "reported").await;
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(gateway.get_as(KEY, "/customers").await.status);
    }
    let admitted = statuses.iter().filter(|status| **status == 200).count();
    eventually(async || requests(gateway, "reported").await - reported == admitted).await;
    statuses
}

/// Returns the admitted requests that the last response announces.
async fn remaining(gateway: &Gateway) -> String {
    let header = gateway.get_as(KEY, "/customers").await;
    header.header("ratelimit").split(';').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_count_a_quota_together() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let [first, second] = sharing(&server, &vendor, 10, Duration::from_hours(10)).await;
    assert_eq!(send(&first, 8).await, [200; 8]);
    // Its first report tells the second replica of the others' requests.
    assert_eq!(send(&second, 1).await, [200]);
    assert_eq!(send(&second, 2).await, [200, 429]);
    // The first replica admits what it does not know yet, once.
    assert_eq!(send(&first, 1).await, [200]);
    assert_eq!(send(&first, 2).await, [429, 429]);
    assert_eq!(send(&second, 2).await, [429, 429]);
    let rejected = first.get_as(KEY, "/customers").await;
    assert_eq!(rejected.code(429), "quota_exceeded");
    // 11 of 10 requests were admitted: the next waits for two slots of an hour.
    let wait: u64 = rejected.header("retry-after").parse().unwrap();
    assert!((7_100..=7_200).contains(&wait), "{wait} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_replicas_stay_within_the_quota() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let gateways = sharing::<3>(&server, &vendor, 20, Duration::from_secs(1)).await;
    let start = Instant::now();
    let mut admitted = 0;
    while start.elapsed() < Duration::from_secs(4) {
        for gateway in &gateways {
            admitted += usize::from(gateway.get_as(KEY, "/customers").await.status == 200);
        }
    }
    // A burst, the refill, and a burst of each replica before its first report.
    let bound = 20 + 20 * start.elapsed().as_millis() / 1000 + 3 * 20;
    assert!(u128::try_from(admitted).unwrap() <= bound, "{admitted} of {bound}");
    assert!(admitted >= 60, "{admitted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn flush_does_not_refill_a_quota() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let [first, second] = sharing(&server, &vendor, 10, Duration::from_hours(10)).await;
    send(&first, 5).await;
    send(&second, 1).await;
    server.flush().await;
    send(&second, 1).await;
    assert_eq!(remaining(&second).await, "r=2");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_bytes_are_no_quota() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let [gateway] = sharing(&server, &vendor, 10, Duration::from_hours(10)).await;
    send(&gateway, 1).await;
    let key: Vec<String> = server.run("KEYS", &["test:v1:*:quota"]).await;
    let [key] = &key[..] else { panic!("{key:?}") };
    let huge = "9".repeat(400);
    let values = ["nan 1", "1", "", "\u{1}\u{2}", "0x1 0x1", "-5 -5", &format!("{huge} {huge}")];
    for value in values {
        server.run::<()>("SET", &[key.as_str(), value]).await;
        assert_eq!(send(&gateway, 1).await, [200], "{value}");
    }
    server.run::<()>("DEL", &[key]).await;
    server.run::<()>("LPUSH", &[key.as_str(), "a"]).await;
    assert_eq!(send(&gateway, 1).await, [200]);
    assert_eq!(remaining(&gateway).await, "r=0");
    // A time in the far future: a period for each replica, and one more.
    for value in ["9000000000000000 1", &format!("{huge} 1")] {
        server.run::<()>("SET", &[key.as_str(), value]).await;
        let [other] = sharing(&server, &vendor, 10, Duration::from_hours(10)).await;
        assert_eq!(send(&other, 2).await[0], 200);
        let rejected = other.get_as(KEY, "/customers").await;
        let wait: u64 = rejected.header("retry-after").parse().unwrap();
        assert!((39_000..=160_000).contains(&wait), "{wait} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_set_back_does_not_change_a_quota() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let [gateway] = sharing(&server, &vendor, 10, Duration::from_hours(10)).await;
    send(&gateway, 1).await;
    let keys: Vec<String> = server.run("KEYS", &["test:v1:*:quota"]).await;
    let (seconds, _): (u64, u64) = server.run("TIME", &[] as &[&str]).await;
    // The last report was a day later, with six requests used.
    let written = (seconds + 24 * 3600) * 1_000_000;
    let stored = format!("{} {written}", written + 6 * 3_600_000_000);
    server.run::<()>("SET", &[&keys[0], &stored]).await;
    send(&gateway, 1).await;
    assert_eq!(remaining(&gateway).await, "r=2");
}

#[tokio::test(flavor = "multi_thread")]
async fn reloaded_replica_keeps_counting_together() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let gateways = sharing::<2>(&server, &vendor, 10, Duration::from_hours(10)).await;
    send(&gateways[0], 3).await;
    gateways[0].reload(configuration(&server, &vendor, 10, Duration::from_hours(10))).await;
    send(&gateways[0], 2).await;
    send(&gateways[1], 1).await;
    assert_eq!(remaining(&gateways[1]).await, "r=3");
    // Another quota has a state of its own.
    for gateway in &gateways {
        gateway.reload(configuration(&server, &vendor, 5, Duration::from_hours(10))).await;
    }
    assert_eq!(send(&gateways[0], 4).await, [200; 4]);
    assert_eq!(send(&gateways[1], 1).await, [200]);
    assert_eq!(send(&gateways[1], 1).await, [429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_server_leaves_the_quota_of_a_process() {
    let (mut server, vendor) = (RedisServer::start().await, vendor().await);
    let gateways = sharing::<2>(&server, &vendor, 6, Duration::from_hours(6)).await;
    send(&gateways[0], 2).await;
    send(&gateways[1], 1).await;
    server.kill();
    let mut statuses = Vec::new();
    for gateway in &gateways {
        for _ in 0..5 {
            statuses.push(gateway.get_as(KEY, "/customers").await.status);
        }
        eventually(async || requests(gateway, "failed").await > 0).await;
    }
    // Each replica counts from the last known state.
    assert_eq!(statuses, [200, 200, 200, 200, 429, 200, 200, 200, 429, 429]);
    server.restart().await;
    for gateway in &gateways {
        connected(gateway).await;
        assert_eq!(gateway.get_as(KEY, "/customers").await.status, 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_stay_local_if_switched_off() {
    let (server, vendor) = (RedisServer::start().await, vendor().await);
    let [gateway] = replicas(|| {
        let mut config = config(vec![vendor.connection("tolt")]);
        config.shared = Some(customer_gateway::shared::Settings { quotas: false, ..server.settings() });
        config.callers = vec![caller("billing", KEY, &["odd"])];
        config.callers[0].quota = Some(Quota { requests: NonZeroU32::MIN, per: Duration::from_hours(1) });
        config
    })
    .await;
    connected(&gateway).await;
    assert_eq!(gateway.get_as(KEY, "/customers").await.status, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.run::<Vec<String>>("KEYS", &["test:v1:*:quota"]).await, [""; 0]);
}
