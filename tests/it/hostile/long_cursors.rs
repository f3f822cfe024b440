//! Vendor cursors that do not fit into a cursor of the gateway (FACTS.md, cases
//! 100 to 102).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Gateway, Reply, ScriptedVendor, corporation_page, corporation_row, ids};

/// Number of pages of a vendor, with one row each.
const PAGES: usize = 6;
/// Length of a vendor cursor that fits into a cursor of an export only.
const LONG: usize = 3 << 10;
/// Length of a vendor cursor that does not fit into a cursor of an export.
const VERY_LONG: usize = 32 << 10;

/// A vendor whose cursors have the same length. It rejects the credential on the
/// fourth page while it fails.
struct Vendor {
    vendor: ScriptedVendor,
    fails: Arc<AtomicBool>,
}

impl Vendor {
    async fn start(length: usize) -> Self {
        let fails = Arc::new(AtomicBool::new(false));
        let is_failing = Arc::clone(&fails);
        let vendor = ScriptedVendor::start(move |_, target| {
            let page = target.split_once("cursor=").map_or("0", |(_, token)| token.trim_end_matches('x'));
            let page: usize = page.parse().unwrap();
            if page == 3 && is_failing.load(Relaxed) {
                return Reply::text(401, "{}");
            }
            let next = (page + 1 < PAGES).then(|| format!("{}{}", page + 1, "x".repeat(length - 1)));
            Reply::json(&corporation_page(&[corporation_row(&format!("cust_{page}"))], next.as_deref()))
        })
        .await;
        Self { vendor, fails }
    }

    async fn gateway(&self) -> Gateway {
        self.vendor.gateway("corporation").await
    }
}

/// Returns the ids of all rows.
fn all_ids() -> Vec<String> {
    (0..PAGES).map(|page| format!("odd.cust_{page}")).collect()
}

fn cursor(page: &Value, name: &str) -> String {
    page["page"][name].as_str().unwrap().to_owned()
}

