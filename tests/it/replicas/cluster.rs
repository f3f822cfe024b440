//! Replicas of a gateway over one server and one pair of vendors.

use std::{thread, time::Duration};

use customer_gateway::{clock::SystemClock, config::Config, sandbox::Sandbox};
use tokio::{runtime::Runtime, time::sleep};

use crate::support::{
    Answer, Gate, Gateway, config, connections_to,
    redis::{RedisServer, eventually, replicas},
    sandbox,
};

/// A page of Tolt's customers: one vendor call.
pub(super) const PAGE: &str = "/customers?connection=affiliates";

/// Replicas of a gateway. Tolt is behind a gate.
pub(super) struct Cluster<const N: usize> {
    pub(super) replicas: [Gateway; N],
    pub(super) vendors: Sandbox,
    pub(super) gate: Gate,
    pub(super) redis: RedisServer,
}

/// A replica on a runtime of its own, which can be killed.
pub(super) struct MortalReplica {
    pub(super) url: String,
    runtime: Runtime,
    _gateway: Gateway,
}

impl<const N: usize> Cluster<N> {
    /// Starts replicas with the default configuration.
    pub(super) async fn start() -> Self {
        Self::start_with(RedisServer::start().await, |_| {}).await
    }

    /// Starts replicas with a changed configuration. Each replica knows the others.
    pub(super) async fn start_with(redis: RedisServer, change: impl Fn(&mut Config)) -> Self {
        let vendors = sandbox(1_000, 10, 30).await;
        let gate = Gate::in_front_of(&vendors.tolt().base_url()).await;
        let replicas = replicas(|| configuration(&vendors, &gate, &redis, &change)).await;
        let cluster = Self { replicas, vendors, gate, redis };
        cluster.ready().await;
        cluster
    }

    /// Waits until each replica has the confirmations of all others.
    pub(super) async fn ready(&self) {
        self.ready_with(N).await;
    }

    /// Waits until each replica has this many confirmations.
    pub(super) async fn ready_with(&self, replicas: usize) {
        // A replica counts the others every 250 ms.
        sleep(Duration::from_millis(600)).await;
        for replica in &self.replicas {
            eventually(async || {
                let answer = purge(replica, "?connection=tax").await;
                answer["replicas"] == replicas && answer["confirmed"] == replicas
            })
            .await;
        }
    }

    /// Starts a replica that can be killed. The replica is not ready.
    pub(super) fn start_mortal(&self) -> MortalReplica {
        self.start_mortal_with(|_| {})
    }

    /// Starts a replica with another configuration that can be killed.
    pub(super) fn start_mortal_with(&self, change: impl Fn(&mut Config)) -> MortalReplica {
        let configuration = configuration(&self.vendors, &self.gate, &self.redis, change);
        thread::spawn(|| {
            let runtime = Runtime::new().unwrap();
            let gateway = runtime.block_on(Gateway::start_on(SystemClock::shared(), configuration));
            MortalReplica { url: gateway.url.clone(), runtime, _gateway: gateway }
        })
        .join()
        .unwrap()
    }

    pub(super) fn tolt_calls(&self) -> u64 {
        self.vendors.tolt().calls()
    }

    /// Returns the target of one of Tolt's customers: a vendor call of its own.
    pub(super) fn customer(&self, index: usize) -> String {
        format!("/customers/affiliates.{}", self.vendors.tolt().customers()[index].id)
    }

    /// Waits until a page is stored on the server.
    pub(super) async fn stored(&self, pages: usize) {
        eventually(async || self.keys(":page:").await.len() == pages).await;
    }

    /// Returns the keys that contain a text.
    pub(super) async fn keys(&self, part: &str) -> Vec<String> {
        self.redis.run("KEYS", &[format!("*{part}*")]).await
    }
}

impl MortalReplica {
    /// Ends all tasks of the replica at once.
    pub(super) fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Returns the configuration of a replica.
pub(super) fn configuration(
    vendors: &Sandbox,
    gate: &Gate,
    redis: &RedisServer,
    change: impl Fn(&mut Config),
) -> Config {
    let mut config = config(connections_to(vendors));
    config.connections[0].base_url = gate.url.parse().unwrap();
    config.shared = Some(redis.settings());
    change(&mut config);
    config
}

/// Sends a `GET` with a `Cache-Control` header.
pub(super) async fn get_with(gateway: &Gateway, target: &str, cache_control: &str) -> Answer {
    gateway.request(|client, url| client.get(format!("{url}{target}")).header("cache-control", cache_control)).await
}

/// Purges the cache. Returns the body.
pub(super) async fn purge(gateway: &Gateway, query: &str) -> serde_json::Value {
    gateway.request(|client, url| client.delete(format!("{url}/cache{query}"))).await.ok()
}

/// Changes the times of the first connection's pages, in milliseconds.
pub(super) fn times(config: &mut Config, fresh: u64, stale: u64) {
    let millis = Duration::from_millis;
    let policies = &mut config.connections[0].policies;
    for policy in [&mut policies.customers, &mut policies.customer] {
        (policy.fresh, policy.stale_while_revalidate, policy.stale_if_error) =
            (millis(fresh), millis(stale), millis(stale));
    }
}
