//! Stored lists of several replicas. FACTS.md, cases 259 to 264.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{
    clock::SystemClock,
    config::Config,
    copies::{ListCopy, SyncSettings},
    domain::query::Resource,
};
use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, configuration, purge};
use crate::support::{
    Gateway, ids,
    redis::{RedisServer, eventually},
};

/// Maximum number of vendor calls of a walk over the customers, which have ten pages.
const WALK: u64 = 12;

/// Stores the list of the Tolt connection.
fn store(config: &mut Config) {
    config.connections[0].sync = Some(SyncSettings {
        every: Duration::from_hours(1),
        newest: None,
        budget: 1.0,
        max_age: Duration::from_hours(2),
        max_bytes: SyncSettings::DEFAULT_MAX_BYTES,
        resources: vec![Resource::Customers],
        snapshot: None,
    });
}

async fn list(gateway: &Gateway) -> Arc<ListCopy> {
    gateway.stored_lists().await.remove(0)
}

/// Waits until a replica answers from its list.
async fn stored(gateway: &Gateway) -> Arc<ListCopy> {
    let list = list(gateway).await;
    eventually(async || list.usable().is_some()).await;
    list
}

/// Starts replicas that all have the list. Returns the replica that walks, and another.
async fn replicas(cluster: &Cluster<2>) -> [&Gateway; 2] {
    let mut replicas = [&cluster.replicas[0], &cluster.replicas[1]];
    for replica in replicas {
        stored(replica).await;
    }
    if list(replicas[0]).await.status().last_walk.is_none() {
        replicas.reverse();
    }
    replicas
}

/// Returns the ids of the customers with an e-mail address, and the origin.
async fn find(gateway: &Gateway, email: &str) -> (Vec<String>, String) {
    // A repeated request is answered by the response cache.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let limit = LIMIT.fetch_add(1, Relaxed) % 100 + 1;
    let target = format!("/customers?connection=affiliates&email={}&limit={limit}", email.replace('@', "%40"));
    let page = gateway.get(&target).await.ok();
    (ids(&page), page["sources"][0]["origin"].as_str().unwrap_or_default().to_owned())
}

/// Waits until a replica finds a customer in its list.
async fn finds(gateway: &Gateway, email: &str, id: &str) {
    let expected = (vec![format!("affiliates.{id}")], "sync".to_owned());
    let list = list(gateway).await;
    eventually(async || list.usable().is_some() && find(gateway, email).await == expected).await;
}

fn change_email(cluster: &Cluster<2>, index: usize, email: &str) -> String {
    let id = cluster.vendors.tolt().customers()[index].id.clone();
    assert!(cluster.vendors.tolt().update(&id, |row| row.email = email.into()));
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_walks_for_all() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let [walker, other] = replicas(&cluster).await;
    let walk = cluster.tolt_calls();
    assert!(walk <= WALK, "{walk}");
    assert!(list(other).await.status().last_walk.is_none());
    let config = configuration(&cluster.vendors, &cluster.gate, &cluster.redis, store);
    let late = Gateway::start_on(SystemClock::shared(), config).await;
    stored(&late).await;
    let target = "/customers?connection=affiliates&order=asc&limit=20";
    let expected = walker.get(target).await.ok();
    for replica in [other, &late] {
        let page = replica.get(target).await.ok();
        assert_eq!((&page["data"], &page["sources"]), (&expected["data"], &expected["sources"]));
    }
    assert_eq!(cluster.tolt_calls(), walk);
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_walk_reaches_the_holder() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let [walker, other] = replicas(&cluster).await;
    let walk = cluster.tolt_calls();
    let id = change_email(&cluster, 500, "changed@example.com");
    assert_eq!(find(other, "changed@example.com").await, (Vec::new(), "sync".to_owned()));
    list(other).await.request_walk();
    for replica in [other, walker] {
        finds(replica, "changed@example.com", &id).await;
    }
    assert_eq!(cluster.tolt_calls(), 2 * walk);
}

