//! Scripts of the shared lists, branch by branch, on a real server.

use std::time::Duration;

use redis::Script;
use tokio::time::sleep;

use super::scripts::Scripts;

const LEASE: &str = "{a}:list:lease";
const HEAD: &str = "{a}:list:head";
const PURGES: &str = "{a}:purges";
const REQUESTS: &str = "{a}:list:requests";

macro_rules! script {
    ($name:literal) => {
        Script::new(include_str!(concat!("../../../src/shared/redis/", $name, ".lua")))
    };
}

/// Reply of `poll.lua`.
#[derive(Debug, PartialEq)]
struct Polled {
    is_holder: bool,
    purges: u64,
    version: String,
    is_valid: bool,
    requests: String,
    purged: Vec<String>,
}

impl Scripts {
    async fn poll(&self, replica: &str, basis: &str) -> Polled {
        let keys = [LEASE, HEAD, PURGES, REQUESTS];
        let mut reply: Vec<String> = self.run(script!("lists/poll"), &keys, &[replica, "2000", basis, "100000"]).await;
        let withheld = reply.split_off(5);
        let [lease, purge_count, version, validity, requests] = <[_; 5]>::try_from(reply).unwrap();
        let purges = purge_count.parse().unwrap();
        Polled { is_holder: lease == "1", purges, version, is_valid: validity == "1", requests, purged: withheld }
    }

    async fn publish(&self, replica: &str, version: &str, purges: u64, age: &str) -> u64 {
        let arguments = [replica, "bytes", version, &purges.to_string(), age, "60000"];
        self.run(script!("lists/publish"), &[LEASE, HEAD, PURGES], &arguments).await
    }

    /// Returns the reply of `load.lua` without the age, and the age.
    async fn load_head(&self) -> (Vec<String>, u64) {
        let mut reply: Vec<String> = self.run(script!("lists/load"), &[HEAD, PURGES], &[]).await;
        let age = if reply.is_empty() { 0 } else { reply.remove(1).parse().unwrap() };
        (reply, age)
    }

    async fn purge_row(&self, customer: &str) {
        self.run::<u64>(script!("purge"), &[PURGES], &[customer, "1000", "100000"]).await;
    }
}

#[tokio::test]
async fn one_replica_has_the_lease_of_walks() {
    let scripts = Scripts::start().await;
    assert!(scripts.poll("a", "").await.is_holder);
    assert!(!scripts.poll("b", "").await.is_holder);
    scripts.server.run::<u64>("PEXPIRE", &[LEASE, "100"]).await;
    assert!(scripts.poll("a", "").await.is_holder);
    assert!(scripts.server.run::<u64>("PTTL", &[LEASE]).await > 100, "a poll renews the lease");
    scripts.server.run::<u64>("PEXPIRE", &[LEASE, "1"]).await;
    sleep(Duration::from_millis(5)).await;
    assert!(scripts.poll("b", "").await.is_holder);
    assert!(!scripts.poll("a", "").await.is_holder);
    // A lease that does not expire belongs to no replica.
    scripts.server.run::<()>("SET", &[LEASE, "foreign"]).await;
    assert!(scripts.poll("a", "").await.is_holder);
    scripts.server.run::<()>("SET", &[LEASE, "foreign", "PX", "9999"]).await;
    assert!(scripts.poll("a", "").await.is_holder);
}

#[tokio::test]
async fn keys_of_other_types_are_replaced() {
    let scripts = Scripts::start().await;
    for key in [LEASE, HEAD, PURGES] {
        scripts.server.run::<u64>("LPUSH", &[key, "x"]).await;
    }
    scripts.server.run::<()>("SET", &[REQUESTS, "x"]).await;
    let polled = scripts.poll("a", "").await;
    assert_eq!((polled.is_holder, &*polled.version, &*polled.requests), (true, "", ""));
    for key in [LEASE, HEAD, PURGES] {
        scripts.server.run::<u64>("DEL", &[key]).await;
        scripts.server.run::<u64>("LPUSH", &[key, "x"]).await;
    }
    assert_eq!(scripts.publish("a", "v1", polled.purges, "0").await, 0);
    scripts.server.run::<u64>("LPUSH", &[HEAD, "x"]).await;
    assert!(scripts.load_head().await.0.is_empty());
}

