//! Batches: `GET /customers?id=a&id=b`, with the vendor calls counted.

mod caching;
mod calls;
mod failures;
mod refusals;
mod rows;

use serde_json::Value;

use crate::support::{Answer, Gateway, Reply, ScriptedVendor, Stage, StageBuilder, sandbox, tolt_row};

/// Upper bound of a test's pages. More pages are a cycle.
const MAX_PAGES: usize = 200;

/// Returns a stage with 30 customers of each vendor.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(30, 0, 30))
}

/// Returns the ids of the first customers of `affiliates`.
fn affiliates(stage: &Stage, count: usize) -> Vec<String> {
    stage.vendors.tolt().customers().iter().take(count).map(|row| format!("affiliates.{}", row.id)).collect()
}

/// Returns the ids of the first customers of `tax`.
fn tax(stage: &Stage, count: usize) -> Vec<String> {
    stage.vendors.corporation().customers().iter().take(count).map(|row| format!("tax.{}", row.id)).collect()
}

/// Returns ids of both connections, alternating.
fn mixed(stage: &Stage, count: usize) -> Vec<String> {
    affiliates(stage, count).into_iter().zip(tax(stage, count)).flat_map(|(first, second)| [first, second]).collect()
}

/// Returns the target of a batch.
fn target<S: AsRef<str>>(ids: &[S]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(ids.iter().map(|id| ("id", id.as_ref())));
    format!("/customers?{}", query.finish())
}

/// Fetches a page of a batch, from a cursor on.
async fn page(gateway: &Gateway, target: &str, cursor: Option<&str>) -> Answer {
    match cursor {
        Some(cursor) => gateway.get(&format!("{target}&cursor={cursor}")).await,
        None => gateway.get(target).await,
    }
}

/// Follows `next_cursor` from the first page to the last.
async fn pages(gateway: &Gateway, target: &str) -> Vec<Value> {
    let mut pages: Vec<Value> = vec![page(gateway, target, None).await.ok()];
    while let Some(cursor) = pages.last().unwrap()["page"]["next_cursor"].as_str() {
        assert!(pages.len() < MAX_PAGES, "the batch {target} does not end");
        pages.push(page(gateway, target, Some(cursor)).await.ok());
    }
    pages
}

/// Returns each source's outcome in a line: `affiliates ok 3, tax partial null`.
/// Ids that the vendor does not have follow in brackets.
fn sources(page: &Value) -> String {
    let line = |source: &Value| {
        let [connection, status] = ["connection", "status"].map(|member| source[member].as_str().unwrap());
        let not_found: Vec<_> =
            source["not_found"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        let not_found = if not_found.is_empty() { String::new() } else { format!(" [{}]", not_found.join(" ")) };
        format!("{connection} {status} {}{not_found}", source["total"])
    };
    page["sources"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
}

/// Starts a vendor of Tolt's kind that has every customer. `reply` changes the
/// response for an id.
async fn vendor_with(reply: impl Fn(&str, Reply) -> Reply + Send + Sync + 'static) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let id = target.split('?').next().unwrap().rsplit('/').next().unwrap();
        reply(id, Reply::json(&serde_json::json!({"success": true, "data": tolt_row(id)})))
    })
    .await
}

/// Returns `count` ids of a scripted vendor.
fn odd(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("odd.cust_{index}")).collect()
}
