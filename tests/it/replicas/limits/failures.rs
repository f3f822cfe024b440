//! The server fails while replicas saturate the limit.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::upstream::Window;
use tokio::time::sleep;

use crate::support::{
    Gateway,
    redis::{Proxy, RedisServer, eventually, replicas, settings},
};

use super::{
    LIMIT, SECOND, configuration, gateways,
    load::{Load, Vendor},
};

/// Runs a saturating load over three gateways while `fail` harms the server. Expects
/// that the limit is kept, and that no request fails.
async fn survive(fail: impl AsyncFnOnce(&mut RedisServer, &[Gateway; 3])) {
    let (mut server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let gateways = gateways::<3>(&vendor, &server).await;
    let load = Load::start(&gateways, 16);
    sleep(SECOND * 4).await;
    fail(&mut server, &gateways).await;
    let before = vendor.arrivals().len();
    sleep(SECOND * 4).await;
    let failed = load.stop().await;
    vendor.assert_kept(LIMIT, SECOND);
    assert!(vendor.arrivals().len() > before + 50, "the limit is used again");
    assert_eq!(failed, Vec::<String>::new());
}

/// Waits until a gateway counts its calls like this.
async fn until_scope(gateway: &Gateway, scope: &str) {
    eventually(async || gateway.get("/connections/odd").await.ok()["budget"]["scope"] == scope).await;
}

async fn until_scopes(gateways: &[Gateway; 3], scope: &str) {
    for gateway in gateways {
        until_scope(gateway, scope).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_keeps_the_limit() {
    survive(async |server, gateways| {
        server.kill();
        until_scopes(gateways, "part").await;
        sleep(SECOND * 6).await;
        server.restart().await;
        until_scopes(gateways, "replicas").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_server_keeps_the_limit() {
    survive(async |server, _| {
        for _ in 0..3 {
            server.kill();
            server.restart().await;
            sleep(SECOND).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_server_keeps_the_limit() {
    survive(async |server, gateways| {
        server.pause();
        until_scopes(gateways, "part").await;
        sleep(SECOND * 5).await;
        server.resume();
        until_scopes(gateways, "replicas").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_pauses_keep_the_limit() {
    survive(async |server, _| {
        for pause in [100, 300, 700, 1_200] {
            server.pause();
            sleep(Duration::from_millis(pause)).await;
            server.resume();
            sleep(SECOND).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flushed_server_keeps_the_limit() {
    survive(async |server, _| {
        for _ in 0..4 {
            server.flush().await;
            sleep(Duration::from_millis(1_800)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_send_times_keep_the_limit() {
    survive(async |server, _| {
        for part in ["sent", "state", "waiting", "lapses"] {
            let keys: Vec<String> = server.run("KEYS", &[format!("*:{part}")]).await;
            for key in keys {
                server.run::<()>("DEL", &[key]).await;
            }
            sleep(SECOND).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_keep_the_limit() {
    survive(async |server, _| {
        let keys: Vec<String> = server.run("KEYS", &["*:limit:*"]).await;
        assert!(keys.len() >= 2, "{keys:?}");
        for key in keys {
            server.run::<()>("SET", &[key.as_str(), "foreign"]).await;
            sleep(SECOND).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_server_keeps_the_limit() {
    survive(async |server, _| {
        server.run::<()>("CONFIG", &["SET", "maxmemory", "1"]).await;
        sleep(SECOND * 4).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_server_keeps_the_limit() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let proxy = Proxy::start(server.port()).await;
    let gateways: [Gateway; 3] = replicas(|| configuration(&vendor, settings(&proxy.url()))).await;
    let load = Load::start(&gateways, 16);
    for delay in [0, 15, 40, 15] {
        proxy.delay(Duration::from_millis(delay));
        sleep(SECOND * 4).await;
    }
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(LIMIT, SECOND);
    let used = vendor.used(LIMIT, SECOND);
    assert!(used > 0.7, "{used}");
}

/// Without corrections, the calls of a slow moment and the next ones arrive together.
#[tokio::test(flavor = "multi_thread")]
async fn slow_way_to_the_vendor_keeps_the_limit() {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let proxy = Proxy::start(vendor.port()).await;
    let (per, requests) = (SECOND / 2, 4);
    let gateways: [Gateway; 2] = replicas(|| {
        let mut config = configuration(&vendor, server.settings());
        let connection = &mut config.connections[0];
        connection.base_url = format!("http://127.0.0.1:{}", proxy.port()).parse().unwrap();
        connection.rate_limit.windows = vec![Window { requests: NonZeroU32::new(requests).unwrap(), per }];
        config
    })
    .await;
    let load = Load::start(&gateways, 8);
    sleep(SECOND * 4).await;
    for delay in [0, 200, 0, 100, 300, 0, 60, 0, 500, 0] {
        proxy.delay(Duration::from_millis(delay));
        sleep(Duration::from_millis(700)).await;
    }
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(requests, per);
}

#[tokio::test(flavor = "multi_thread")]
async fn default_timeout_keeps_the_limit() {
    let (mut server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(25);
    let gateways: [Gateway; 3] = replicas(|| configuration(&vendor, settings.clone())).await;
    let load = Load::start(&gateways, 16);
    sleep(SECOND * 3).await;
    for pause in [50, 200, 1_500] {
        server.pause();
        sleep(Duration::from_millis(pause)).await;
        server.resume();
        sleep(SECOND * 2).await;
    }
    server.kill();
    sleep(SECOND * 4).await;
    server.restart().await;
    sleep(SECOND * 3).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(LIMIT, SECOND);
}

/// Runs a saturating load while one replica loses the server, as `fail` and `repair`
/// arrange.
async fn survive_lone_loss(fail: impl Fn(&Proxy), repair: impl Fn(&Proxy)) {
    let (server, vendor) = (RedisServer::start().await, Vendor::start().await);
    let proxy = Proxy::start(server.port()).await;
    let [lost] = replicas(|| configuration(&vendor, settings(&proxy.url()))).await;
    let [first, second] = gateways::<2>(&vendor, &server).await;
    let load = Load::start([&lost, &first, &second], 16);
    sleep(SECOND * 4).await;
    fail(&proxy);
    until_scope(&lost, "part").await;
    sleep(SECOND * 8).await;
    until_scope(&first, "replicas").await;
    repair(&proxy);
    until_scope(&lost, "replicas").await;
    sleep(SECOND * 4).await;
    assert_eq!(load.stop().await, Vec::<String>::new());
    vendor.assert_kept(LIMIT, SECOND);
    let used = vendor.used(LIMIT, SECOND);
    assert!(used > 0.6, "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lone_loss_keeps_the_limit() {
    survive_lone_loss(Proxy::close, Proxy::open).await;
}

/// The server receives the beats of the replica, which receives no reply in time.
#[tokio::test(flavor = "multi_thread")]
async fn lone_slow_connection_keeps_the_limit() {
    survive_lone_loss(|proxy| proxy.delay(SECOND * 2), |proxy| proxy.delay(Duration::ZERO)).await;
}
