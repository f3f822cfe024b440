//! Problem documents: every error that a caller can cause names its remedy.

mod callers;
mod cursors;
mod http;
mod pages;
mod parameters;
mod rows;

use crate::support::{Gateway, config, connections_to, sandbox};
use customer_gateway::sandbox::Sandbox;

/// Starts a gateway with a few rows of both vendors.
async fn gateway() -> (Sandbox, Gateway) {
    let sandbox = sandbox(30, 30, 30).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    (sandbox, gateway)
}

/// Returns the problem of each target, one per line.
async fn lines(gateway: &Gateway, targets: &[&str]) -> String {
    let mut lines = Vec::new();
    for target in targets {
        lines.push(format!("{target}\n    {}", gateway.get(target).await.problem_line()));
    }
    lines.join("\n")
}
