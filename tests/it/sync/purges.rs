//! Purges: rows that were read before are not served after.

use super::*;
use crate::support::ids;

impl Stage {
    async fn purge(&self, query: &str) -> Value {
        self.gateway.request(|client, url| client.delete(format!("{url}/cache?{query}"))).await.ok()
    }
}

#[tokio::test]
async fn purged_customer_is_fetched_again() {
    let stage = synchronized(90, 90).await;
    let row = stage.vendors.corporation().customers()[11].clone();
    stage.vendors.corporation().update(&row.id, |row| row.email = "purged@example.com".into());
    stage.purge(&format!("customer=tax.{}", row.id)).await;
    // Before the list has the new row, the vendor answers.
    let page = stage.get("/customers?email=purged%40example.com").await.ok();
    assert_eq!(ids(&page), [format!("tax.{}", row.id)]);
    let [_, tax] = stage.lists().await;
    until(|| tax.usable().is_some()).await;
    stage.reset_calls();
    assert_eq!(
        ids(&stage.get("/customers?email=purged%40example.com&limit=5").await.ok()),
        [format!("tax.{}", row.id)]
    );
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn purged_and_deleted_customer_is_gone() {
    let stage = synchronized(0, 90).await;
    let row = stage.vendors.corporation().customers()[11].clone();
    stage.vendors.corporation().delete(&row.id);
    stage.purge(&format!("customer=tax.{}", row.id)).await;
    let [_, tax] = stage.lists().await;
    until(|| tax.status().rows == 89 && tax.usable().is_some()).await;
    let walked = stage.gateway.walk("/customers?connection=tax&limit=100").await.unwrap();
    assert!(!walked.contains(&format!("tax.{}", row.id)));
}

#[tokio::test]
async fn purge_of_an_unknown_customer_changes_nothing() {
    let stage = synchronized(0, 90).await;
    stage.purge("customer=tax.cust_unknown").await;
    assert!(stage.lists().await[1].usable().is_some());
    stage.get("/customers?connection=tax").await.ok();
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn purged_connection_is_walked_again() {
    let stage = synchronized(90, 90).await;
    let [affiliates, tax] = stage.lists().await;
    let (other, old) = (affiliates.stored().unwrap(), tax.stored().unwrap());
    stage.gateway.clock.advance(Duration::from_secs(1));
    stage.purge("connection=tax").await;
    until(|| tax.stored().is_some_and(|stored| stored.synced > old.synced)).await;
    assert!(Arc::ptr_eq(&other, &affiliates.stored().unwrap()), "another connection keeps its list");
}

#[tokio::test]
async fn purged_row_waits_for_a_vendor_that_is_down() {
    use customer_gateway::sandbox::Fault;
    let stage = synchronized(0, 90).await;
    let row = stage.vendors.corporation().customers()[0].clone();
    stage.vendors.corporation().fail_next(3, Fault::Html);
    stage.purge(&format!("customer=tax.{}", row.id)).await;
    let [_, tax] = stage.lists().await;
    assert!(tax.usable().is_none());
    for _ in 0..100 {
        stage.gateway.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
        if tax.usable().is_some() {
            return;
        }
    }
    panic!("the row is not read again");
}
