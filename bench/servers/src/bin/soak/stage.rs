//! Gateway and vendors under test.

use std::{path::Path, sync::Arc, time::Duration};

use bench_servers::{
    client::Client,
    process::{Launch, Process, key},
    vendor::{Kind, Rows, Vendor},
};

use crate::{
    clock::WallClock,
    config::{self, CALLERS, LIMIT, Ports, SECRETS, Variant},
};

/// Rows of the list `static` of `alpha`, `beta` and `delta`.
pub const STATIC: u64 = 530;
/// Rows of the list `churn` that stay. Their numbers are odd.
pub const LASTING: u64 = 300;
/// Rows of `gamma`.
pub const FORWARD: u64 = 420;

pub struct Stage {
    pub gateway: Process,
    /// Vendor of `alpha` and `beta`: a list that changes, and faults.
    pub changing: Arc<Vendor>,
    /// Vendor of `gamma`: cursors that lead forward, and faults.
    pub forward: Arc<Vendor>,
    /// Vendor of `delta` without faults.
    pub stable: Arc<Vendor>,
    /// Vendor of `steady` with long outages.
    pub failing: Arc<Vendor>,
    keys: Vec<String>,
    digests: Vec<String>,
}

impl Stage {
    pub async fn start(binary: &Path, clock: &WallClock, seed: u64) -> Self {
        let default = Variant::default();
        let latency = Duration::from_millis(20);
        let mut churning = Rows::default().with("static", STATIC).with("churn", 0);
        for row in 0..LASTING {
            churning.insert("churn", row * 2 + 1);
        }
        let changing = Vendor::start(Kind::Tolt, latency, churning, default.alpha, seed + 1);
        let rows = Rows::default().with("forward", FORWARD);
        let forward = Vendor::start(Kind::Corporation, latency * 2, rows, default.gamma, seed + 2);
        let stable = Vendor::start(Kind::Tolt, latency, Rows::default().with("static", STATIC), LIMIT, seed + 3);
        let failing = Vendor::start(Kind::Tolt, latency, Rows::default(), LIMIT, seed + 4);
        let ports =
            Ports { changing: changing.port, forward: forward.port, stable: stable.port, failing: failing.port };
        let (keys, digests): (Vec<_>, Vec<_>) = CALLERS.iter().map(|_| key(binary)).unzip();
        let wrapper = clock.wrapper();
        let launch = Launch { secrets: SECRETS, wrapper: &wrapper, ..Launch::new(binary) };
        let gateway = launch.start(|port| config::text(port, ports, &digests, &default)).await;
        Self {
            gateway,
            changing: Arc::new(changing),
            forward: Arc::new(forward),
            stable: Arc::new(stable),
            failing: Arc::new(failing),
            keys,
            digests,
        }
    }

    /// Returns the configuration with the settings of a variant.
    pub fn config(&self, variant: &Variant) -> String {
        let ports = Ports {
            changing: self.changing.port,
            forward: self.forward.port,
            stable: self.stable.port,
            failing: self.failing.port,
        };
        config::text(self.gateway.port, ports, &self.digests, variant)
    }

    /// Returns a client of a caller.
    pub fn client(&self, caller: &str, is_http2: bool) -> Client {
        let index = CALLERS.iter().position(|(name, _)| *name == caller).expect("the caller exists");
        Client::new(self.gateway.port, &self.keys[index], is_http2)
    }

    pub fn vendors(&self) -> [(&'static str, &Vendor); 4] {
        [
            ("changing", self.changing.as_ref()),
            ("forward", self.forward.as_ref()),
            ("stable", self.stable.as_ref()),
            ("failing", self.failing.as_ref()),
        ]
    }
}
