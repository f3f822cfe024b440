//! Walks over pages that shift because of inserts: the walk resumes after the
//! last row seen, at a bounded cost.

use std::time::Duration;

use customer_gateway::sandbox::{corporation, tolt};

use super::page;
use crate::support::{Gateway, config, connections_to, ids, sandbox};

#[tokio::test]
async fn tolt_walk_resumes_after_inserts_in_two_calls() {
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
async fn corporation_walk_resumes_after_last_seen_row() {
    let sandbox = sandbox(0, 0, 50).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    let question = "/customers?connection=tax";
    let first = page(&gateway, question, 10, None).await;
    let rows: Vec<_> = sandbox.corporation().customers().iter().map(|row| format!("tax.{}", row.id)).collect();

    // The vendor's order is not documented: insert rows until one is on the first
    // page.
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
