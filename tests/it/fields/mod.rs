//! The fields of rows: `fields` selects them, and policies hide them from a
//! caller.

mod leaks;
mod policies;
mod selection;

use reqwest::header::ACCEPT;
use serde_json::Value;

use crate::support::{Answer, Gateway, StageBuilder, sandbox};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Returns a stage with a few rows of each vendor.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(30, 30, 30))
}

impl Gateway {
    /// Fetches a list as a media type, with a key unless it is empty.
    async fn get_accepting(&self, key: &str, target: &str, accept: &str) -> Answer {
        self.request(|client, url| {
            let request = client.get(format!("{url}{target}")).header(ACCEPT, accept);
            if key.is_empty() { request } else { request.bearer_auth(key) }
        })
        .await
    }
}

/// Returns the leaves of a row by path, with their JSON.
fn leaves(row: &Value) -> Vec<(String, Value)> {
    fn collect(value: &Value, path: &str, into: &mut Vec<(String, Value)>) {
        match value.as_object() {
            Some(members) => members.iter().for_each(|(name, member)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(member, &path, into);
            }),
            None => into.push((path.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    collect(row, "", &mut found);
    found
}

/// Returns the rows of a page, as sent.
fn rows(page: &Answer) -> Vec<Value> {
    assert_eq!(page.status, 200, "{}", page.text);
    page.json_as_sent()["data"].as_array().unwrap().clone()
}

/// Returns the rows of an NDJSON export.
fn exported(export: &Answer) -> Vec<Value> {
    assert_eq!(export.status, 200, "{}", export.text);
    let lines = export.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("export").is_none()).collect()
}
