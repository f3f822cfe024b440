//! Vendors that refuse, fail or break in mid-stream.

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

use super::{CSV, Export, NDJSON, Reader, Stage, Table, ids, over};
use crate::support::{Reply, ScriptedVendor};

/// Faults behind so many right answers.
fn after(good: usize, tolt: &Tolt, times: usize, fault: Fault) {
    tolt.fail_next(good, Fault::Stall(Duration::ZERO));
    tolt.fail_next(times, fault);
}

fn too_many(seconds: u64) -> Fault {
    Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), seconds.to_string())])
}

#[tokio::test]
async fn a_429_in_mid_stream_is_waited_for_and_loses_nothing() {
    let stage = Stage::set().await;
    let tolt = stage.sandbox.tolt();
    after(2, tolt, 1, too_many(30));
    let mut reader = Reader::open(&stage.gateway, "/customers").await;
    reader.read_marks(2).await;
    crate::support::until(|| tolt.calls() == 3).await;

    // A second before the vendor's time nobody asks it.
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
    assert_eq!(rows, stage.gateway.walked("/customers").await);
}

#[tokio::test]
async fn a_429_before_the_first_row_is_waited_for_in_the_stream() {
    let stage = Stage::set().await;
    stage.sandbox.tolt().fail_next(1, too_many(20));
    let rows = stage.gateway.export_through_waits("/customers?order=desc").await.complete();
    assert!(stage.gateway.clock.elapsed() >= Duration::from_secs(20));
    assert_eq!(rows, stage.gateway.walked("/customers?order=desc").await);
}

#[tokio::test]
async fn a_429_while_an_order_is_made_does_not_begin_anew() {
    let stage = Stage::set().await;
    let corporation = stage.sandbox.corporation();
    corporation.fail_next(2, Fault::Stall(Duration::ZERO));
    corporation.fail_next(1, too_many(20));
    let rows = stage.gateway.export_through_waits("/customers?connection=tax&order=asc").await.complete();
    assert_eq!(stage.calls(), [0, 4], "three pages, one of them asked for twice");
    assert_eq!(rows, stage.gateway.walked("/customers?connection=tax&order=asc").await);
}

#[tokio::test]
async fn a_429_that_asks_for_too_long_ends_it_with_the_time_to_come_back() {
    let stage = Stage::set().await;
    after(1, stage.sandbox.tolt(), 1, too_many(3_000));
    let export = stage.gateway.export("/customers").await;
    assert_eq!((export.rows.len(), &export.end()["status"]), (100, &json!("incomplete")));
    let problem = &export.end()["problem"];
    assert_eq!((&problem["code"], &problem["retry_after"]), (&json!("vendor_rate_limited"), &json!(3_000)));
    stage.gateway.clock.advance(Duration::from_mins(50));
    let rest = stage.gateway.export(&format!("/customers?cursor={}", export.cursor())).await;
    assert_eq!(export.rows.len() + rest.complete().len(), 480);
}

#[tokio::test]
async fn a_vendor_that_fails_ends_it_incomplete_and_is_gone_on_with_when_it_is_back() {
    for (fault, code) in [
        (Fault::Status(520), "vendor_error"),
        (Fault::Status(500), "vendor_error"),
        (Fault::Status(401), "vendor_unauthorized"),
        (Fault::Html, "vendor_unreadable"),
        (Fault::Truncated, "vendor_unreadable"),
    ] {
        for target in ["/customers?", "/customers?order=desc"] {
            let stage = Stage::set().await;
            after(2, stage.sandbox.tolt(), 9, fault.clone());
            let export = stage.gateway.export(target).await;
            let end = export.end();
            assert_eq!((&end["status"], &end["problem"]["code"]), (&json!("incomplete"), &json!(code)), "{fault:?}");
            assert_eq!(end["count"], export.rows.len());
            assert!(export.rows.len() >= 200, "what came before is out");

            // The faults that are left are used up, and the breaker closes.
            while stage.gateway.get("/customers?connection=affiliates&status=lead").await.status != 200 {
                stage.gateway.clock.advance(Duration::from_mins(1));
            }
            let rest = stage.gateway.export(&format!("{target}&cursor={}", export.cursor())).await.complete();
            let rows = [export.rows, rest].concat();
            assert_eq!(
                ids(&rows),
                ids(&stage.gateway.walked(target.trim_end_matches('?')).await),
                "{fault:?} {target}"
            );
        }
    }
}

#[tokio::test]
async fn csv_ends_with_the_problem_in_a_row_of_its_own() {
    let stage = Stage::set().await;
    after(1, stage.sandbox.tolt(), 1, Fault::Status(520));
    let answer = stage.gateway.get_as_type("/customers?connection=affiliates", CSV).await;
    let table = Table::read(&answer.text);
    assert_eq!((table.list().len(), table.rows.len()), (100, 101));
    let end = table.end();
    assert_eq!((&*end["export.status"], &*end["export.problem"]), ("incomplete", "vendor_error"));
    let rest = format!("/customers?connection=affiliates&cursor={}", end["export.cursor"]);
    assert_eq!(stage.gateway.export_csv(&rest).await.list().len(), 150);
}

