//! Replicas of a gateway that share a Redis server and a vendor.

use std::{path::Path, time::Duration};

use bench_servers::{
    client::Client,
    process::{Launch, Process, key},
    vendor::{ACCOUNT, Kind, Rows, Vendor},
};

use crate::redis::Redis;

/// Calls per second of the limit.
pub const LIMIT: u32 = 20;
/// Rows of the vendor.
pub const ROWS: u64 = 1_000;
/// Time until each replica knows the others, and the limit has no unknown calls.
const SETTLED: Duration = Duration::from_millis(2_500);

/// Settings of a stage.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Calls per second that the configuration allows.
    pub limit: u32,
    pub latency: Duration,
    /// Lines of the `[shared]` section.
    pub shared: &'static str,
}

/// Replicas with their servers, stopped when dropped.
pub struct Stage {
    pub replicas: Vec<Process>,
    /// Client of each replica.
    pub clients: Vec<Client>,
    pub vendor: Vendor,
    pub redis: Redis,
}

impl Default for Settings {
    fn default() -> Self {
        Self { limit: LIMIT, latency: Duration::from_millis(5), shared: "" }
    }
}

impl Stage {
    /// Starts the servers and `count` replicas.
    pub async fn start(binary: &Path, count: usize, settings: Settings) -> Self {
        let redis = Redis::start();
        let Settings { limit, latency, shared } = settings;
        let vendor = Vendor::start(Kind::Tolt, latency, Rows::default().with("all", ROWS), limit, 16);
        let (key, digest) = key(binary);
        let (mut replicas, mut clients) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let config = |port| text(port, &vendor, limit, &digest, shared);
            let url = format!("redis://127.0.0.1:{}", redis.port);
            let replica = Launch { files: &[("redis", &url)], ..Launch::new(binary) }.start(config).await;
            clients.push(Client::new(replica.port, &key, false));
            replicas.push(replica);
        }
        tokio::time::sleep(SETTLED).await;
        Self { replicas, clients, vendor, redis }
    }
}

fn text(port: u16, vendor: &Vendor, limit: u32, digest: &str, shared: &str) -> String {
    let vendor = vendor.port;
    format!(
        r#"
        [server]
        listen = "127.0.0.1:{port}"
        [paging]
        cursor_key = {{ file = "secret" }}
        [shared]
        url = {{ file = "redis" }}
        {shared}
        [[connections]]
        name = "tolt"
        vendor = "tolt"
        base_url = "http://127.0.0.1:{vendor}"
        credential = {{ file = "secret" }}
        program_id = "{ACCOUNT}"
        rate_limit = {{ requests = {limit}, per = "1s" }}
        timeout = "2s"
        [[callers]]
        name = "app"
        key_digest = "{digest}"
        connections = ["tolt"]
        may_purge = true
        "#
    )
}