/// Exports the list. Returns the ids of the rows and the last checkpoint.
async fn export(gateway: &Gateway, target: &str) -> (Vec<String>, Value) {
    let answer = gateway
        .request(|client, url| client.get(format!("{url}{target}")).header("accept", "application/x-ndjson"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = lines.iter().filter_map(|line| line["id"].as_str()).map(str::to_owned).collect();
    (rows, lines.last().unwrap()["export"].clone())
}

#[tokio::test]
async fn long_vendor_cursor_serves_all_rows() {
    for length in [LONG, VERY_LONG] {
        let vendor = Vendor::start(length).await;
        let gateway = vendor.gateway().await;
        for limit in [1, 2, 100] {
            let walked = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap();
            assert_eq!(walked, all_ids(), "{length} characters, limit {limit}");
        }
    }
}

#[tokio::test]
async fn long_vendor_cursor_leads_back() {
    let vendor = Vendor::start(LONG).await;
    let gateway = vendor.gateway().await;
    let mut page = gateway.get("/customers?limit=1").await.ok();
    let mut walked = ids(&page);
    for name in ["next_cursor", "next_cursor", "next_cursor", "prev_cursor", "prev_cursor", "next_cursor"] {
        page = gateway.get(&format!("/customers?limit=1&cursor={}", cursor(&page, name))).await.ok();
        walked.extend(ids(&page));
    }
    assert_eq!(walked, [0, 1, 2, 3, 2, 1, 2].map(|row| format!("odd.cust_{row}")));
}

#[tokio::test]
async fn long_vendor_cursor_is_explained() {
    let vendor = Vendor::start(LONG).await;
    let gateway = vendor.gateway().await;
    let next = cursor(&gateway.get("/customers?limit=1").await.ok(), "next_cursor");
    let calls = vendor.vendor.calls();
    let explained = gateway.get(&format!("/explain/customers?limit=1&cursor={next}")).await.ok();
    assert!(explained.to_string().contains(&format!("cursor={:x<LONG$}", 1)), "{explained}");
    assert_eq!(vendor.vendor.calls(), calls);
}

#[tokio::test]
async fn equal_pages_have_equal_short_cursors() {
    let vendor = Vendor::start(LONG).await;
    let gateway = vendor.gateway().await;
    let target = "/customers?limit=1";
    let first = gateway.get(target).await;
    let again = gateway.request(|client, url| client.get(format!("{url}{target}")).header("cache-control", "no-cache"));
    let again = again.await;
    assert_eq!(vendor.vendor.calls(), 2);
    let next = cursor(&first.ok(), "next_cursor");
    assert!(next.len() < 100, "{next}");
    assert_eq!(cursor(&again.ok(), "next_cursor"), next);
    let other = gateway.get(&format!("/customers?limit=1&include=raw&cursor={next}")).await;
    assert_eq!(ids(&other.ok()), ["odd.cust_1"]);
    assert_eq!(gateway.get(&format!("/transactions?cursor={next}")).await.code(400), "cursor_mismatch");
}

#[tokio::test]
async fn short_cursor_expires_with_its_process() {
    let vendor = Vendor::start(LONG).await;
    let next = cursor(&vendor.gateway().await.get("/customers?limit=1").await.ok(), "next_cursor");
    let expired = vendor.gateway().await.get(&format!("/customers?limit=1&cursor={next}")).await;
    assert_snapshot!(expired.problem_line(), @"400 cursor_expired [cursor] the cursor refers to positions that this process does not keep; start again without `cursor`");
}

#[tokio::test]
async fn cursor_too_long_for_a_url_is_unreadable() {
    let vendor = Vendor::start(70 << 10).await;
    let gateway = vendor.gateway().await;
    let first = gateway.get("/customers?limit=1").await.ok();
    assert_eq!(ids(&first), ["odd.cust_0"]);
    let next = format!("/customers?limit=1&cursor={}", cursor(&first, "next_cursor"));
    for _ in 0..10 {
        assert_eq!(
            gateway.get(&next).await.problem_line(),
            "502 vendor_unreadable the vendor's response cannot be read: the cursor is too long for a URL"
        );
    }
    assert_eq!(gateway.get("/connections/odd").await.ok()["breaker"]["state"], "closed");
    assert_eq!(vendor.vendor.calls(), 1);
}

#[tokio::test]
async fn long_vendor_cursor_counts_for_the_cache() {
    let vendor = Vendor::start(VERY_LONG).await;
    let gateway = vendor.gateway().await;
    gateway.get("/customers?limit=1").await.ok();
    let metrics = gateway.get("/metrics").await.text;
    let bytes = metrics.lines().find_map(|line| line.strip_prefix("gateway_cache_bytes{connection=\"odd\"} "));
    assert!(bytes.unwrap().parse::<usize>().unwrap() > VERY_LONG, "{bytes:?}");
}

/// A page with a short cursor is not cached as a response: its cursor may expire
/// first.
#[tokio::test]
async fn evicted_short_cursor_is_replaced_on_restart() {
    let vendor = Vendor::start(50 << 10).await;
    let gateway = vendor.gateway().await;
    let target = "/customers?limit=1";
    let first = gateway.get(target).await;
    assert_eq!(first.header("cache-control"), "no-store");
    let next = format!("{target}&cursor={}", cursor(&first.ok(), "next_cursor"));
    assert_eq!(ids(&gateway.get(&next).await.ok()), ["odd.cust_1"]);
    // Each walk keeps ten cursors of 67 KiB, and 16 MiB are kept in total.
    for number in 0..40 {
        let walked = gateway.walk(&format!("/customers?limit=1&search={number}")).await.unwrap();
        assert_eq!(walked, all_ids());
    }
    assert_eq!(gateway.get(&next).await.code(400), "cursor_expired");
    gateway.get(target).await.ok();
    assert_eq!(ids(&gateway.get(&next).await.ok()), ["odd.cust_1"]);
}

#[tokio::test]
async fn export_carries_a_long_vendor_cursor() {
    let vendor = Vendor::start(LONG).await;
    vendor.fails.store(true, Relaxed);
    let (rows, checkpoint) = export(&vendor.gateway().await, "/customers").await;
    assert_eq!((rows, &checkpoint["status"]), (all_ids()[..3].to_vec(), &"incomplete".into()));

    // Another process resumes the export.
    vendor.fails.store(false, Relaxed);
    let target = format!("/customers?cursor={}", checkpoint["cursor"].as_str().unwrap());
    let (rows, checkpoint) = export(&vendor.gateway().await, &target).await;
    assert_eq!((rows, &checkpoint["status"]), (all_ids()[3..].to_vec(), &"complete".into()));
}

#[tokio::test]
async fn export_keeps_a_very_long_vendor_cursor() {
    let vendor = Vendor::start(VERY_LONG).await;
    let gateway = vendor.gateway().await;
    vendor.fails.store(true, Relaxed);
    let (rows, checkpoint) = export(&gateway, "/customers").await;
    assert_eq!((rows, &checkpoint["status"]), (all_ids()[..3].to_vec(), &"incomplete".into()));

    vendor.fails.store(false, Relaxed);
    let target = format!("/customers?cursor={}", checkpoint["cursor"].as_str().unwrap());
    let (rows, checkpoint) = export(&gateway, &target).await;
    assert_eq!((rows, &checkpoint["status"]), (all_ids()[3..].to_vec(), &"complete".into()));
}