#[tokio::test]
async fn requests_are_taken_by_the_holder() {
    let scripts = Scripts::start().await;
    scripts.poll("a", "").await;
    scripts.server.run::<u64>("SADD", &[REQUESTS, "walk"]).await;
    assert_eq!(scripts.poll("b", "").await.requests, "");
    assert_eq!(scripts.poll("a", "").await.requests, "walk");
    assert_eq!(scripts.poll("a", "").await.requests, "");
}

#[tokio::test]
async fn head_is_published_by_the_holder() {
    let scripts = Scripts::start().await;
    let polled = scripts.poll("a", "").await;
    assert_eq!(scripts.publish("b", "v0", polled.purges, "0").await, 0);
    assert_eq!(scripts.load_head().await.0, [""; 0]);
    assert_eq!(scripts.publish("a", "v1", polled.purges, "7000000").await, 1);
    let (head, age) = scripts.load_head().await;
    assert_eq!(head, ["v1", &polled.purges.to_string(), "bytes"]);
    assert!((7_000_000..10_000_000).contains(&age), "{age}");
    assert_eq!(scripts.poll("b", "").await.version, "v1");
    assert!(scripts.server.run::<u64>("PTTL", &[HEAD]).await <= 60_000);
    // A head from the future has no age.
    scripts.server.run::<()>("HSET", &[HEAD, "t", "9000000000000000"]).await;
    assert!(scripts.load_head().await.0.is_empty());
    for field in ["v", "s", "p", "t"] {
        scripts.publish("a", "v1", polled.purges, "0").await;
        scripts.server.run::<u64>("HDEL", &[HEAD, field]).await;
        assert!(scripts.load_head().await.0.is_empty(), "{field}");
    }
}

#[tokio::test]
async fn purge_of_all_rows_covers_a_head() {
    let scripts = Scripts::start().await;
    let before = scripts.poll("a", "").await.purges;
    assert_eq!(scripts.publish("a", "v1", before, "0").await, 1);
    scripts.purge_row("").await;
    assert!(scripts.load_head().await.0.is_empty());
    let polled = scripts.poll("a", &before.to_string()).await;
    assert_eq!((polled.purges, &*polled.version, polled.is_valid), (before + 1, "", false));
    assert_eq!(scripts.publish("a", "v2", before, "0").await, 0);
    assert_eq!(scripts.publish("a", "v2", before + 2, "0").await, 0);
    assert_eq!(scripts.publish("a", "v2", before + 1, "0").await, 1);
    // The server has lost the purges.
    scripts.server.run::<u64>("DEL", &[PURGES]).await;
    assert!(scripts.load_head().await.0.is_empty());
    assert_eq!(scripts.publish("a", "v3", before + 1, "0").await, 0);
    let polled = scripts.poll("a", &(before + 1).to_string()).await;
    assert!(polled.purges > before + 1 && !polled.is_valid);
}

#[tokio::test]
async fn purged_rows_follow_the_basis() {
    let scripts = Scripts::start().await;
    let before = scripts.poll("a", "").await.purges;
    scripts.publish("a", "v1", before, "0").await;
    scripts.purge_row("one").await;
    scripts.purge_row("two").await;
    let basis = before.to_string();
    let [one, two] = [1, 2].map(|count| (before + count).to_string());
    let polled = scripts.poll("b", &basis).await;
    assert_eq!((polled.is_valid, &*polled.version), (true, "v1"));
    assert_eq!(polled.purged, ["one", &one, "two", &two]);
    assert_eq!(scripts.poll("b", &one).await.purged, ["two", &two]);
    assert_eq!(scripts.load_head().await.0, ["v1", &basis, "bytes", "one", "two"]);
    scripts.publish("a", "v2", before + 2, "0").await;
    assert_eq!(scripts.load_head().await.0, ["v2", &two, "bytes"]);
}

#[tokio::test]
async fn lists_are_shared_without_free_memory() {
    let scripts = Scripts::start().await;
    scripts.server.run::<()>("CONFIG", &["SET", "maxmemory", "1"]).await;
    let polled = scripts.poll("a", "").await;
    assert!(polled.is_holder);
    assert!(scripts.poll("a", "").await.is_holder);
    assert_eq!(scripts.publish("a", "v1", polled.purges, "0").await, 1);
}
