//! Spans of the command: flushed at shutdown, and harmless if the collector
//! fails.

use std::{path::Path, process::Command};

use serde_json::Value;

use super::{Running, command, configure};
use crate::support::{Collector, SECRET, ScriptedVendor, tolt_page, tolt_row};

const HEADER: &str = "sk_of_the_collector";

/// Writes a configuration that exports spans to a collector.
fn configure_spans(directory: &Path, vendor: &ScriptedVendor, collector: &str) -> String {
    let path = directory.join("gateway.toml");
    std::fs::write(directory.join("header"), HEADER).unwrap();
    let telemetry = format!(
        "[telemetry]\notlp_endpoint = \"{collector}\"\nheaders = {{ authorization = {{ file = \"header\" }} }}"
    );
    configure(&path, &vendor.base_url, &telemetry);
    path.to_str().unwrap().to_owned()
}

/// Starts a gateway with this export interval in milliseconds. Returns its URL
/// and its first log lines.
fn serve(
    path: &str,
    schedule: &str,
    environment: impl FnOnce(&mut Command) -> &mut Command,
) -> (Running, String, String) {
    let mut command = command(&["--log-format", "json", "serve", "--config", path]);
    let mut running = Running::spawn(environment(command.env("OTEL_BSP_SCHEDULE_DELAY", schedule)));
    let logged = running.read_log_until(r#""message":"server started""#);
    let serving: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", serving["fields"]["listen"].as_str().unwrap());
    (running, url, logged)
}

async fn vendor() -> ScriptedVendor {
    ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_spans_are_flushed_at_shutdown() {
    let directory = tempfile::tempdir().unwrap();
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let path = configure_spans(directory.path(), &vendor, &collector.url);
    // The interval of an hour never ends during the test.
    let (running, url, _) = serve(&path, "3600000", |command| command);
    assert_eq!(reqwest::get(format!("{url}/customers")).await.unwrap().status(), 200);
    assert_eq!(collector.bodies().len(), 0);
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
    assert_eq!(collector.resources()[0]["service.name"], "customer-gateway");
    assert_eq!(collector.headers()[0]["authorization"], HEADER);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_collector_is_logged_once() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = vendor().await;
    let path = configure_spans(directory.path(), &vendor, "http://127.0.0.1:1");
    let (running, url, _) = serve(&path, "1", |command| command.env("RUST_LOG", "info,request=warn"));
    let refused = async || {
        let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
        let count = metrics.lines().find_map(|line| line.strip_prefix("gateway_spans_total{outcome=\"refused\"} "));
        count.unwrap().parse::<u64>().unwrap()
    };
    // Each batch is refused on its own. A request for `/metrics` makes the next
    // batch.
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 4 {
        seen.insert(refused().await);
        assert_eq!(reqwest::get(format!("{url}/customers")).await.unwrap().status(), 200);
    }
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
    assert_eq!(rest.matches("span export failed").count(), 1, "{rest}");
    let of_the_server = |line: &&str| line.contains("customer_gateway::server");
    assert_eq!(rest.lines().filter(|line| !of_the_server(line)).count(), 1, "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_log_contains_no_collector_secret() {
    let directory = tempfile::tempdir().unwrap();
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let path = configure_spans(directory.path(), &vendor, &collector.url);
    let (mut running, url, mut logged) = serve(&path, "1", |command| command.env("RUST_LOG", "trace"));
    // Read concurrently, so the pipe never fills.
    let asked = tokio::spawn(reqwest::get(format!("{url}/customers?email=jim%40example.com")));
    logged += &running.read_log_until(r#""target":"request""#);
    logged += &running.read_log_until(collector.url.trim_start_matches("http://"));
    running.terminate();
    let (_, rest) = running.wait();
    logged += &rest;
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    assert!(!collector.bodies().is_empty());
    for secret in [SECRET, HEADER] {
        assert_eq!(logged.lines().find(|line| line.contains(secret)), None, "{secret} is logged");
    }
}
