//! Several connections as one list: in which rows, in which order, at what
//! cost, and what becomes of a walk when one of them is in trouble.

mod backwards;
mod budgets;
mod caching;
mod cursors;
mod lenient;
mod merges;
mod naming;
mod oracle;
mod properties;
mod sequences;
mod statuses;
mod too_expensive;
mod totals;
mod trouble;

use customer_gateway::{
    config::Config,
    sandbox::{Data, Sandbox, corporation, tolt},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::support::{Answer, Gateway, config, connections_to, ids, sandbox, sandbox_with};

/// No walk of a test has more pages: one that has goes round in circles.
const LONGEST: usize = 2_000;
const FIRST_DAY: i64 = 1_735_689_600; // 2025-01-01T00:00:00Z

/// Both vendors, and a gateway in front of them: `affiliates`, then `tax`.
struct Stage {
    sandbox: Sandbox,
    gateway: Gateway,
}

impl Stage {
    /// Vendors that hold so many generated customers.
    async fn set(tolt: usize, corporation: usize) -> Self {
        Self::before(sandbox(tolt, 0, corporation).await, |_| {}).await
    }

    /// Vendors that hold these customers.
    async fn holding(tolt: Vec<tolt::Customer>, corporation: Vec<corporation::Customer>) -> Self {
        let tolt = tolt::Data { customers: tolt, ..tolt::Data::default() };
        Self::before(sandbox_with(Data { tolt, corporation }).await, |_| {}).await
    }

    /// A gateway before a sandbox, configured otherwise than usual.
    async fn before(sandbox: Sandbox, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(connections_to(&sandbox));
        change(&mut config);
        Self { gateway: Gateway::start(config).await, sandbox }
    }

    /// The ids of `affiliates`, in the order of its own list.
    fn affiliates(&self) -> Vec<String> {
        self.sandbox.tolt().customers().iter().rev().map(|row| format!("affiliates.{}", row.id)).collect()
    }

    /// The ids of `tax`, in the order of its own list.
    fn tax(&self) -> Vec<String> {
        self.sandbox.corporation().customers().iter().map(|row| format!("tax.{}", row.id)).collect()
    }

    /// How many calls both vendors have seen.
    fn calls(&self) -> u64 {
        self.sandbox.tolt().calls() + self.sandbox.corporation().calls()
    }
}

/// Follows `next_cursor` from the beginning to the end.
async fn walk(gateway: &Gateway, question: &str) -> Vec<Value> {
    follow(gateway, question, "next_cursor", None).await
}

/// The pages before one, by `prev_cursor`, the last first.
async fn walk_back(gateway: &Gateway, question: &str, from: &Value) -> Vec<Value> {
    match cursor(from, "prev_cursor") {
        Some(cursor) => follow(gateway, question, "prev_cursor", Some(cursor)).await,
        None => Vec::new(),
    }
}

async fn follow(gateway: &Gateway, question: &str, way: &str, mut at: Option<String>) -> Vec<Value> {
    let mut pages = Vec::new();
    while pages.len() < LONGEST {
        let page = page(gateway, question, at.as_deref()).await;
        at = cursor(&page, way);
        pages.push(page);
        if at.is_none() {
            return pages;
        }
    }
    panic!("the walk does not end");
}

/// A page of a list, from a cursor on.
async fn page(gateway: &Gateway, question: &str, cursor: Option<&str>) -> Value {
    gateway.get(&target(question, cursor)).await.ok()
}

fn target(question: &str, cursor: Option<&str>) -> String {
    let Some(cursor) = cursor else { return question.to_owned() };
    let separator = if question.contains('?') { '&' } else { '?' };
    format!("{question}{separator}cursor={cursor}")
}

/// `next_cursor` or `prev_cursor`.
fn cursor(page: &Value, way: &str) -> Option<String> {
    page["page"][way].as_str().map(str::to_owned)
}

/// The ids of all rows of some pages.
fn all_ids(pages: &[Value]) -> Vec<String> {
    pages.iter().flat_map(ids).collect()
}

/// What became of each source, in a line: `affiliates ok 3, tax failed null`.
fn sources(page: &Value) -> String {
    let line = |source: &Value| {
        let [connection, status] = ["connection", "status"].map(|member| source[member].as_str().unwrap());
        let problem = source["problem"]["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{connection} {status} {}{problem}", source["total"])
    };
    page["sources"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
}

/// Asks with a preference.
async fn preferring(gateway: &Gateway, preference: &str, target: &str) -> Answer {
    gateway.request(|client, url| client.get(format!("{url}{target}")).header("prefer", preference)).await
}

/// A customer of Tolt's, created so many seconds into 2025.
fn tolt_customer(id: &str, second: i64) -> tolt::Customer {
    tolt::Customer::new(id, &Timestamp::from_second(FIRST_DAY + second).unwrap().to_string())
}

/// A customer of the corporation vendor's, created so many seconds into 2025,
/// or nobody knows when.
fn corporation_customer(id: &str, second: Option<i64>) -> corporation::Customer {
    let created_at = second.map(|second| FIRST_DAY + second).into();
    corporation::Customer { created_at, ..corporation::Customer::new(id, "Acme", 0) }
}
