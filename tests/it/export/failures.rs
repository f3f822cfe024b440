//! Vendors that rate-limit, fail or break during the stream.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{
    clock::Clock,
    sandbox::{Fault, Tolt},
};
use serde_json::json;

use super::{CSV, Export, NDJSON, Reader, Table, gateway_for, ids, stage};
use crate::support::{Reply, ScriptedVendor};

/// Schedules faults after `good` successful responses.
fn fail_after(good: usize, tolt: &Tolt, times: usize, fault: Fault) {
    tolt.fail_next(good, Fault::Stall(Duration::ZERO));
    tolt.fail_next(times, fault);
}

fn rate_limited(seconds: u64) -> Fault {
    Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), seconds.to_string())])
}

#[tokio::test]
async fn rate_limit_mid_stream_is_awaited_without_loss() {
    let stage = stage().start().await;
    let tolt = stage.vendors.tolt();
    fail_after(2, tolt, 1, rate_limited(30));
    let mut reader = Reader::open(&stage.gateway, "/customers").await;
    reader.read_checkpoints(2).await;
    crate::support::until(|| tolt.calls() == 3).await;

    // The vendor is not called a second before the named time.
    let stopped = || async { stage.gateway.get("/connections/affiliates").await.ok()["budget"]["blocked_for"].clone() };
    while stopped().await.is_null() {}
    stage.gateway.clock.advance(Duration::from_secs(29));
    for _ in 0..20 {
        stage.gateway.get("/livez").await.ok();
    }
    assert_eq!(stage.calls(), [3, 0]);

    stage.gateway.clock.advance(Duration::from_secs(1));
    let rows = reader.finish().await.complete();
    assert_eq!(stage.calls(), [4, 3]);
    assert_eq!(rows, stage.gateway.paged_walk("/customers").await);
}

#[tokio::test]
async fn rate_limit_before_the_first_row_is_awaited() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, rate_limited(20));
    let rows = stage.gateway.export_through_waits("/customers?order=desc").await.complete();
    assert!(stage.gateway.clock.elapsed() >= Duration::from_secs(20));
    assert_eq!(rows, stage.gateway.paged_walk("/customers?order=desc").await);
}

#[tokio::test]
async fn rate_limit_during_a_sort_keeps_fetched_pages() {
    let stage = stage().start().await;
    let corporation = stage.vendors.corporation();
    corporation.fail_next(2, Fault::Stall(Duration::ZERO));
    corporation.fail_next(1, rate_limited(20));
    let rows = stage.gateway.export_through_waits("/customers?connection=tax&order=asc").await.complete();
    assert_eq!(stage.calls(), [0, 4], "three pages, with one repeated call");
    assert_eq!(rows, stage.gateway.paged_walk("/customers?connection=tax&order=asc").await);
}

#[tokio::test]
async fn long_rate_limit_ends_with_retry_after() {
    let stage = stage().start().await;
    fail_after(1, stage.vendors.tolt(), 1, rate_limited(3_000));
    let export = stage.gateway.export("/customers").await;
    assert_eq!((export.rows.len(), &export.last_checkpoint()["status"]), (100, &json!("incomplete")));
    let problem = &export.last_checkpoint()["problem"];
    assert_eq!((&problem["code"], &problem["retry_after"]), (&json!("vendor_rate_limited"), &json!(3_000)));
    stage.gateway.clock.advance(Duration::from_mins(50));
    let rest = stage.gateway.export(&format!("/customers?cursor={}", export.cursor())).await;
    assert_eq!(export.rows.len() + rest.complete().len(), 480);
}

#[tokio::test]
async fn export_resumes_after_vendor_failure() {
    for (fault, code) in [
        (Fault::Status(520), "vendor_error"),
        (Fault::Status(500), "vendor_error"),
        (Fault::Status(401), "vendor_unauthorized"),
        (Fault::Html, "vendor_error"),
        (Fault::Truncated, "vendor_unreadable"),
    ] {
        for target in ["/customers?", "/customers?order=desc"] {
            let stage = stage().start().await;
            fail_after(2, stage.vendors.tolt(), 9, fault.clone());
            let export = stage.gateway.export(target).await;
            let end = export.last_checkpoint();
            assert_eq!((&end["status"], &end["problem"]["code"]), (&json!("incomplete"), &json!(code)), "{fault:?}");
            assert_eq!(end["count"], export.rows.len());
            assert!(export.rows.len() >= 200, "earlier rows were sent");

            // The remaining faults are consumed, and the breaker closes.
            while stage.gateway.get("/customers?connection=affiliates&status=lead").await.status != 200 {
                stage.gateway.clock.advance(Duration::from_mins(1));
            }
            let rest = stage.gateway.export(&format!("{target}&cursor={}", export.cursor())).await.complete();
            let rows = [export.rows, rest].concat();
            assert_eq!(
                ids(&rows),
                ids(&stage.gateway.paged_walk(target.trim_end_matches('?')).await),
                "{fault:?} {target}"
            );
        }
    }
}

#[tokio::test]
async fn failed_csv_export_ends_with_a_problem_row() {
    let stage = stage().start().await;
    fail_after(1, stage.vendors.tolt(), 1, Fault::Status(520));
    let answer = stage.gateway.get_as_type("/customers?connection=affiliates", CSV).await;
    let table = Table::read(&answer.text);
    assert_eq!((table.list().len(), table.rows.len()), (100, 101));
    let end = table.last_checkpoint();
    assert_eq!((&*end["export.status"], &*end["export.problem"]), ("incomplete", "vendor_error"));
    let rest = format!("/customers?connection=affiliates&cursor={}", end["export.cursor"]);
    assert_eq!(stage.gateway.export_csv(&rest).await.list().len(), 150);
}

