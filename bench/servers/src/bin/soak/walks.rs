//! Walks through lists in both directions, compared with the vendors' rows.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bench_servers::{
    client::{Client, ids},
    vendor::id,
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    monitor::Monitor,
    stage::{FORWARD, LASTING, STATIC, Stage},
};

/// Attempts of one page.
const ATTEMPTS: u32 = 60;

/// List to walk through.
#[derive(Clone)]
pub struct List {
    pub name: &'static str,
    pub query: &'static str,
    /// Ids of the rows that are always there, in order. Empty where only the set is
    /// known.
    pub rows: Vec<String>,
    /// True if the order of `rows` is the list's order.
    is_ordered: bool,
    /// True if other rows come and go.
    pub changes: bool,
}

pub fn statics(connection: &str) -> Vec<String> {
    (0..STATIC).rev().map(|row| format!("{connection}.{}", id("static", row))).collect()
}

pub fn forwards() -> Vec<String> {
    (0..FORWARD).map(|row| format!("gamma.{}", id("forward", row))).collect()
}

fn lists() -> [(&'static str, List); 5] {
    let lasting = (0..LASTING).rev().map(|row| format!("alpha.{}", id("churn", row * 2 + 1))).collect();
    let list = |name, query, rows| List { name, query, rows, is_ordered: true, changes: false };
    let churn = List { changes: true, ..list("churn", "connection=alpha&partner_id=part_churn", lasting) };
    let both = [statics("alpha"), statics("beta")].concat();
    let merged = "connection=alpha&connection=beta&partner_id=part_static&order=desc";
    let merged = List { is_ordered: false, ..list("merged", merged, both) };
    // In the order of the configuration.
    let sequence = [forwards(), statics("delta")].concat();
    [
        ("app", list("static", "connection=alpha&partner_id=part_static", statics("alpha"))),
        ("batch", churn),
        ("app", list("forward", "connection=gamma", forwards())),
        ("app", merged),
        ("app", list("sequence", "connection=delta&connection=gamma", sequence)),
    ]
}

pub fn spawn(tasks: &mut JoinSet<()>, stage: &Stage, monitor: &Arc<Monitor>, seeds: &mut fastrand::Rng) {
    for (index, (caller, list)) in lists().into_iter().enumerate() {
        let client = stage.client(caller, index % 2 == 1);
        let monitor = Arc::clone(monitor);
        let mut random = fastrand::Rng::with_seed(seeds.u64(..));
        tasks.spawn(async move {
            while !monitor.is_stopping() {
                let limit = random.u64(10..=100);
                walk(&client, &list, limit, &monitor).await;
            }
        });
    }
}

/// Walks through the list and back, and compares the rows.
async fn walk(client: &Client, list: &List, limit: u64, monitor: &Monitor) -> Option<()> {
    let first = format!("/customers?{}&limit={limit}", list.query);
    let mut page = fetch(client, list, &first, monitor).await?;
    let mut rows = ids(&page);
    while let Some(cursor) = page["page"]["next_cursor"].as_str() {
        page = fetch(client, list, &format!("{first}&cursor={cursor}"), monitor).await?;
        rows.extend(ids(&page));
    }
    compare(list, &rows, "forward", limit, monitor);
    let mut rows = ids(&page);
    while let Some(cursor) = page["page"]["prev_cursor"].as_str() {
        page = fetch(client, list, &format!("{first}&cursor={cursor}"), monitor).await?;
        let mut before = ids(&page);
        before.append(&mut rows);
        rows = before;
    }
    compare(list, &rows, "backward", limit, monitor);
    Some(())
}

/// Returns a page, after retries of failures. Returns nothing if the walk cannot go on.
async fn fetch(client: &Client, list: &List, target: &str, monitor: &Monitor) -> Option<Value> {
    // The steps back of a vendor with forward cursors are bounded, and a row that
    // changes may be the only one of a position.
    let may_expire = list.changes || list.query.contains("gamma");
    let expected: &[&str] = if may_expire { &["cursor_expired"] } else { &[] };
    for _ in 0..ATTEMPTS {
        if monitor.is_stopping() {
            monitor.count(&format!("walk {}: unfinished at the end", list.name));
            return None;
        }
        let reply = monitor.check("walk", target, expected, client.get(target).await)?;
        match reply.status {
            200 => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Some(reply.json());
            }
            429 | 502.. => {
                let wait = reply.retry_after().unwrap_or(Duration::from_millis(500));
                tokio::time::sleep(wait.min(Duration::from_secs(5))).await;
            }
            _ => {
                monitor.count(&format!("walk {}: ended by {}", list.name, reply.code()));
                return None;
            }
        }
    }
    monitor.count(&format!("walk {}: given up", list.name));
    None
}

/// Compares rows with the rows of the list.
pub fn compare(list: &List, rows: &[String], what: &str, limit: u64, monitor: &Monitor) {
    let name = format!("{} {what}, limit {limit}", list.name);
    let mut seen = HashSet::new();
    if let Some(twice) = rows.iter().find(|row| !seen.insert(row.as_str())) {
        monitor.violation(&format!("walk {name}: row {twice} twice in {} rows", rows.len()));
    }
    let missing: Vec<_> = list.rows.iter().filter(|row| !seen.contains(row.as_str())).collect();
    if let Some(first) = missing.first() {
        monitor.violation(&format!("walk {name}: {} rows missing, first {first}", missing.len()));
    }
    if !list.changes && rows.len() != list.rows.len() {
        monitor.violation(&format!("walk {name}: {} rows, not {}", rows.len(), list.rows.len()));
    }
    let expected: HashSet<&str> = list.rows.iter().map(String::as_str).collect();
    let lasting = rows.iter().filter(|row| expected.contains(row.as_str()));
    if list.is_ordered && missing.is_empty() && !lasting.eq(&list.rows) {
        monitor.violation(&format!("walk {name}: rows out of order"));
    }
    monitor.count(&format!("complete {} {what}", list.name));
}

/// Creates a list whose rows do not change.
pub fn fixed(name: &'static str, query: &'static str, rows: Vec<String>) -> List {
    List { name, query, rows, is_ordered: true, changes: false }
}
