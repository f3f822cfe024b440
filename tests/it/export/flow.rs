//! Backpressure: the reader sets the pace.

use serde_json::Value;

use super::{Reader, gateway_for, requested_page};
use crate::support::{Gateway, Reply, ScriptedVendor, tolt_page, tolt_row};

const ROWS: usize = 100;

/// Starts a vendor with 50,000 rows of ten kilobytes: far more than sockets
/// hold.
async fn endless_vendor() -> ScriptedVendor {
    let name: Value = "x".repeat(10_000).into();
    ScriptedVendor::start(move |_, target| {
        let page = requested_page(target, ROWS);
        let row = |row| {
            let mut row = tolt_row(&format!("row_{}", page * ROWS + row));
            row["name"] = name.clone();
            row
        };
        Reply::json(&tolt_page(&(0..ROWS).map(row).collect::<Vec<_>>(), page + 1 < 500))
    })
    .await
}

/// Waits until the gateway makes no more calls, while the reader does not read.
/// Returns the call count.
async fn wait_until_idle(gateway: &Gateway, vendor: &ScriptedVendor) -> usize {
    let (mut calls, mut still) = (vendor.calls(), 0);
    while still < 200 && calls < 400 {
        gateway.get("/livez").await.ok();
        still = if vendor.calls() == calls { still + 1 } else { 0 };
        calls = vendor.calls();
    }
    calls
}

#[tokio::test]
async fn stalled_reader_stops_the_vendor_calls() {
    let vendor = endless_vendor().await;
    let gateway = gateway_for(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    let calls = wait_until_idle(&gateway, &vendor).await;
    assert!(calls < 40, "{calls} of 500 pages were fetched without a reader");

    reader.read_checkpoints(calls + 5).await;
    assert!(vendor.calls() >= calls + 5);
}

#[tokio::test]
async fn disconnected_reader_ends_the_vendor_calls() {
    let vendor = endless_vendor().await;
    let gateway = gateway_for(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    reader.read_checkpoints(2).await;
    drop(reader);
    assert!(wait_until_idle(&gateway, &vendor).await < 60);
}
