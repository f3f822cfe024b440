//! Walks through a list of the gateway.

use http::{HeaderMap, HeaderValue, header::ACCEPT};
use serde_json::Value;

use crate::stage::{Answer, Stage};

/// A list that was read to its end.
#[derive(Debug, Default)]
pub struct Walk {
    /// Pages of ids, in list order.
    pub pages: Vec<Vec<String>>,
    /// Largest number of unreadable rows that one page reports.
    pub unreadable: u64,
    /// True if the list is reported as shorter than its total.
    pub is_short: bool,
    /// Cursor before the last page.
    pub prev_cursor: Option<String>,
}

/// An export that was read to its end.
#[derive(Debug)]
pub struct Export {
    pub ids: Vec<String>,
    /// The last record.
    pub end: Value,
}

impl Walk {
    /// Returns all ids.
    pub fn ids(&self) -> Vec<String> {
        self.pages.concat()
    }
}

/// Follows `next_cursor` from the first page to the last. Fails with the first
/// problem.
pub fn forward(stage: &Stage, target: &str) -> Result<Walk, Answer> {
    follow(stage, target, None, "next_cursor")
}

/// Follows `prev_cursor` to the first page. Returns the pages in list order.
pub fn backward(stage: &Stage, target: &str, cursor: &str) -> Result<Walk, Answer> {
    let mut walk = follow(stage, target, Some(cursor.to_owned()), "prev_cursor")?;
    walk.pages.reverse();
    Ok(walk)
}

fn follow(stage: &Stage, target: &str, mut cursor: Option<String>, next: &str) -> Result<Walk, Answer> {
    let separator = if target.contains('?') { '&' } else { '?' };
    let mut walk = Walk::default();
    for _ in 0..2_000 {
        let at = cursor.as_ref().map_or(String::new(), |cursor| format!("{separator}cursor={cursor}"));
        let answer = stage.get(&format!("{target}{at}"), &HeaderMap::new());
        if answer.status != 200 {
            return Err(answer);
        }
        let page = answer.json();
        let source = &page["sources"][0];
        walk.pages.push(page["data"].as_array().expect("rows").iter().map(id).collect());
        walk.unreadable = walk.unreadable.max(source["unreadable"].as_u64().expect("a number"));
        walk.is_short |= source["problem"].is_object();
        let has_more = page["page"]["next_cursor"].is_string();
        assert_eq!(page["page"]["has_more"], has_more, "{page}");
        assert!(has_more || source["status"] != "partial" || source["problem"].is_object(), "{page}");
        walk.prev_cursor = page["page"]["prev_cursor"].as_str().map(str::to_owned);
        match page["page"][next].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(walk),
        }
    }
    panic!("the walk over {target} does not end");
}

/// Reads a list as an export. Fails if there is no stream, or if the stream waits
/// for the vendor without an end.
pub fn export(stage: &Stage, target: &str) -> Result<Export, Answer> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/x-ndjson"))]);
    let answer = stage.get(target, &headers);
    if answer.status != 200 || answer.is_endless {
        return Err(answer);
    }
    assert!(!answer.is_aborted, "an NDJSON export ends with a record");
    let lines: Vec<Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let end = lines.last().expect("a final record")["export"].clone();
    let ids: Vec<_> = lines.iter().filter(|line| line.get("export").is_none()).map(id).collect();
    assert_eq!(end["count"], ids.len(), "{end}");
    let has_problem = end["problem"].is_object();
    match end["status"].as_str() {
        Some("complete") => assert!(!has_problem && end["cursor"].is_null(), "{end}"),
        Some("incomplete") => assert!(has_problem, "{end}"),
        _ => panic!("the last record is a checkpoint: {end}"),
    }
    Ok(Export { ids, end })
}

fn id(row: &Value) -> String {
    row["id"].as_str().expect("each row has an id").to_owned()
}