#[tokio::test]
async fn partial_allow_continues_other_connections() {
    let stage = stage().start().await;
    fail_after(1, stage.vendors.tolt(), 50, Fault::Status(520));
    let export = stage.gateway.export("/customers?partial=allow").await;
    let of = |connection: &str| export.rows.iter().filter(|row| row.contains(connection)).count();
    assert_eq!((of("\"id\":\"affiliates."), of("\"id\":\"tax.")), (100, 230));
    let end = export.last_checkpoint();
    assert_eq!((&end["status"], &end["problem"]["code"]), (&json!("incomplete"), &json!("vendor_error")));
    let source = &end["sources"][0];
    assert_eq!((&source["connection"], &source["status"]), (&json!("affiliates"), &json!("failed")));

    while stage.gateway.get("/customers?connection=affiliates&status=lead").await.status != 200 {
        stage.gateway.clock.advance(Duration::from_mins(1));
    }
    let rest = stage.gateway.export(&format!("/customers?cursor={}", export.cursor())).await.complete();
    let mut rows = [export.rows, rest].concat();
    let mut walked = stage.gateway.paged_walk("/customers").await;
    rows.sort();
    walked.sort();
    assert_eq!(rows, walked);
}

#[tokio::test]
async fn partial_allow_still_awaits_rate_limits() {
    for target in ["/customers?partial=allow", "/customers?order=asc&partial=allow"] {
        let stage = stage().start().await;
        fail_after(1, stage.vendors.tolt(), 1, rate_limited(30));
        let rows = stage.gateway.export_through_waits(target).await.complete();
        assert_eq!(rows, stage.gateway.paged_walk(target).await, "{target}");
    }
}

#[tokio::test]
async fn outage_is_not_mistaken_for_a_spent_budget() {
    // A retry would come long before the budget's next permit.
    let stage = stage()
        .configure(|config| {
            config.connections[0].rate_limit.windows[0].requests = NonZeroU32::MIN;
            config.connections[0].rate_limit.windows[0].per = Duration::from_mins(1);
        })
        .start()
        .await;
    fail_after(1, stage.vendors.tolt(), 1_000, Fault::Status(500));
    let reader = Reader::open(&stage.gateway, "/customers?connection=affiliates").await;
    while stage.calls() < [2, 0] {
        stage.gateway.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let export = reader.finish().await;
    assert_eq!((export.rows.len(), &export.last_checkpoint()["problem"]["code"]), (100, &json!("vendor_error")));
    assert_eq!(stage.calls(), [2, 0], "a failing vendor is not called repeatedly");
}

#[tokio::test]
async fn vendor_paging_cycle_ends_the_export() {
    let rows: Vec<_> = (0..100).map(|row| crate::support::tolt_row(&format!("row_{row}"))).collect();
    let vendor = ScriptedVendor::replying(crate::support::tolt_page(&rows, true)).await;
    let export = gateway_for(&vendor).await.export("/customers").await;
    assert_eq!(export.last_checkpoint()["status"], "incomplete");
    assert!(vendor.calls() < 20, "{}", vendor.calls());
}

#[tokio::test]
async fn rows_are_sent_before_a_wait() {
    let held = Arc::new(AtomicBool::new(true));
    let row = crate::support::tolt_row;
    let vendor = ScriptedVendor::start({
        let held = Arc::clone(&held);
        move |_, target| {
            if target.contains("starting_after") && held.load(Relaxed) {
                return Reply::with_headers(429, "content-type: application/json\r\nretry-after: 60\r\n", b"{}");
            }
            let second = target.contains("starting_after");
            let rows: Vec<_> = (0..40).map(|n| row(&format!("row_{}{n:02}", u8::from(second)))).collect();
            Reply::json(&crate::support::tolt_page(&rows, !second))
        }
    })
    .await;
    let gateway = gateway_for(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    reader.read_checkpoints(1).await;
    assert_eq!(Export::read(&reader.text).rows.len(), 40);
    held.store(false, Relaxed);
    while vendor.calls() < 3 {
        gateway.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(reader.finish().await.complete().len(), 80);
}

#[tokio::test]
async fn slow_start_does_not_exceed_the_deadline() {
    // No row matches, so no row is sent before the last page.
    let stage = stage().configure(|config| config.server.request_timeout = Duration::from_secs(2)).start().await;
    stage.vendors.tolt().fail_next(3, Fault::Stall(Duration::from_millis(1_200)));
    let answer = stage.gateway.get_as_type("/customers?connection=affiliates&email=nobody@example.com", NDJSON).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(Export::read(&answer.text).complete().len(), 0);
}

#[tokio::test]
async fn long_search_sends_checkpoints() {
    let stage = stage().start().await;
    let target = "/customers?connection=affiliates&external_id=nobody";
    fail_after(2, stage.vendors.tolt(), 1, rate_limited(100));
    let mut reader = Reader::open(&stage.gateway, target).await;
    let budget = || async { stage.gateway.get("/connections/affiliates").await.ok()["budget"]["blocked_for"].clone() };
    while budget().await.is_null() {}
    stage.gateway.clock.advance(Duration::from_mins(1));
    reader.read_checkpoints(1).await;
    let so_far = Export::read(&reader.text);
    assert_eq!(
        (&so_far.last_checkpoint()["status"], &so_far.last_checkpoint()["count"]),
        (&json!("continues"), &json!(0))
    );
    drop(reader);

    // The two searched pages are not fetched again.
    stage.gateway.clock.advance(Duration::from_mins(1));
    stage.vendors.tolt().reset_calls();
    let rest = stage.gateway.export(&format!("{target}&cursor={}", so_far.cursor())).await;
    assert_eq!(rest.complete().len(), 0);
    assert!(stage.calls()[0] <= 2, "{:?}", stage.vendors.tolt().requests());
}
