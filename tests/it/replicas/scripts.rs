//! Scripts of the shared pages, branch by branch, on a real server.

use std::time::Duration;

use redis::{Client, FromRedisValue, Script, aio::MultiplexedConnection};
use tokio::time::sleep;

use crate::support::redis::RedisServer;

/// Keys of a page: the page, the purges, the lease.
const KEYS: [&str; 3] = ["{a}:page", "{a}:purges", "{a}:lease"];
const LEASE_MILLIS: u64 = 2_000;

macro_rules! script {
    ($name:literal) => {
        Script::new(include_str!(concat!("../../../src/shared/redis/", $name, ".lua")))
    };
}

pub(super) struct Scripts {
    pub(super) server: RedisServer,
    connection: MultiplexedConnection,
}

#[derive(Debug, Clone, PartialEq)]
struct Started {
    version: u64,
    purges: u64,
    lease: String,
}

impl Scripts {
    pub(super) async fn start() -> Self {
        let server = RedisServer::start().await;
        let client = Client::open(server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        Self { server, connection }
    }

    pub(super) async fn run<T: FromRedisValue>(&self, script: Script, keys: &[&str], arguments: &[&str]) -> T {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(*key);
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        invocation.invoke_async(&mut self.connection.clone()).await.unwrap()
    }

    async fn begin(&self, newer_than: u64, class: &str, duration: u64, token: &str) -> Vec<String> {
        let (newer_than, duration) = (newer_than.to_string(), duration.to_string());
        let arguments = [&*newer_than, &duration, class, token, "500", "100000"];
        self.run(script!("begin"), &KEYS, &arguments).await
    }

    async fn started(&self, newer_than: u64, token: &str) -> Started {
        let reply = self.begin(newer_than, "c", LEASE_MILLIS, token).await;
        let [kind, version, purges, lease] = &*reply else { panic!("{reply:?}") };
        assert_eq!(kind, "started");
        Started { version: version.parse().unwrap(), purges: purges.parse().unwrap(), lease: lease.clone() }
    }

    async fn store(&self, started: &Started, value: &str, age: &str) -> u64 {
        let (version, purges) = (started.version.to_string(), started.purges.to_string());
        let arguments = [value, &version, &purges, "0", age, "60000", &started.lease, "channel", "name"];
        self.run(script!("store"), &KEYS, &arguments).await
    }

    /// Returns the lease, then the page without its version and age.
    async fn load(&self) -> (String, Vec<String>) {
        let mut reply: Vec<String> = self.run(script!("load"), &KEYS, &[]).await;
        let page = reply.split_off(1).into_iter().skip(2).collect();
        (reply.remove(0), page)
    }

    async fn age(&self) -> u64 {
        let reply: Vec<String> = self.run(script!("load"), &KEYS, &[]).await;
        reply[2].parse().unwrap()
    }

    async fn purge(&self, customer: &str, max: &str) {
        self.run::<u64>(script!("purge"), &KEYS[1..2], &[customer, max, "100000"]).await;
    }

    async fn release(&self, lease: &str, failure: &str) -> u64 {
        let arguments = [lease, failure, "500", "channel", "name"];
        self.run(script!("release"), &[KEYS[2], "{a}:failure"], &arguments).await
    }
}

fn page(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn lease_is_held_once() {
    let scripts = Scripts::start().await;
    let first = scripts.started(0, "1").await;
    assert_eq!(scripts.begin(0, "c", LEASE_MILLIS, "2").await, ["held", &*first.lease]);
    assert_eq!(scripts.load().await, (first.lease.clone(), Vec::new()));
    // A fetch without a lease does not wait.
    assert_eq!(scripts.begin(0, "c", 0, "2").await[0], "started");
    assert_eq!(scripts.release("c:1:1:f", "").await, 0);
    assert_eq!(scripts.release(&first.lease, "failure").await, 1);
    assert_eq!(scripts.server.run::<String>("GET", &["{a}:failure"]).await, "failure");
    let second = scripts.started(0, "2").await;
    assert!(second.version > first.version);
    assert_ne!(second.lease, first.lease);
}

#[tokio::test]
async fn lease_lapses_unless_renewed() {
    let scripts = Scripts::start().await;
    let renew = async |lease: &str| scripts.run::<u64>(script!("renew"), &KEYS[2..], &[lease, "2000"]).await;
    let first = scripts.started(0, "1").await;
    scripts.server.run::<u64>("PEXPIRE", &[KEYS[2], "100"]).await;
    assert_eq!(renew(&first.lease).await, 1);
    assert!(scripts.server.run::<u64>("PTTL", &[KEYS[2]]).await > 100);
    scripts.server.run::<u64>("PEXPIRE", &[KEYS[2], "1"]).await;
    sleep(Duration::from_millis(5)).await;
    assert_eq!(renew(&first.lease).await, 0);
    scripts.started(0, "2").await;
    assert_eq!(renew(&first.lease).await, 0);
}

#[tokio::test]
async fn foreign_lease_is_replaced() {
    let scripts = Scripts::start().await;
    for lease in ["foreign", "c:1:1:f", "c:x:1:f", "c:99999999999999999999:1"] {
        // A lease without an expiry belongs to no replica.
        scripts.server.run::<()>("SET", &[KEYS[2], lease]).await;
        scripts.started(0, "1").await;
        scripts.server.run::<()>("SET", &[KEYS[2], lease, "PX", "1000"]).await;
        scripts.started(0, "1").await;
    }
    scripts.server.run::<()>("DEL", &[KEYS[2]]).await;
    scripts.server.run::<u64>("LPUSH", &[KEYS[2], "x"]).await;
    assert_eq!(scripts.release("x", "").await, 0);
    scripts.started(0, "1").await;
}

#[tokio::test]
async fn caller_takes_the_lease_of_a_slow_refresh() {
    let scripts = Scripts::start().await;
    let refresh = scripts.begin(0, "r", LEASE_MILLIS, "1").await;
    assert_eq!(scripts.begin(0, "c", LEASE_MILLIS, "2").await[0], "held");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(scripts.begin(0, "r", LEASE_MILLIS, "2").await, ["held", &*refresh[3]]);
    let caller = scripts.started(0, "2").await;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(scripts.begin(0, "c", LEASE_MILLIS, "3").await, ["held", &*caller.lease]);
}

#[tokio::test]
async fn page_of_an_older_fetch_is_not_stored() {
    let scripts = Scripts::start().await;
    let older = scripts.started(0, "1").await;
    scripts.release(&older.lease, "").await;
    let newer = scripts.started(0, "2").await;
    assert_eq!(scripts.store(&newer, "newer", "0").await, 1);
    assert_eq!(scripts.store(&older, "older", "0").await, 0);
    assert_eq!(scripts.load().await, (String::new(), page(&["newer"])));
    assert_eq!(scripts.begin(older.version, "c", LEASE_MILLIS, "3").await, ["stored"]);
    assert_eq!(scripts.begin(newer.version, "c", LEASE_MILLIS, "3").await[0], "started");
}

#[tokio::test]
async fn age_counts_from_the_begin_at_least() {
    let scripts = Scripts::start().await;
    let started = scripts.started(0, "1").await;
    sleep(Duration::from_millis(120)).await;
    // The server has received the page late.
    assert_eq!(scripts.store(&started, "page", "0").await, 1);
    assert!(scripts.age().await >= 120);
    let started = scripts.started(started.version, "1").await;
    assert_eq!(scripts.store(&started, "page", "5000").await, 1);
    assert!(scripts.age().await >= 5_000);
    let started = scripts.started(started.version, "1").await;
    assert_eq!(scripts.store(&started, "page", "60000").await, 0);
}

#[tokio::test]
async fn clock_set_back_keeps_order_and_age() {
    let scripts = Scripts::start().await;
    let mut ahead = scripts.started(0, "1").await;
    ahead.version += 3_600_000_000;
    assert_eq!(scripts.store(&ahead, "page", "7").await, 1);
    assert!(scripts.age().await >= 7);
    let next = scripts.started(ahead.version, "2").await;
    assert_eq!(next.version, ahead.version + 1);
    assert_eq!(scripts.store(&next, "next", "0").await, 1);
    assert_eq!(scripts.load().await.1, page(&["next"]));
}

#[tokio::test]
async fn purge_of_all_pages_covers_pages_and_fetches() {
    let scripts = Scripts::start().await;
    let stored = scripts.started(0, "1").await;
    scripts.store(&stored, "page", "0").await;
    let running = scripts.started(stored.version, "1").await;
    scripts.purge("", "1000").await;
    // Neither the page nor the lease counts any more.
    assert_eq!(scripts.load().await, (String::new(), Vec::new()));
    let next = scripts.started(0, "2").await;
    assert_eq!(scripts.store(&running, "old", "0").await, 0);
    assert_eq!(scripts.load().await, (next.lease.clone(), Vec::new()));
    assert_eq!(scripts.store(&next, "new", "0").await, 1);
    assert_eq!(scripts.load().await, (String::new(), page(&["new"])));
}

#[tokio::test]
async fn purge_of_a_customer_is_reported_with_the_page() {
    let scripts = Scripts::start().await;
    let running = scripts.started(0, "1").await;
    scripts.purge("a", "1000").await;
    scripts.purge("b", "1000").await;
    assert_eq!(scripts.store(&running, "page", "0").await, 1);
    assert_eq!(scripts.load().await.1, page(&["page", "a", "b"]));
    let later = scripts.started(running.version, "2").await;
    scripts.purge("c", "1000").await;
    assert_eq!(scripts.store(&later, "later", "0").await, 1);
    assert_eq!(scripts.load().await.1, page(&["later", "c"]));
}

#[tokio::test]
async fn many_purged_customers_purge_all_pages() {
    let scripts = Scripts::start().await;
    let started = scripts.started(0, "1").await;
    scripts.store(&started, "page", "0").await;
    for customer in ["a", "b"] {
        scripts.purge(customer, "2").await;
    }
    assert_eq!(scripts.load().await.1, page(&["page", "a", "b"]));
    scripts.purge("c", "2").await;
    assert_eq!(scripts.load().await.1, page(&[]));
    assert_eq!(scripts.server.run::<u64>("ZCARD", &[KEYS[1]]).await, 2);
}

#[tokio::test]
async fn lost_purges_make_all_pages_misses() {
    let scripts = Scripts::start().await;
    for lost in [&["DEL"][..], &["SET", "foreign"], &["ZADD", "inf", "n", "-inf", "w"], &["ZADD", "9e99", "n"]] {
        let started = scripts.started(u64::MAX, "1").await;
        assert_eq!(scripts.store(&started, "page", "0").await, 1);
        let running = scripts.started(u64::MAX, "1").await;
        let mut command = redis::cmd(lost[0]);
        command.arg(KEYS[1]).arg(&lost[1..]);
        command.query_async::<redis::Value>(&mut scripts.connection.clone()).await.unwrap();
        let next = scripts.begin(u64::MAX, "c", 0, "2").await;
        assert_eq!(next[0], "started", "{lost:?}");
        assert_eq!(scripts.load().await.1, page(&[]), "{lost:?}");
        assert_eq!(scripts.store(&running, "old", "0").await, 0, "{lost:?}");
        scripts.purge("a", "1000").await;
        assert_eq!(scripts.load().await.1, page(&[]), "{lost:?}");
        scripts.server.flush().await;
    }
    // A purge of an unknown account counts for all its pages.
    scripts.purge("a", "1000").await;
    assert_eq!(scripts.server.run::<u64>("ZCARD", &[KEYS[1]]).await, 2);
}

#[tokio::test]
async fn foreign_page_is_a_miss() {
    let scripts = Scripts::start().await;
    scripts.server.run::<u64>("LPUSH", &[KEYS[0], "foreign"]).await;
    assert_eq!(scripts.load().await.1, page(&[]));
    for fields in [["s", "x"], ["p", "x"], ["t", "1"], ["p", "1"]] {
        let started = scripts.started(u64::MAX, "1").await;
        assert_eq!(scripts.store(&started, "page", "0").await, 1);
        scripts.server.run::<u64>("HSET", &[KEYS[0], fields[0], fields[1]]).await;
        assert_eq!(scripts.load().await.1, page(&[]), "{fields:?}");
    }
    let started = scripts.started(u64::MAX, "1").await;
    scripts.store(&started, "page", "0").await;
    // A page without an expiry has no age.
    scripts.server.run::<u64>("PERSIST", &[KEYS[0]]).await;
    assert_eq!(scripts.load().await.1, page(&[]));
    scripts.started(u64::MAX, "1").await;
}

#[tokio::test]
async fn full_server_purges_but_stores_nothing() {
    let scripts = Scripts::start().await;
    let started = scripts.started(0, "1").await;
    scripts.store(&started, "page", "0").await;
    scripts.purge("a", "1000").await;
    scripts.server.run::<()>("CONFIG", &["SET", "maxmemory", "1"]).await;
    scripts.purge("b", "1000").await;
    assert_eq!(scripts.load().await.1, page(&["page", "a", "b"]));
    scripts.purge("", "1000").await;
    assert_eq!(scripts.load().await.1, page(&[]));
    scripts.server.run::<()>("CONFIG", &["SET", "maxmemory", "0"]).await;
    assert_eq!(scripts.started(0, "1").await.purges, started.purges + 3);
}

#[tokio::test]
async fn purge_tail_creates_a_stream() {
    let scripts = Scripts::start().await;
    let tail = async || scripts.run::<String>(script!("purge_tail"), &["{purges}"], &[]).await;
    let first = tail().await;
    assert_eq!(tail().await, first);
    let added: String = scripts.server.run("XADD", &["{purges}", "*", "p", "x"]).await;
    assert_eq!(tail().await, added);
    scripts.server.run::<()>("SET", &["{purges}", "foreign"]).await;
    tail().await;
    assert_eq!(scripts.server.run::<u64>("XLEN", &["{purges}"]).await, 1);
}
