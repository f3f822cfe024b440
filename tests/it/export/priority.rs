//! Priority: an export yields to callers when the budget is short.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{Reader, stage};
use crate::support::{Stage, one_call_per, until};

/// Interval between two permits.
const STEP: Duration = Duration::from_millis(250);

async fn one_call_per_step() -> Stage {
    stage()
        .configure(|config| {
            for connection in &mut config.connections {
                connection.rate_limit.windows = one_call_per(STEP);
                connection.rate_limit.max_wait = Duration::from_mins(1);
                connection.timeout = Duration::from_mins(1);
            }
        })
        .start()
        .await
}

#[tokio::test]
async fn waiting_callers_precede_an_earlier_export() {
    let stage = one_call_per_step().await;
    let tolt = stage.vendors.tolt();
    let mut reader = Reader::open(&stage.gateway, "/customers?connection=affiliates").await;
    reader.read_checkpoints(1).await;

    // The export waits for a slot, and three callers arrive later.
    let budget = || async { stage.gateway.get("/connections/affiliates").await.ok()["budget"].take() };
    let customers: Vec<_> = tolt.customers()[..3].iter().map(|row| row.id.clone()).collect();
    let mut callers = JoinSet::new();
    for (before, id) in customers.iter().enumerate() {
        callers.spawn(reqwest::get(format!("{}/customers/affiliates.{id}", stage.gateway.url)));
        while budget().await["waiting"] != before + 2 {}
    }
    for served in 1..=3 {
        stage.gateway.clock.advance(STEP);
        until(|| tolt.calls() == 1 + served).await;
        while budget().await["waiting"] != 4 - served {}
    }
    assert!(tolt.requests()[1..].iter().zip(&customers).all(|(asked, id)| asked.contains(id.as_str())));

    let mut rest = std::pin::pin!(reader.finish());
    let export = loop {
        tokio::select! {
            export = &mut rest => break export,
            () = tokio::time::sleep(Duration::from_millis(1)) => stage.gateway.clock.advance(STEP),
        }
    };
    assert_eq!(export.complete().len(), 250);
    assert_eq!(tolt.calls(), 6);
    assert!(callers.join_all().await.into_iter().all(|answer| answer.unwrap().status() == 200));
}

#[tokio::test]
async fn caller_does_not_wait_for_export_pages() {
    let stage = one_call_per_step().await;
    let mut reader = Reader::open(&stage.gateway, "/customers?connection=affiliates").await;
    reader.read_checkpoints(1).await;
    // The second page is the export's next request, too.
    let page = reqwest::get(format!("{}/customers?connection=affiliates&limit=100", stage.gateway.url));
    let page = tokio::spawn(page);
    let waiting = || async { stage.gateway.get("/connections/affiliates").await.ok()["budget"]["waiting"].take() };
    while waiting().await != 2 {}
    stage.gateway.clock.advance(STEP);
    assert_eq!(page.await.unwrap().unwrap().status(), 200);
    assert_eq!(stage.calls(), [2, 0]);
}

#[tokio::test]
async fn short_budget_keeps_export_order_and_rows() {
    for target in
        ["/customers", "/customers?order=desc", "/customers?partial=allow", "/customers?order=asc&partial=allow"]
    {
        let stage = one_call_per_step().await;
        let rows = stage.gateway.export_through_waits(target).await.complete();
        let plenty = super::stage().start().await;
        assert_eq!(rows, plenty.gateway.paged_walk(target).await, "{target}");
        assert_eq!(stage.calls(), [3, 3], "{target}");
    }
}