#[tokio::test(flavor = "multi_thread")]
async fn update_of_the_holder_reaches_the_others() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let [walker, other] = replicas(&cluster).await;
    let walk = cluster.tolt_calls();
    let id = change_email(&cluster, 500, "changed@example.com");
    super::cluster::get_with(walker, &format!("/customers/affiliates.{id}"), "no-cache").await.ok();
    finds(other, "changed@example.com", &id).await;
    assert_eq!(cluster.tolt_calls(), walk + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_holder_is_replaced() {
    let cluster = Cluster::<1>::start().await;
    let mortal = cluster.start_mortal_with(store);
    eventually(async || !cluster.keys(":head").await.is_empty()).await;
    let calls = cluster.tolt_calls();
    let config = configuration(&cluster.vendors, &cluster.gate, &cluster.redis, store);
    let heir = Gateway::start_on(SystemClock::shared(), config).await;
    let list = stored(&heir).await;
    assert_eq!((list.stored().unwrap().list.len(), cluster.tolt_calls()), (1_000, calls));
    mortal.kill();
    let killed = Instant::now();
    list.request_walk();
    let before = list.stored().unwrap().synced;
    // The request waits on the server until another replica has the lease.
    eventually(async || {
        let stored = list.usable().expect("the list is served meanwhile");
        assert_eq!(stored.list.len(), 1_000);
        stored.synced > before
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    assert_eq!(cluster.tolt_calls(), 2 * calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_served_without_the_server() {
    let mut cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let holder = {
        let [walker, _] = replicas(&cluster).await;
        usize::from(!std::ptr::eq(walker, &raw const cluster.replicas[0]))
    };
    let walk = cluster.tolt_calls();
    cluster.redis.kill();
    let id = change_email(&cluster, 500, "changed@example.com");
    for replica in &cluster.replicas {
        let page = replica.get("/customers?connection=affiliates&order=asc").await.ok();
        assert_eq!(page["sources"][0]["origin"], "sync");
    }
    assert_eq!(cluster.tolt_calls(), walk);
    // The replica with the lease goes on.
    list(&cluster.replicas[holder]).await.request_walk();
    finds(&cluster.replicas[holder], "changed@example.com", &id).await;
    cluster.redis.restart().await;
    // The server has lost the purges, so all lists are read again.
    for replica in &cluster.replicas {
        finds(replica, "changed@example.com", &id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_of_a_customer_holds_on_all_replicas() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let [walker, other] = replicas(&cluster).await;
    for (index, (purger, email)) in [(other, "one@example.com"), (walker, "two@example.com")].into_iter().enumerate() {
        let id = change_email(&cluster, 555 + index, email);
        let answer = purge(purger, &format!("?customer=affiliates.{id}")).await;
        assert_eq!(answer["confirmed"], 2);
        for replica in [walker, other] {
            let by_id = replica.get(&format!("/customers/affiliates.{id}")).await.ok();
            assert_eq!(by_id["email"], email);
        }
        for replica in [walker, other] {
            finds(replica, email, &id).await;
        }
        let refetches = cluster.vendors.tolt().requests().iter().filter(|request| request.contains(&id)).count();
        // The replica that walks reads the row once. A request before that reads it too.
        assert!(refetches <= 2, "{refetches}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_of_a_connection_removes_the_list() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    let [walker, other] = replicas(&cluster).await;
    cluster.gate.close();
    assert_eq!(purge(other, "?connection=affiliates").await["confirmed"], 2);
    let config = configuration(&cluster.vendors, &cluster.gate, &cluster.redis, store);
    let late = Gateway::start_on(SystemClock::shared(), config).await;
    let until = Instant::now() + Duration::from_millis(2_500);
    while Instant::now() < until {
        for replica in [walker, other, &late] {
            assert!(list(replica).await.stored().is_none());
        }
        sleep(Duration::from_millis(100)).await;
    }
    cluster.gate.open();
    for replica in [walker, other, &late] {
        stored(replica).await;
    }
    // One replica has walked again, after a page that the purge has covered.
    assert!(cluster.tolt_calls() <= 2 * WALK + 1, "{}", cluster.tolt_calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_head_and_blocks_are_published_again() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    replicas(&cluster).await;
    let walk = cluster.tolt_calls();
    for part in [":head", ":block:"] {
        cluster.redis.run::<u64>("DEL", &cluster.keys(part).await).await;
        let config = configuration(&cluster.vendors, &cluster.gate, &cluster.redis, store);
        let late = Gateway::start_on(SystemClock::shared(), config).await;
        stored(&late).await;
    }
    assert_eq!(cluster.tolt_calls(), walk);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_lists_reveal_nothing() {
    let cluster = Cluster::<2>::start_with(RedisServer::start().await, store).await;
    replicas(&cluster).await;
    let row = cluster.vendors.tolt().customers()[500].clone();
    let blocks = cluster.keys(":block:").await;
    let mut bytes: Vec<u8> = cluster.redis.run("GET", &[&blocks[0]]).await;
    for key in cluster.keys("list1").await {
        assert!(!key.contains(&row.id), "{key}");
    }
    for key in cluster.keys(":head").await {
        bytes.extend(cluster.redis.run::<Vec<u8>>("HGET", &[&*key, "v"]).await);
    }
    assert!(bytes.len() > 1_000);
    for text in [&*row.id, "example.com", "affiliates"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}
