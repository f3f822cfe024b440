//! Kept cursors, and steps of walks, on another replica than the one that saw them
//! (FACTS.md, cases 165 to 168).

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use super::connected;
use crate::support::{
    Gateway, Reply, SECRET, ScriptedVendor, config, corporation_page, corporation_row, ids,
    redis::{RedisServer, eventually, replicas},
};

/// Number of pages of a vendor, with one row each.
const PAGES: usize = 8;
/// Length of a short vendor cursor, and of one that does not fit into a cursor.
const SHORT: usize = 8;
const LONG: usize = 3 << 10;

const TARGET: &str = "/customers?limit=1";

/// Starts a vendor with forward cursors of this length.
async fn vendor(length: usize) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let page = target.split_once("cursor=").map_or("0", |(_, token)| token.trim_end_matches('x'));
        let page: usize = page.parse().unwrap();
        let next = (page + 1 < PAGES).then(|| format!("{}{}", page + 1, "x".repeat(length - 1)));
        Reply::json(&corporation_page(&[corporation_row(&format!("cust_{page}"))], next.as_deref()))
    })
    .await
}

/// Starts replicas that share a server, and waits for their connections.
async fn sharing<const N: usize>(server: &RedisServer, vendor: &ScriptedVendor) -> [Gateway; N] {
    let gateways = replicas::<N>(|| {
        let mut config = config(vec![vendor.connection("corporation")]);
        config.shared = Some(server.settings());
        config
    });
    let gateways = gateways.await;
    for gateway in &gateways {
        connected(gateway).await;
    }
    gateways
}

/// Returns the number of values by outcome.
async fn outcomes(gateway: &Gateway) -> BTreeMap<String, u32> {
    let metrics = gateway.get("/metrics").await.text;
    let values = metrics.lines().filter_map(|line| line.strip_prefix("gateway_shared_values_total{outcome=\""));
    let values = values.map(|rest| rest.split_once("\"} ").unwrap());
    values.map(|(outcome, count)| (outcome.to_owned(), count.parse().unwrap())).collect()
}

/// Returns the keys of a kind of value.
async fn keys(server: &RedisServer, kind: &str) -> Vec<String> {
    server.run("KEYS", &[format!("test:v1:*:{kind}")]).await
}

fn cursor(page: &Value, name: &str) -> String {
    page["page"][name].as_str().unwrap().to_owned()
}

async fn page_at(gateway: &Gateway, cursor: &str) -> Value {
    gateway.get(&format!("{TARGET}&cursor={cursor}")).await.ok()
}

/// Walks forward over some pages, and waits until their steps are stored. Returns the
/// last page.
async fn walk(gateway: &Gateway, server: &RedisServer, pages: usize) -> Value {
    let mut page = gateway.get(TARGET).await.ok();
    for _ in 1..pages {
        page = page_at(gateway, &cursor(&page, "next_cursor")).await;
    }
    eventually(async || keys(server, "step").await.len() >= pages - 1).await;
    page
}

