//! Lists over several connections: rows, order, cost, and walks while a
//! connection fails.

mod backwards;
mod budgets;
mod caching;
mod cursors;
mod failures;
mod lenient;
mod merges;
mod naming;
mod oracle;
mod prefilters;
mod properties;
mod selective;
mod sequences;
mod statuses;
mod too_expensive;
mod totals;
mod values;

use customer_gateway::sandbox::{Data, corporation, tolt};
use jiff::Timestamp;
use serde_json::Value;

use crate::support::{Answer, Gateway, Stage, StageBuilder, ids, sandbox, sandbox_with};

/// Upper bound of a test's walk, in pages. A longer walk is a cycle.
const MAX_PAGES: usize = 2_000;
const FIRST_DAY: i64 = 1_735_689_600; // 2025-01-01T00:00:00Z

/// Returns a stage with `tolt` and `corporation` generated customers.
fn stage(tolt: usize, corporation: usize) -> StageBuilder<'static> {
    StageBuilder::new(sandbox(tolt, 0, corporation))
}

/// Returns a stage with these customers.
fn stage_of(tolt: Vec<tolt::Customer>, corporation: Vec<corporation::Customer>) -> StageBuilder<'static> {
    let tolt = tolt::Data { customers: tolt, ..tolt::Data::default() };
    StageBuilder::new(sandbox_with(Data { tolt, corporation }))
}

impl Stage {
    /// Returns the ids of `affiliates`, in the order of its own list.
    fn affiliates(&self) -> Vec<String> {
        self.vendors.tolt().customers().iter().rev().map(|row| format!("affiliates.{}", row.id)).collect()
    }

    /// Returns the ids of `tax`, in the order of its own list.
    fn tax(&self) -> Vec<String> {
        self.vendors.corporation().customers().iter().map(|row| format!("tax.{}", row.id)).collect()
    }
}

/// Follows `next_cursor` from the first page to the last.
async fn walk(gateway: &Gateway, question: &str) -> Vec<Value> {
    follow(gateway, question, "next_cursor", None).await
}

/// Follows `prev_cursor` from a page: the pages before it, the nearest first.
async fn walk_back(gateway: &Gateway, question: &str, from: &Value) -> Vec<Value> {
    match cursor(from, "prev_cursor") {
        Some(cursor) => follow(gateway, question, "prev_cursor", Some(cursor)).await,
        None => Vec::new(),
    }
}

async fn follow(gateway: &Gateway, question: &str, way: &str, mut at: Option<String>) -> Vec<Value> {
    let mut pages = Vec::new();
    while pages.len() < MAX_PAGES {
        let page = page(gateway, question, at.as_deref()).await;
        at = cursor(&page, way);
        pages.push(page);
        if at.is_none() {
            return pages;
        }
    }
    panic!("the walk does not end");
}

/// Fetches a page of a list, from a cursor on.
async fn page(gateway: &Gateway, question: &str, cursor: Option<&str>) -> Value {
    gateway.get(&target(question, cursor)).await.ok()
}

fn target(question: &str, cursor: Option<&str>) -> String {
    let Some(cursor) = cursor else { return question.to_owned() };
    let separator = if question.contains('?') { '&' } else { '?' };
    format!("{question}{separator}cursor={cursor}")
}

/// Returns `next_cursor` or `prev_cursor`.
fn cursor(page: &Value, way: &str) -> Option<String> {
    page["page"][way].as_str().map(str::to_owned)
}

/// Returns the ids of all rows of these pages.
fn all_ids(pages: &[Value]) -> Vec<String> {
    pages.iter().flat_map(ids).collect()
}

/// Returns each source's outcome in a line: `affiliates ok 3, tax failed null`.
fn sources(page: &Value) -> String {
    let line = |source: &Value| {
        let [connection, status] = ["connection", "status"].map(|member| source[member].as_str().unwrap());
        let problem = source["problem"]["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{connection} {status} {}{problem}", source["total"])
    };
    page["sources"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
}

/// Sends a request with a preference.
async fn get_preferring(gateway: &Gateway, preference: &str, target: &str) -> Answer {
    gateway.request(|client, url| client.get(format!("{url}{target}")).header("prefer", preference)).await
}

/// Returns a customer of Tolt's, created `second` seconds into 2025.
fn tolt_customer(id: &str, second: i64) -> tolt::Customer {
    tolt::Customer::new(id, &Timestamp::from_second(FIRST_DAY + second).unwrap().to_string())
}

/// Returns a customer of the corporation vendor's, created `second` seconds
/// into 2025, or without a timestamp.
fn corporation_customer(id: &str, second: Option<i64>) -> corporation::Customer {
    let created_at = second.map(|second| FIRST_DAY + second).into();
    corporation::Customer { created_at, ..corporation::Customer::new(id, "Acme", 0) }
}
