//! Purges on all replicas.

use std::time::Duration;

use futures_util::future::join;
use serde_json::json;
use tokio::time::sleep;

use super::cluster::{Cluster, PAGE, get_with, purge};
use crate::support::{Gateway, redis::eventually};

async fn is_cached(gateway: &Gateway, target: &str) -> bool {
    get_with(gateway, target, "only-if-cached").await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_reaches_all_replicas() {
    let cluster = Cluster::<3>::start().await;
    let [one, other, _] = &cluster.replicas;
    let customer = cluster.customer(3);
    for replica in &cluster.replicas {
        for target in [PAGE, &customer, "/customers?connection=tax"] {
            replica.get(target).await.ok();
        }
    }
    cluster.stored(3).await;
    assert_eq!(purge(one, "?connection=affiliates").await, json!({"purged": 2, "replicas": 3, "confirmed": 3}));
    for replica in &cluster.replicas {
        assert!(!is_cached(replica, PAGE).await && !is_cached(replica, &customer).await);
        assert!(is_cached(replica, "/customers?connection=tax").await);
    }
    let calls = cluster.tolt_calls();
    other.get(PAGE).await.ok();
    one.get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), calls + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_of_a_customer_reaches_all_replicas() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    let id = format!("affiliates.{}", cluster.vendors.tolt().customers().last().unwrap().id);
    let (single, oldest, absent) =
        (format!("/customers/{id}"), format!("{PAGE}&order=asc"), "/customers/affiliates.cust_none");
    for target in [&*single, PAGE, &oldest] {
        one.get(target).await.ok();
    }
    one.get(absent).await.code(404);
    cluster.stored(4).await;
    assert_eq!(purge(one, &format!("?customer={id}")).await, json!({"purged": 3, "replicas": 2, "confirmed": 2}));
    // The other replica has not read the pages before.
    for replica in [other, one] {
        assert!(!is_cached(replica, PAGE).await && !is_cached(replica, &single).await);
        assert_eq!(get_with(replica, absent, "only-if-cached").await.code(504), "not_cached");
        assert!(is_cached(replica, &oldest).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_discards_fetches_of_other_replicas() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    let customer = cluster.customer(3);
    for (query, waits) in
        [("?connection=affiliates".to_owned(), false), (format!("?customer={}", &customer[11..]), true)]
    {
        cluster.gate.close();
        let requests = cluster.gate.requests();
        let (before, after) = join(other.get(&customer), async {
            cluster.gate.wait_for_requests(requests + 1).await;
            assert_eq!(purge(one, &query).await["confirmed"], 2);
            let opening = async {
                // A purge of all pages makes the lease of the earlier fetch worthless.
                cluster.gate.wait_for_requests(requests + if waits { 1 } else { 2 }).await;
                cluster.gate.open();
            };
            join(one.get(&customer), opening).await.0
        })
        .await;
        before.ok();
        after.ok();
        // The page of the earlier fetch was not served to the later request.
        assert_eq!(cluster.gate.requests(), requests + 2, "{query}");
        for replica in [one, other] {
            eventually(async || is_cached(replica, &customer).await).await;
        }
        purge(one, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_without_announcements_is_applied() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    other.get(PAGE).await.ok();
    cluster.redis.run::<i64>("CLIENT", &["KILL", "TYPE", "pubsub"]).await;
    assert_eq!(purge(one, "").await, json!({"purged": 0, "replicas": 2, "confirmed": 2}));
    assert!(!is_cached(other, PAGE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_without_server_is_repeated() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    let customer = cluster.customer(3);
    one.get(&customer).await.ok();
    one.get(PAGE).await.ok();
    other.get(PAGE).await.ok();
    cluster.stored(2).await;
    cluster.redis.pause();
    assert_eq!(purge(one, "").await, json!({"purged": 2, "replicas": 2, "confirmed": 1}));
    assert!(!is_cached(one, PAGE).await);
    cluster.redis.resume();
    eventually(async || !is_cached(other, PAGE).await).await;
    for replica in [one, other] {
        assert!(!is_cached(replica, PAGE).await && !is_cached(replica, &customer).await);
    }
    cluster.ready().await;
    one.get(PAGE).await.ok();
    eventually(async || is_cached(other, PAGE).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_purges_count_as_purges_of_all_pages() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    for replica in [one, other] {
        replica.get(PAGE).await.ok();
    }
    cluster.stored(1).await;
    let stream = cluster.keys("v1:{purges}").await.into_iter().find(|key| key.ends_with("{purges}")).unwrap();
    cluster.redis.run::<i64>("DEL", &[stream]).await;
    for replica in [one, other] {
        eventually(async || !is_cached(replica, PAGE).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_replica_is_reported() {
    let cluster = Cluster::<2>::start().await;
    let mortal = cluster.start_mortal();
    cluster.ready_with(3).await;
    mortal.kill();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(purge(&cluster.replicas[0], "").await["replicas"], 3);
    assert_eq!(purge(&cluster.replicas[0], "").await["confirmed"], 2);
}