/// All rows from the page before this number to the first page.
fn rows_before(page: usize) -> Vec<String> {
    (0..page).rev().map(|page| format!("odd.cust_{page}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_cursor_works_on_another_replica() {
    let (server, vendor) = (RedisServer::start().await, vendor(LONG).await);
    let gateways = sharing::<3>(&server, &vendor).await;
    let mut page = gateways[0].get(TARGET).await.ok();
    let mut walked = ids(&page);
    for step in 1..PAGES {
        let next = cursor(&page, "next_cursor");
        assert!(next.len() < 100, "{next}");
        page = page_at(&gateways[step % gateways.len()], &next).await;
        walked.extend(ids(&page));
    }
    assert_eq!(walked, (0..PAGES).map(|page| format!("odd.cust_{page}")).collect::<Vec<_>>());
    assert_eq!(page["page"]["next_cursor"], Value::Null);
    for key in keys(&server, "cursor").await {
        let lifetime: i64 = server.run("TTL", &[key]).await;
        assert!((3_500..=3_600).contains(&lifetime), "{lifetime} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_cursor_outlives_its_process() {
    let (server, vendor) = (RedisServer::start().await, vendor(LONG).await);
    let [gateway] = sharing(&server, &vendor).await;
    let next = cursor(&gateway.get(TARGET).await.ok(), "next_cursor");
    drop(gateway);
    let [gateway] = sharing(&server, &vendor).await;
    assert_eq!(ids(&page_at(&gateway, &next).await), ["odd.cust_1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_of_a_kept_cursor_extends_its_lifetime() {
    let (server, vendor) = (RedisServer::start().await, vendor(LONG).await);
    let gateways = sharing::<2>(&server, &vendor).await;
    let next = cursor(&gateways[0].get(TARGET).await.ok(), "next_cursor");
    let key = keys(&server, "cursor").await.remove(0);
    // In the process that keeps it, and from the server.
    for gateway in &gateways {
        server.run::<()>("EXPIRE", &[key.as_str(), "60"]).await;
        page_at(gateway, &next).await;
        eventually(async || server.run::<i64>("TTL", &[&key]).await > 3_500).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_back_uses_steps_of_another_replica() {
    let (server, vendor) = (RedisServer::start().await, vendor(SHORT).await);
    let gateways = sharing::<3>(&server, &vendor).await;
    let mut page = walk(&gateways[0], &server, 6).await;
    assert_eq!(ids(&page), ["odd.cust_5"]);
    let mut walked = Vec::new();
    for step in 0..5 {
        let calls = vendor.calls();
        page = page_at(&gateways[1 + step % 2], &cursor(&page, "prev_cursor")).await;
        walked.extend(ids(&page));
        // The page of the cursor and its predecessor. A search from the first page
        // takes more.
        assert!(vendor.calls() - calls <= 2, "step {step}: {:?}", vendor.targets());
    }
    assert_eq!(walked, rows_before(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_unreadable_on_the_server() {
    let server = RedisServer::start().await;
    let vendors = [vendor(SHORT).await, vendor(LONG).await];
    for vendor in &vendors {
        let [gateway] = sharing(&server, vendor).await;
        walk(&gateway, &server, 4).await;
    }
    let mut names = keys(&server, "cursor").await;
    names.extend(keys(&server, "step").await);
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        let value: Vec<u8> = server.run("GET", &[&name]).await;
        let text = format!("{name} {}", String::from_utf8_lossy(&value));
        for secret in ["xxxx", "cust_", "odd", SECRET] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_values_are_missing() {
    let server = RedisServer::start().await;
    let short = vendor(SHORT).await;
    let long = vendor(LONG).await;
    let [of_short, other_of_short] = sharing(&server, &short).await;
    let [of_long, other_of_long] = sharing(&server, &long).await;
    let page = walk(&of_short, &server, 6).await;
    let next = cursor(&of_long.get(TARGET).await.ok(), "next_cursor");
    let copied: Vec<u8> = server.run("GET", &[keys(&server, "cursor").await.remove(0)]).await;
    for damage in ["empty", "foreign", "moved", "type"] {
        for kind in ["cursor", "step"] {
            for key in keys(&server, kind).await {
                match damage {
                    "empty" => server.run("SET", &[key.as_str(), ""]).await,
                    "foreign" => server.run("SET", &[key.as_str(), &"\u{1}".repeat(64)]).await,
                    "moved" if kind == "step" => server.run("SET", &[key.as_bytes(), &copied]).await,
                    "moved" => server.run::<()>("DEL", &[key.as_str()]).await,
                    _ => {
                        server.run::<()>("DEL", &[key.as_str()]).await;
                        server.run::<()>("LPUSH", &[key.as_str(), "a"]).await;
                    }
                }
            }
        }
        let expired = other_of_long.get(&format!("{TARGET}&cursor={next}")).await;
        assert_eq!(expired.code(400), "cursor_expired", "{damage}");
    }
    // The page is located from the start of its list.
    assert_eq!(ids(&page_at(&other_of_short, &cursor(&page, "prev_cursor")).await), ["odd.cust_4"]);
    assert!(outcomes(&other_of_short).await["unreadable"] > 0);
    assert!(outcomes(&other_of_long).await["unreadable"] > 0);
    // The process that keeps the cursor stores it again.
    assert_eq!(ids(&page_at(&of_long, &next).await), ["odd.cust_1"]);
    eventually(async || other_of_long.get(&format!("{TARGET}&cursor={next}")).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_server_leaves_the_values_of_a_process() {
    let (mut server, vendor) = (RedisServer::start().await, vendor(LONG).await);
    let gateways = sharing::<2>(&server, &vendor).await;
    server.kill();
    // Before and after the loss is known.
    for _ in 0..4 {
        let walked = gateways[0].walk(TARGET).await.unwrap();
        assert_eq!(walked.len(), PAGES);
    }
    let next = cursor(&gateways[0].get(TARGET).await.ok(), "next_cursor");
    let expired = gateways[1].get(&format!("{TARGET}&cursor={next}")).await;
    assert_snapshot!(expired.problem_line(), @"400 cursor_expired [cursor] the cursor refers to positions that this process does not keep; start again without `cursor`");
    assert!(outcomes(&gateways[0]).await["failed"] > 0);
    server.restart().await;
    connected(&gateways[0]).await;
    connected(&gateways[1]).await;
    page_at(&gateways[0], &next).await;
    eventually(async || gateways[1].get(&format!("{TARGET}&cursor={next}")).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_stay_local_without_the_shared_cache() {
    let (server, vendor) = (RedisServer::start().await, vendor(LONG).await);
    let gateways = replicas::<2>(|| {
        let mut config = config(vec![vendor.connection("corporation")]);
        config.shared = Some(customer_gateway::shared::Settings { cache: false, ..server.settings() });
        config
    });
    let [first, second] = gateways.await;
    connected(&first).await;
    let next = cursor(&first.get(TARGET).await.ok(), "next_cursor");
    assert_eq!(second.get(&format!("{TARGET}&cursor={next}")).await.code(400), "cursor_expired");
    assert_eq!(keys(&server, "cursor").await, [""; 0]);
}
