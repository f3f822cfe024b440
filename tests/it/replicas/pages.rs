//! Pages that one replica has fetched, read by the others.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use tokio::time::sleep;

use super::cluster::{Cluster, PAGE, get_with, times};
use crate::support::{
    ids,
    redis::{RedisServer, eventually},
};

#[tokio::test(flavor = "multi_thread")]
async fn page_is_read_by_the_other_replica() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    for target in [PAGE.to_owned(), cluster.customer(3), format!("{PAGE}&order=asc&limit=7")] {
        cluster.vendors.tolt().reset_calls();
        let first = one.get(&target).await;
        let calls = cluster.tolt_calls();
        let second = other.get(&target).await;
        assert_eq!((first.status, second.status), (200, 200), "{target}");
        assert_eq!(first.text, second.text, "{target}");
        assert_eq!(first.header("etag"), second.header("etag"), "{target}");
        assert_eq!(cluster.tolt_calls(), calls, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_read_by_the_other_replica() {
    let cluster = Cluster::<2>::start().await;
    for replica in &cluster.replicas {
        replica.get("/customers/affiliates.cust_none").await.code(404);
    }
    assert_eq!(cluster.tolt_calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_replica_responds_304() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    for target in [PAGE.to_owned(), cluster.customer(3)] {
        let first = one.get(&target).await;
        let etag = first.header("etag");
        let answer =
            other.request(|client, url| client.get(format!("{url}{target}")).header("if-none-match", etag)).await;
        assert_eq!(answer.status, 304, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_over_replicas_costs_one_call_per_page() {
    let cluster = Cluster::<3>::start().await;
    let (mut seen, mut target) = (Vec::new(), format!("{PAGE}&limit=10"));
    for request in 0_usize.. {
        let page = cluster.replicas[request % 3].get(&target).await.ok();
        seen.extend(ids(&page));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        target = format!("{PAGE}&limit=10&cursor={cursor}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 1_000);
    assert_eq!(cluster.tolt_calls(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn age_counts_from_the_response() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    one.get(PAGE).await.ok();
    cluster.stored(1).await;
    sleep(Duration::from_millis(2_100)).await;
    let answer = other.get(PAGE).await;
    let age: u64 = answer.header("age").parse().unwrap();
    assert!((2..30).contains(&age), "{age}");
    assert_eq!(answer.header("cache-status"), format!("customer-gateway; hit; ttl={}", 30 - age));
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_page_is_refreshed_once() {
    let redis = RedisServer::start().await;
    let cluster = Cluster::<3>::start_with(redis, |config| times(config, 300, 600_000)).await;
    let [one, other, third] = &cluster.replicas;
    one.get(PAGE).await.ok();
    other.get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), 1);
    sleep(Duration::from_millis(400)).await;
    cluster.gate.close();
    // One replica has no entry, and the others have a stale one.
    for replica in [third, one, other] {
        let answer = replica.get(PAGE).await;
        assert!(answer.header("cache-status").ends_with("detail=stale-while-revalidate"), "{answer:?}");
    }
    cluster.gate.wait_for_requests(2).await;
    cluster.gate.open();
    for replica in &cluster.replicas {
        eventually(async || replica.get(PAGE).await.header("cache-status").contains("; hit; ttl=")).await;
    }
    assert!(cluster.gate.requests() <= 4, "{}", cluster.gate.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_page_is_fetched() {
    let redis = RedisServer::start().await;
    let cluster = Cluster::<2>::start_with(redis, |config| times(config, 200, 0)).await;
    let [one, other] = &cluster.replicas;
    one.get(PAGE).await.ok();
    sleep(Duration::from_millis(300)).await;
    other.get(PAGE).await.ok();
    assert_eq!(cluster.tolt_calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_page_of_a_replica_replaces_a_failure() {
    let redis = RedisServer::start().await;
    let cluster = Cluster::<2>::start_with(redis, |config| {
        times(config, 200, 0);
        config.connections[0].policies.customers.stale_if_error = Duration::from_hours(1);
    })
    .await;
    let [one, other] = &cluster.replicas;
    one.get(PAGE).await.ok();
    cluster.stored(1).await;
    sleep(Duration::from_millis(300)).await;
    cluster.vendors.tolt().fail_next(9, Fault::Status(500));
    let answer = other.get(PAGE).await;
    assert!(answer.header("cache-status").ends_with("detail=stale-if-error"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn directives_apply_to_shared_pages() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    get_with(one, PAGE, "no-store").await.ok();
    assert_eq!(get_with(other, PAGE, "only-if-cached").await.code(504), "not_cached");
    one.get(PAGE).await.ok();
    cluster.stored(1).await;
    get_with(other, PAGE, "only-if-cached").await.ok();
    assert_eq!(cluster.tolt_calls(), 2);
    get_with(other, PAGE, "no-cache").await.ok();
    get_with(other, PAGE, "no-store, no-cache").await.ok();
    assert_eq!(cluster.tolt_calls(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_account_has_other_pages() {
    let redis = RedisServer::start().await;
    let cluster = Cluster::<1>::start_with(redis, |_| {}).await;
    cluster.replicas[0].get(PAGE).await.ok();
    cluster.stored(1).await;
    let other = cluster.start_mortal_with(|config| config.connections[0].name = "partners".parse().unwrap());
    let answer = reqwest::get(format!("{}/customers?connection=partners", other.url)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("\"partners."));
    assert_eq!(cluster.tolt_calls(), 2);
    other.kill();
}

/// Replaces values on the server by foreign ones.
async fn spoil(cluster: &Cluster<2>, value: &str) {
    for key in cluster.keys("test:v1:{").await {
        match value {
            "string" => cluster.redis.run::<()>("SET", &[&*key, "foreign"]).await,
            "bytes" if key.contains(":page:") => {
                cluster.redis.run::<i64>("HSET", &[&*key, "v", "foreign"]).await;
            }
            "numbers" if key.contains(":page:") => {
                cluster.redis.run::<i64>("HSET", &[&*key, "s", "x", "p", "-1", "t", "1e99"]).await;
            }
            "purges" if key.ends_with(":purges") => {
                cluster.redis.run::<i64>("ZADD", &[&*key, "inf", "n", "-inf", "w"]).await;
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_values_are_misses() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    for (index, value) in ["string", "bytes", "numbers", "purges"].into_iter().enumerate() {
        let target = cluster.customer(index);
        let body = one.get(&target).await.ok();
        cluster.stored(1).await;
        spoil(&cluster, value).await;
        cluster.vendors.tolt().reset_calls();
        assert_eq!(other.get(&target).await.ok(), body, "{value}");
        // A value that opens is the page, whatever its numbers are.
        assert!(cluster.tolt_calls() == 1 || value == "purges", "{value}");
        cluster.redis.flush().await;
        cluster.ready().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_page_is_a_miss() {
    let cluster = Cluster::<2>::start().await;
    let [one, other] = &cluster.replicas;
    let targets = [cluster.customer(1), cluster.customer(2)];
    for target in &targets {
        one.get(target).await.ok();
    }
    cluster.stored(2).await;
    let keys = cluster.keys(":page:").await;
    for (from, to) in [(0, 1), (1, 0)] {
        let value: Vec<u8> = cluster.redis.run("HGET", &[&*keys[from], "v"]).await;
        let key = [keys[to].as_bytes(), b"v", &value];
        cluster.redis.run::<i64>("HSET", &key).await;
    }
    let bodies = [one.get(&targets[0]).await.ok(), one.get(&targets[1]).await.ok()];
    assert_eq!([other.get(&targets[0]).await.ok(), other.get(&targets[1]).await.ok()], bodies);
    assert!(cluster.tolt_calls() >= 3);
}
