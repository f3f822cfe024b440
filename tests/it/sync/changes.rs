//! Changes at the vendor: the newest rows, fetched rows, and the next walk.

use customer_gateway::{
    copies::Changes,
    sandbox::{Fault, corporation, tolt},
};

use super::*;
use crate::support::ids;

#[tokio::test]
async fn walk_counts_the_changes_since_the_walk_before() {
    let stage = synchronized(150, 150).await;
    let rows = stage.vendors.corporation().customers();
    stage.vendors.corporation().delete(&rows[3].id);
    stage.vendors.corporation().update(&rows[4].id, |row| row.email = "changed@example.com".into());
    stage.vendors.corporation().insert(corporation::Customer::new("cust_new", "New", 1_700_000_000));
    stage.walk_again().await;
    let [_, tax] = stage.lists().await;
    let walk = tax.status().last_walk.unwrap();
    assert_eq!(walk.changes, Changes { created: 1, updated: 1, deleted: 1 });
    assert_eq!(ids(&stage.get("/customers?email=changed%40example.com").await.ok()).len(), 1);
    assert_eq!(tax.status().rows, 150);
}

#[tokio::test]
async fn newest_rows_are_added_between_walks() {
    let settings = SyncSettings { newest: Some(Duration::from_secs(30)), ..settings() };
    let stage = stage(250, 0, settings).start().await;
    stage.gateway.synchronized().await;
    stage.reset_calls();
    let new = |number: usize| {
        tolt::Customer::new(&format!("cust_new_{number:03}"), &format!("2025-10-31T00:00:{number:02}Z"))
    };
    (0..3).for_each(|number| stage.vendors.tolt().insert(new(number)));
    stage.gateway.clock.advance(Duration::from_secs(31));
    let [affiliates, _] = stage.lists().await;
    until(|| affiliates.status().rows == 253).await;
    assert_eq!(stage.tolt_calls(), 1);
    let page = stage.get("/customers?connection=affiliates&limit=4").await;
    assert_eq!(ids(&page.ok())[..3], ["affiliates.cust_new_002", "affiliates.cust_new_001", "affiliates.cust_new_000"]);
    assert_eq!(page.header("age"), "31", "the answer rests on the walk");
    assert_eq!(stage.gateway.walk("/customers?connection=affiliates&limit=100").await.unwrap().len(), 253);
}

#[tokio::test]
async fn many_new_rows_are_read_page_by_page() {
    let settings = SyncSettings { newest: Some(Duration::from_secs(30)), ..settings() };
    let stage = stage(50, 0, settings).start().await;
    stage.gateway.synchronized().await;
    let new = |number: usize| {
        tolt::Customer::new(
            &format!("cust_new_{number:03}"),
            &format!("2025-10-31T00:{:02}:{:02}Z", number / 60, number % 60),
        )
    };
    (0..230).for_each(|number| stage.vendors.tolt().insert(new(number)));
    stage.gateway.clock.advance(Duration::from_secs(31));
    let [affiliates, _] = stage.lists().await;
    until(|| affiliates.status().rows == 280).await;
    let walked = stage.gateway.walk("/customers?connection=affiliates&limit=100").await.unwrap();
    let mut expected: Vec<_> =
        stage.vendors.tolt().customers().iter().map(|row| format!("affiliates.{}", row.id)).collect();
    expected.reverse();
    assert_eq!(walked, expected);
}

#[tokio::test]
async fn fetched_customer_updates_its_row() {
    let stage = synchronized(80, 80).await;
    let row = stage.vendors.corporation().customers()[5].clone();
    stage.vendors.corporation().update(&row.id, |row| row.name = "Renamed Incorporated".into());
    stage.gateway.clock.advance(Duration::from_secs(1));
    let [_, tax] = stage.lists().await;
    let stored = tax.stored().unwrap();
    let fresh = stage.gateway.request(|client, url| {
        client.get(format!("{url}/customers/tax.{}", row.id)).header("cache-control", "no-cache")
    });
    assert_eq!(fresh.await.ok()["name"], "Renamed Incorporated");
    until(|| !Arc::ptr_eq(&stored, &tax.stored().unwrap())).await;
    stage.reset_calls();
    assert_eq!(
        ids(&stage.get("/customers?name=Renamed%20Incorporated&connection=tax").await.ok()),
        [format!("tax.{}", row.id)]
    );
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn rows_created_during_a_walk_are_in_the_list() {
    let slow = async {
        let sandbox = sandbox(330, 0, 0).await;
        sandbox.tolt().fail_next(4, Fault::Stall(Duration::from_millis(200)));
        sandbox
    };
    let stage = StageBuilder::new(slow).configure(sync_all(settings())).start().await;
    until(|| stage.tolt_calls() == 2).await;
    stage.vendors.tolt().insert(tolt::Customer::new("cust_between", "2025-12-01T00:00:00Z"));
    stage.gateway.synchronized().await;
    let walked = stage.gateway.walk("/customers?connection=affiliates&limit=100").await.unwrap();
    assert_eq!(walked[0], "affiliates.cust_between");
    assert_eq!(walked.len(), 331);
}
