//! Walks over lists: every row exactly once, in order, whatever the limits and
//! whatever happens to other rows meanwhile.

mod changes;
mod filters;
mod pages;
mod shifts;

use serde_json::Value;

use crate::support::{Gateway, ids};

/// No walk of a test has more pages: one that has goes round in circles.
const LONGEST: usize = 2_000;

/// Follows `next_cursor` from the beginning to the end; `question` is a path
/// and query without limit and cursor, `limit` is asked before each page.
async fn walk(gateway: &Gateway, question: &str, mut limit: impl FnMut() -> usize) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut cursor = None;
    while pages.len() < LONGEST {
        let page = page(gateway, question, limit(), cursor.as_deref()).await;
        cursor = page["page"]["next_cursor"].as_str().map(str::to_owned);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("the walk does not end");
}

/// One page of a walk.
async fn page(gateway: &Gateway, question: &str, limit: usize, cursor: Option<&str>) -> Value {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    gateway.get(&format!("{question}&limit={limit}{cursor}")).await.ok()
}

/// The ids of all rows of some pages.
fn all_ids(pages: &[Value]) -> Vec<String> {
    pages.iter().flat_map(ids).collect()
}
