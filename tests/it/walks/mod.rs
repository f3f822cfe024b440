//! Walks over lists. Every row is listed exactly once and in order, for any
//! limit and any concurrent change to other rows.

mod changes;
mod filters;
mod pages;
mod shifts;
mod updates;
mod views;

use serde_json::Value;

use crate::support::{Gateway, ids};

/// Maximum pages of a walk in these tests. A longer walk is a cycle.
const MAX_PAGES: usize = 2_000;

/// Follows `next_cursor` from the first page to the last. `question` is a path
/// and query without limit and cursor. `limit` is called for each page.
async fn walk(gateway: &Gateway, question: &str, mut limit: impl FnMut() -> usize) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut cursor = None;
    while pages.len() < MAX_PAGES {
        let page = page(gateway, question, limit(), cursor.as_deref()).await;
        cursor = page["page"]["next_cursor"].as_str().map(str::to_owned);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("the walk does not end");
}

/// Fetches one page of a walk.
async fn page(gateway: &Gateway, question: &str, limit: usize, cursor: Option<&str>) -> Value {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    gateway.get(&format!("{question}&limit={limit}{cursor}")).await.ok()
}

/// Ids of all rows of the pages.
fn all_ids(pages: &[Value]) -> Vec<String> {
    pages.iter().flat_map(ids).collect()
}
