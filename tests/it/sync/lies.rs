//! Vendors whose pages contradict each other: no list is stored.

use customer_gateway::sandbox::{Direction, Lie};

use super::*;
use crate::support::ids;

async fn check(lie: Lie, corporation_fails: bool, reason: &str) {
    let stage = StageBuilder::new(async {
        let sandbox = sandbox(350, 0, 350).await;
        sandbox.corporation().set_lies(&[lie]);
        if !corporation_fails {
            sandbox.tolt().set_lies(&[lie]);
        }
        sandbox
    });
    let stage = stage.configure(sync_all(settings())).start().await;
    let [tolt, corporation] = stage.lists().await;
    let list = if corporation_fails { &corporation } else { &tolt };
    assert_eq!(failed(list).await, SyncState::Incomplete, "{lie:?}");
    let failure = list.status().failure.unwrap();
    assert!(failure.contains(reason), "{lie:?}: {failure}");
    assert!(list.stored().is_none());
    // The true vendor is listed again later.
    stage.vendors.corporation().set_lies(&[]);
    stage.vendors.tolt().set_lies(&[]);
    let page = stage.get("/customers?limit=1").await.ok();
    assert_eq!(ids(&page).len(), 1);
    stage.gateway.clock.advance(Duration::from_secs(6));
    until(|| list.stored().is_some()).await;
    assert_eq!(list.status().failure, None);
}

#[tokio::test]
async fn total_too_high_is_no_proof() {
    check(Lie::Total(3), true, "counts").await;
}

#[tokio::test]
async fn total_too_low_is_no_proof() {
    check(Lie::Total(-3), true, "").await;
}

#[tokio::test]
async fn total_that_changes_is_no_proof() {
    check(Lie::DriftingTotal(1), true, "changed").await;
}

#[tokio::test]
async fn repeated_cursor_ends_the_walk() {
    check(Lie::RepeatedCursor, true, "").await;
}

#[tokio::test]
async fn shrinking_list_is_no_proof() {
    check(Lie::ShrinkingList, true, "").await;
}

#[tokio::test]
async fn row_that_moves_down_is_no_proof() {
    check(Lie::MovingRow(Direction::Down), true, "").await;
}

#[tokio::test]
async fn row_that_moves_up_is_no_proof() {
    check(Lie::MovingRow(Direction::Up), true, "").await;
}

#[tokio::test]
async fn wrong_total_of_an_ordered_vendor_is_no_proof() {
    check(Lie::Total(2), false, "counts").await;
}

#[tokio::test]
async fn repeated_page_of_ordered_vendor_is_no_proof() {
    check(Lie::RepeatedCursor, false, "").await;
}
