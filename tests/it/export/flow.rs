//! The reader sets the pace.

use serde_json::Value;

use super::{Reader, over, page_asked};
use crate::support::{Gateway, Reply, ScriptedVendor, tolt_page, tolt_row};

const ROWS: usize = 100;

/// A vendor with 50,000 rows of ten kilobytes: far more than sockets hold.
async fn endless() -> ScriptedVendor {
    let name: Value = "x".repeat(10_000).into();
    ScriptedVendor::start(move |_, target| {
        let page = page_asked(target, ROWS);
        let row = |row| {
            let mut row = tolt_row(&format!("row_{}", page * ROWS + row));
            row["name"] = name.clone();
            row
        };
        Reply::json(&tolt_page(&(0..ROWS).map(row).collect::<Vec<_>>(), page + 1 < 500))
    })
    .await
}

/// Lets the gateway do what it can do without anybody reading.
async fn stand_still(gateway: &Gateway, vendor: &ScriptedVendor) -> usize {
    let (mut calls, mut still) = (vendor.calls(), 0);
    while still < 200 && calls < 400 {
        gateway.get("/livez").await.ok();
        still = if vendor.calls() == calls { still + 1 } else { 0 };
        calls = vendor.calls();
    }
    calls
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_vendor_calls_and_one_that_reads_on_goes_on() {
    let vendor = endless().await;
    let gateway = over(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    let calls = stand_still(&gateway, &vendor).await;
    assert!(calls < 40, "{calls} of 500 pages were asked for, and nobody has read one");

    reader.read_marks(calls + 5).await;
    assert!(vendor.calls() >= calls + 5);
}

#[tokio::test]
async fn a_reader_who_leaves_ends_the_vendor_calls() {
    let vendor = endless().await;
    let gateway = over(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    reader.read_marks(2).await;
    drop(reader);
    assert!(stand_still(&gateway, &vendor).await < 60);
}
