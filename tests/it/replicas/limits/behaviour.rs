//! Blocks, shares, exports and probes of several replicas.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{
    callers::Caller,
    config::Config,
    shared::OnLoss,
    upstream::{Share, Window},
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{
    LIMIT, SECOND, configuration, gateways,
    load::{Load, Vendor},
};
use crate::support::{
    Gateway, Reply, caller,
    redis::{RedisServer, eventually, replicas},
    tolt_page, tolt_row,
};

fn page() -> Reply {
    Reply::json(&tolt_page(&[tolt_row("cust_1")], false))
}

fn window(requests: u32, per: Duration) -> Window {
    Window { requests: NonZeroU32::new(requests).unwrap(), per }
}

/// Returns the number of successful vendor calls of a gateway.
async fn calls(gateway: &Gateway) -> u64 {
    let metrics = gateway.get("/metrics").await.text;
    let series = "gateway_vendor_calls_total{connection=\"odd\",status=\"200\"} ";
    metrics.lines().find_map(|line| line.strip_prefix(series)).map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_equal_turns() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways = gateways::<3>(&vendor, &server).await;
    // The first replica has many more clients.
    let [many, few] =
        [(&gateways[..1], 40), (&gateways[1..], 8)].map(|(gateways, clients)| Load::start(gateways, clients));
    sleep(SECOND * 8).await;
    let [first, second, third] = [calls(&gateways[0]).await, calls(&gateways[1]).await, calls(&gateways[2]).await];
    for load in [many, few] {
        assert_eq!(load.stop().await, Vec::<String>::new());
    }
    vendor.assert_kept(LIMIT, SECOND);
    let fair = (first + second + third) / 3;
    for calls in [first, second, third] {
        // Without turns, the second and the third replica make a quarter of this.
        assert!(calls * 2 > fair, "{first} {second} {third}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_slot_is_kept() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let per = SECOND / 4;
    let gateways: [Gateway; 3] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        config.connections[0].rate_limit.windows = vec![window(1, per)];
        config
    })
    .await;
    let load = Load::start(&gateways, 4);
    sleep(SECOND * 6).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(1, per);
    assert!(vendor.arrivals().len() >= 14, "{}", vendor.arrivals().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn crashed_replica_leaves_the_limit() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let [crashing, first, second] = gateways::<3>(&vendor, &server).await;
    let load = Load::start([&first, &second], 16);
    for index in 0..40 {
        let _ = timeout(SECOND / 20, crashing.get(&format!("/customers?connection=odd&status=s{index}"))).await;
    }
    drop(crashing);
    let before = vendor.arrivals().len();
    sleep(SECOND * 5).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(LIMIT, SECOND);
    // The part of the replica is left to it for a minute.
    assert!(vendor.arrivals().len() - before > 5 * 16 - 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn flush_keeps_long_windows() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways: [Gateway; 2] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        config.connections[0].rate_limit.windows = vec![window(LIMIT, SECOND), window(40, SECOND * 86_400)];
        config.connections[0].rate_limit.max_wait = SECOND * 4;
        config
    })
    .await;
    for gateway in &gateways {
        let port = gateway.url.rsplit(':').next().unwrap();
        for index in 0..10 {
            gateway.get(&format!("/customers?connection=odd&partner_id=p{port}_{index}")).await.ok();
        }
    }
    server.flush().await;
    // Each replica enters its calls again.
    let sent = async || {
        let keys: Vec<String> = server.run("KEYS", &["*:limit:sent"]).await;
        match keys.first() {
            Some(key) => server.run::<usize>("ZCARD", &[key.as_str()]).await,
            None => 0,
        }
    };
    eventually(async || sent().await == 20).await;
    let load = Load::start(&gateways, 8);
    sleep(SECOND * 6).await;
    let failed = load.stop().await;
    assert_eq!((vendor.arrivals().len(), failed.is_empty()), (40, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_keeps_long_windows() {
    let (mut server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways: [Gateway; 2] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        config.connections[0].rate_limit.windows = vec![window(LIMIT, SECOND), window(40, SECOND * 86_400)];
        config.connections[0].rate_limit.max_wait = SECOND * 4;
        config
    })
    .await;
    // The second replica makes no call.
    for index in 0..30 {
        gateways[0].get(&format!("/customers?connection=odd&partner_id=p{index}")).await.ok();
    }
    sleep(SECOND * 3 / 2).await;
    server.kill();
    let load = Load::start(&gateways, 8);
    sleep(SECOND * 10).await;
    let failed = load.stop().await;
    assert_eq!((vendor.arrivals().len(), failed.is_empty()), (40, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_blocks_every_replica() {
    let server = RedisServer::start().await;
    let vendor = Vendor::scripted(|index| match index {
        0 => Reply::with_headers(429, "retry-after: 3\r\n", b"{}"),
        _ => page(),
    })
    .await;
    let [first, second] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        config.connections[0].rate_limit.max_wait = SECOND * 8;
        config
    })
    .await;
    let (a, b) = tokio::join!(first.get("/customers?connection=odd&status=a"), async {
        eventually(async || vendor.arrivals().len() == 1).await;
        sleep(SECOND / 5).await;
        second.get("/customers?connection=odd&status=b").await
    });
    b.ok();
    a.ok();
    let arrivals = vendor.arrivals();
    assert!(arrivals[1].duration_since(arrivals[0]) >= SECOND * 29 / 10, "{arrivals:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn share_is_counted_across_replicas() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let key = "cgk_batch";
    let gateways: [Gateway; 3] = replicas(|| Config {
        callers: vec![Caller { share: Share::new(0.2), ..caller("batch", key, &["odd"]) }],
        ..configuration(&vendor, server.settings())
    })
    .await;
    // The limit starts without free slots, while the share is charged.
    sleep(SECOND * 2).await;
    let load = Load::start_as(&gateways, 4, key);
    sleep(SECOND * 6).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    // Charged calls wait for slots, so the vendor sees the share as an average.
    let used = vendor.used(5, SECOND);
    assert!((0.85..1.15).contains(&used), "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn share_works_without_the_server() {
    let (mut server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let key = "cgk_batch";
    let gateways: [Gateway; 2] = replicas(|| Config {
        callers: vec![Caller { share: Share::new(0.4), ..caller("batch", key, &["odd"]) }],
        ..configuration(&vendor, server.settings())
    })
    .await;
    let load = Load::start_as(&gateways, 4, key);
    sleep(SECOND * 3).await;
    server.kill();
    sleep(SECOND * 7).await;
    let before = vendor.arrivals().len();
    sleep(SECOND * 4).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    let (all, after) = (vendor.used(10, SECOND), vendor.arrivals().len() - before);
    assert!(all <= 1.1 && after > 20, "{all} {after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_yield_to_other_replicas() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways = gateways::<2>(&vendor, &server).await;
    let load = Load::start(&gateways[..1], 30);
    sleep(SECOND * 4).await;
    let export = async {
        let url = format!("{}/customers?connection=odd", gateways[1].url);
        let request = reqwest::Client::new().get(url).header("accept", "application/x-ndjson");
        request.send().await.unwrap().text().await.unwrap()
    };
    // The export waits, or ends without a call.
    let _ = timeout(SECOND * 4, export).await;
    assert_eq!(calls(&gateways[1]).await, 0);
    load.stop().await;
    vendor.assert_kept(LIMIT, SECOND);
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_replicas_reject_calls_on_loss() {
    let (mut server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let mut settings = server.settings();
    settings.on_loss = OnLoss::Reject;
    let [gateway] = replicas(|| configuration(&vendor, settings.clone())).await;
    // Before the first connection, calls are rejected too.
    eventually(async || gateway.get("/customers?connection=odd&status=a").await.status == 200).await;
    server.kill();
    eventually(async || gateway.get("/connections/odd").await.ok()["budget"]["scope"] == "part").await;
    for status in ["b", "c"] {
        let answer = gateway.get(&format!("/customers?connection=odd&status={status}")).await;
        assert_eq!(answer.code(503), "vendor_rate_limited");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=5).contains(&wait), "{wait}");
    }
    assert_eq!(vendor.arrivals().len(), 1);
    server.restart().await;
    eventually(async || gateway.get("/customers?connection=odd&status=d").await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_may_stay_local() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let mut settings = server.settings();
    settings.limits = false;
    let [gateway] = replicas(|| configuration(&vendor, settings.clone())).await;
    gateway.get("/customers?connection=odd").await.ok();
    assert_eq!(gateway.get("/connections/odd").await.ok()["budget"]["scope"], "process");
    assert_eq!(server.run::<Vec<String>>("KEYS", &["*:limit:*"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn call_without_time_to_wait_gets_a_slot() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let [gateway] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        config.connections[0].rate_limit.max_wait = Duration::ZERO;
        config
    })
    .await;
    sleep(SECOND * 2).await;
    for status in ["a", "b", "c"] {
        gateway.get(&format!("/customers?connection=odd&status={status}")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_probes_at_a_time() {
    let server = RedisServer::start().await;
    let (is_failing, gate) = (Arc::new(AtomicBool::new(true)), Arc::new(Semaphore::new(0)));
    let vendor = {
        let (is_failing, gate) = (Arc::clone(&is_failing), Arc::clone(&gate));
        Vendor::scripted(
            move |_| {
                if is_failing.load(Relaxed) { Reply::text(500, "{}") } else { page().gated_by(&gate) }
            },
        )
        .await
    };
    let gateways = gateways::<2>(&vendor, &server).await;
    let [first, second] = &gateways;
    let get = async |gateway: &Gateway, status: &str| {
        gateway.get(&format!("/customers?connection=odd&status={status}")).await
    };
    for gateway in &gateways {
        let mut number = 0;
        eventually(async || {
            number += 1;
            get(gateway, &format!("failing{number}")).await;
            gateway.get("/connections/odd").await.ok()["breaker"]["state"] == "open"
        })
        .await;
    }
    for gateway in &gateways {
        eventually(async || gateway.get("/connections/odd").await.ok()["breaker"]["state"] == "half_open").await;
    }
    is_failing.store(false, Relaxed);
    let before = vendor.arrivals().len();
    let (probe, ()) = tokio::join!(get(first, "probe"), async {
        eventually(async || vendor.arrivals().len() == before + 1).await;
        assert_eq!(get(second, "other").await.code(503), "vendor_unavailable");
        assert_eq!(vendor.arrivals().len(), before + 1);
        gate.add_permits(10);
    });
    probe.ok();
    eventually(async || get(second, "other").await.status == 200).await;
}
