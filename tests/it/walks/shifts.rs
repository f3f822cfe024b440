//! Pages that have shifted under a walk: what it costs, and that it goes on
//! behind the last row seen.

use std::time::Duration;

use customer_gateway::sandbox::{corporation, tolt};

use super::page;
use crate::support::{Gateway, config, connections_to, ids, sandbox};

#[tokio::test]
async fn however_many_rows_came_first_the_walk_goes_on_with_two_calls() {
    let sandbox = sandbox(300, 0, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let question = "/customers?connection=affiliates&order=desc";
    let first = page(&gateway, question, 10, None).await;
    let rows: Vec<_> = sandbox.tolt().customers().iter().rev().map(|row| format!("affiliates.{}", row.id)).collect();

    for number in 0..3_000 {
        sandbox.tolt().insert(tolt::Customer::new(&format!("cust_new_{number}"), "2026-01-01T00:00:00.000Z"));
    }
    gateway.clock.advance(Duration::from_hours(1));
    sandbox.tolt().reset_calls();

    let second = page(&gateway, question, 10, first["page"]["next_cursor"].as_str()).await;
    assert_eq!(ids(&second), rows[10..20]);
    assert_eq!(sandbox.tolt().calls(), 2);
}

#[tokio::test]
async fn on_the_corporation_vendor_a_walk_goes_on_behind_the_last_row_seen() {
    let sandbox = sandbox(0, 0, 50).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let question = "/customers?connection=tax";
    let first = page(&gateway, question, 10, None).await;
    let rows: Vec<_> = sandbox.corporation().customers().iter().map(|row| format!("tax.{}", row.id)).collect();

    // The vendor's order is its own: rows are inserted until one comes early.
    let comes_early = |id: &String| {
        sandbox.corporation().insert(corporation::Customer::new(id, "Newcomer Ltd", 1_735_689_600));
        sandbox.corporation().customers().iter().take(10).any(|row| row.id == *id)
    };
    assert!((0..200).map(|number| format!("cust_new_{number}")).any(|id| comes_early(&id)));
    gateway.clock.advance(Duration::from_hours(1));

    let second = page(&gateway, question, 10, first["page"]["next_cursor"].as_str()).await;
    let known: Vec<_> = ids(&second).into_iter().filter(|id| rows.contains(id)).collect();
    assert_eq!(known, rows[10..10 + known.len()]);
}
