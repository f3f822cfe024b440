//! Standard error whose reader stalls. FACTS.md, cases 110 and 111.

use std::{
    io::{Write, pipe},
    path::Path,
    process::{ExitStatus, Stdio},
};

use super::{Running, command, configure, read_until};
use crate::support::{ScriptedVendor, tolt_page, tolt_row};

/// Capacity of a pipe (`pipe(7)`).
const PIPE_CAPACITY: usize = 64 << 10;

/// Starts a gateway that logs much, and reads its log up to the start only.
async fn start(directory: &Path) -> (Running, String, ScriptedVendor) {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let path = directory.join("gateway.toml");
    configure(&path, &vendor.base_url, "");
    let mut command = command(&["--log-format", "json", "serve", "--config", path.to_str().unwrap()]);
    let mut running = Running::spawn(command.env("RUST_LOG", "trace"));
    let logged = running.read_log_until(r#""message":"server started""#);
    let started: serde_json::Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", started["fields"]["listen"].as_str().unwrap());
    (running, url, vendor)
}

/// Sends requests until log lines are dropped.
async fn drop_lines(url: &str) {
    let client = reqwest::Client::new();
    let get = async |target: &str| client.get(format!("{url}{target}")).send().await.unwrap();
    let has_dropped = async || {
        let metrics = get("/metrics").await.text().await.unwrap();
        assert!(metrics.contains("\ngateway_log_lines_dropped_total "), "{metrics}");
        !metrics.contains("\ngateway_log_lines_dropped_total 0\n")
    };
    assert!(!has_dropped().await);
    while !has_dropped().await {
        for _ in 0..20 {
            assert_eq!(get("/customers").await.status(), 200);
        }
    }
}

/// Waits for the exit without reading the log.
async fn exit_status(mut running: Running) -> ExitStatus {
    tokio::task::spawn_blocking(move || running.child.wait().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_stderr_blocks_no_request_and_no_exit() {
    let directory = tempfile::tempdir().unwrap();
    let (running, url, _vendor) = start(directory.path()).await;
    drop_lines(&url).await;
    for target in ["/livez", "/readyz", "/customers", "/customers?partner_id=another"] {
        assert_eq!(reqwest::get(format!("{url}{target}")).await.unwrap().status(), 200, "{target}");
    }
    running.terminate();
    assert!(exit_status(running).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_lines_are_reported_after_a_stall() {
    let directory = tempfile::tempdir().unwrap();
    let (mut running, url, _vendor) = start(directory.path()).await;
    drop_lines(&url).await;
    let logged = running.read_log_until(r#""message":"log lines dropped""#);
    for line in logged.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("every line is complete");
    }
    let report: serde_json::Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    assert!(report["fields"]["lines"].as_u64().unwrap() > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_start_exits_with_a_stalled_stderr() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'\n'; PIPE_CAPACITY]).unwrap();
    let mut check = command(&["check", "--config", "/nowhere"]);
    check.stdout(Stdio::null()).stderr(writer);
    let status = tokio::task::spawn_blocking(move || check.status().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(1));
    drop(reader);
}

/// The last lines before the exit are written.
#[tokio::test(flavor = "multi_thread")]
async fn log_is_flushed_at_exit() {
    let directory = tempfile::tempdir().unwrap();
    let (mut running, _, _vendor) = start(directory.path()).await;
    running.terminate();
    read_until(&mut running.stderr, "shutdown completed");
    assert!(exit_status(running).await.success());
}