#[tokio::test]
async fn where_parts_are_allowed_the_other_connection_goes_on() {
    let stage = Stage::set().await;
    after(1, stage.sandbox.tolt(), 50, Fault::Status(520));
    let export = stage.gateway.export("/customers?partial=allow").await;
    let of = |connection: &str| export.rows.iter().filter(|row| row.contains(connection)).count();
    assert_eq!((of("\"id\":\"affiliates."), of("\"id\":\"tax.")), (100, 230));
    let end = export.end();
    assert_eq!((&end["status"], &end["problem"]["code"]), (&json!("incomplete"), &json!("vendor_error")));
    let source = &end["sources"][0];
    assert_eq!((&source["connection"], &source["status"]), (&json!("affiliates"), &json!("failed")));

    while stage.gateway.get("/customers?connection=affiliates&status=lead").await.status != 200 {
        stage.gateway.clock.advance(Duration::from_mins(1));
    }
    let rest = stage.gateway.export(&format!("/customers?cursor={}", export.cursor())).await.complete();
    let mut rows = [export.rows, rest].concat();
    let mut walked = stage.gateway.walked("/customers").await;
    rows.sort();
    walked.sort();
    assert_eq!(rows, walked);
}

#[tokio::test]
async fn where_parts_are_allowed_a_rate_limit_is_waited_for_all_the_same() {
    for target in ["/customers?partial=allow", "/customers?order=asc&partial=allow"] {
        let stage = Stage::set().await;
        after(1, stage.sandbox.tolt(), 1, too_many(30));
        let rows = stage.gateway.export_through_waits(target).await.complete();
        assert_eq!(rows, stage.gateway.walked(target).await, "{target}");
    }
}

#[tokio::test]
async fn an_outage_is_not_taken_for_a_spent_budget() {
    // A call would be tried again long before the budget has a place for it.
    let stage = Stage::configured(|config| {
        config.connections[0].rate_limit.requests = NonZeroU32::MIN;
        config.connections[0].rate_limit.per = Duration::from_mins(1);
    })
    .await;
    after(1, stage.sandbox.tolt(), 1_000, Fault::Status(500));
    let reader = Reader::open(&stage.gateway, "/customers?connection=affiliates").await;
    while stage.calls() < [2, 0] {
        stage.gateway.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let export = reader.finish().await;
    assert_eq!((export.rows.len(), &export.end()["problem"]["code"]), (100, &json!("vendor_error")));
    assert_eq!(stage.calls(), [2, 0], "a vendor that is down is not asked again and again");
}

#[tokio::test]
async fn a_vendor_that_goes_round_in_circles_ends_it() {
    let rows: Vec<_> = (0..100).map(|row| crate::support::tolt_row(&format!("row_{row}"))).collect();
    let vendor = ScriptedVendor::saying(crate::support::tolt_page(&rows, true)).await;
    let export = over(&vendor).await.export("/customers").await;
    assert_eq!(export.end()["status"], "incomplete");
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
    let gateway = over(&vendor).await;
    let mut reader = Reader::open(&gateway, "/customers").await;
    reader.read_marks(1).await;
    assert_eq!(Export::read(&reader.text).rows.len(), 40);
    held.store(false, Relaxed);
    while vendor.calls() < 3 {
        gateway.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(reader.finish().await.complete().len(), 80);
}

#[tokio::test]
async fn a_slow_beginning_is_not_a_deadline() {
    // Nothing matches: no row comes before the last page has.
    let stage = Stage::configured(|config| config.server.request_timeout = Duration::from_secs(2)).await;
    stage.sandbox.tolt().fail_next(3, Fault::Stall(Duration::from_millis(1_200)));
    let answer = stage.gateway.get_as_type("/customers?connection=affiliates&email=nobody@example.com", NDJSON).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(Export::read(&answer.text).complete().len(), 0);
}

#[tokio::test]
async fn a_long_search_says_where_it_stands() {
    let stage = Stage::set().await;
    let target = "/customers?connection=affiliates&email=nobody@example.com";
    after(2, stage.sandbox.tolt(), 1, too_many(100));
    let mut reader = Reader::open(&stage.gateway, target).await;
    let budget = || async { stage.gateway.get("/connections/affiliates").await.ok()["budget"]["blocked_for"].clone() };
    while budget().await.is_null() {}
    stage.gateway.clock.advance(Duration::from_mins(1));
    reader.read_marks(1).await;
    let so_far = Export::read(&reader.text);
    assert_eq!((&so_far.end()["status"], &so_far.end()["count"]), (&json!("continues"), &json!(0)));
    drop(reader);

    // The two pages that were searched are not searched again.
    stage.gateway.clock.advance(Duration::from_mins(1));
    stage.sandbox.tolt().reset_calls();
    let rest = stage.gateway.export(&format!("{target}&cursor={}", so_far.cursor())).await;
    assert_eq!(rest.complete().len(), 0);
    assert!(stage.calls()[0] <= 2, "{:?}", stage.sandbox.tolt().requests());
}
