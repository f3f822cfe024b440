//! Several replicas that share a real Redis server.

mod cluster;
mod connection;
mod fetches;
mod limits;
mod list_scripts;
mod lists;
mod pages;
mod purges;
mod quotas;
mod scripts;
mod values;
mod versions;

use crate::support::{Gateway, redis::eventually};

/// Waits until both connections of a replica work.
async fn connected(gateway: &Gateway) {
    let lines = ["pages", "state"].map(|purpose| format!("gateway_shared_connected{{purpose=\"{purpose}\"}} 1"));
    eventually(async || {
        let metrics = gateway.get("/metrics").await.text;
        lines.iter().all(|line| metrics.contains(line))
    })
    .await;
}
