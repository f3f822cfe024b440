//! Gateway with the connections `a`, which is attacked, and `b`, which is not.

use std::{net::Ipv4Addr, time::Duration};

use bench_servers::{
    client::Client,
    process::{Launch, Process, key},
    vendor::{ACCOUNT, Kind, Rows, Vendor},
};

/// Time of a measurement.
pub const MEASURED: Duration = Duration::from_secs(6);
/// Calls per second of each vendor, more than any attack needs.
const LIMIT: u32 = 2_000;

pub struct Stage {
    pub gateway: Process,
    pub a: Vendor,
    /// Key of the caller that may use `a` and purge.
    pub attacker: String,
    /// Key of the caller that may use `b`.
    victim: String,
    /// Vendor of `b`, which lives as long as the stage.
    _b: Vendor,
}

impl Stage {
    /// Starts a gateway. `server` are lines of the `[server]` section, or further
    /// sections. `host` is the name by which the gateway knows the vendor of `b`.
    pub async fn start(launch: Launch<'_>, server: &str, host: &str) -> Self {
        let (a, b) = (vendor(Ipv4Addr::LOCALHOST), vendor(Ipv4Addr::LOCALHOST));
        Self::with(launch, server, host, a, b).await
    }

    pub async fn with(launch: Launch<'_>, server: &str, host: &str, a: Vendor, b: Vendor) -> Self {
        let (attacker, attacker_digest) = key(launch.binary);
        let (victim, victim_digest) = key(launch.binary);
        let config = |port| {
            let mut text = format!("[server]\nlisten = \"127.0.0.1:{port}\"\n{server}\n");
            text += "[paging]\ncursor_key = { file = \"a\" }\n[cache]\nmax_bytes = \"16MiB\"\nfresh = \"10m\"\n";
            for (name, host, port) in [("a", "127.0.0.1", a.port), ("b", host, b.port)] {
                text += &format!(
                    r#"
                    [[connections]]
                    name = "{name}"
                    vendor = "tolt"
                    base_url = "http://{host}:{port}"
                    credential = {{ file = "{name}" }}
                    program_id = "{ACCOUNT}"
                    rate_limit = {{ requests = {LIMIT}, per = "1s" }}
                    "#
                );
            }
            for (caller, digest, connection) in [("attacker", attacker_digest, "a"), ("victim", victim_digest, "b")] {
                text += &format!(
                    r#"
                    [[callers]]
                    name = "{caller}"
                    key_digest = "{digest}"
                    connections = ["{connection}"]
                    may_purge = true
                    "#
                );
            }
            text
        };
        let gateway = Launch { secrets: &["a", "b"], ..launch }.start(config).await;
        Self { gateway, a, attacker, victim, _b: b }
    }

    pub fn attacker(&self, is_http2: bool) -> Client {
        Client::new(self.gateway.port, &self.attacker, is_http2)
    }

    pub fn victim(&self) -> Client {
        Client::new(self.gateway.port, &self.victim, false)
    }
}

/// Starts a vendor of 20 ms.
pub fn vendor(address: Ipv4Addr) -> Vendor {
    Vendor::start_at(address, Kind::Tolt, Duration::from_millis(20), Rows::default(), LIMIT, 14)
}
