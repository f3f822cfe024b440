//! Exports whose process is killed.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Arc, Mutex},
};

use super::{export, names, state_of};
use crate::{
    command_line::Running,
    support::{Reply, ScriptedVendor, until},
};

const PAGES: usize = 8;
const ROWS_PER_PAGE: usize = 3;

/// A body, and the offset and cursor of each checkpoint.
struct Stream {
    body: String,
    checkpoints: Vec<(usize, String)>,
}

/// Returns a long value, so the output is written in the middle of a row.
fn name(row: usize) -> String {
    format!("{row}\"\r\n,{}", "x".repeat(1_500 + 700 * (row % 5)))
}

/// Returns the rows of a page.
fn rows(page: usize) -> impl Iterator<Item = usize> {
    page * ROWS_PER_PAGE..(page + 1) * ROWS_PER_PAGE
}

fn row(format: &str, row: usize) -> String {
    match format {
        "csv" => format!("row_{row},\"{}\"", name(row).replace('"', "\"\"")),
        _ => serde_json::json!({"id": format!("row_{row}"), "name": name(row)}).to_string() + "\n",
    }
}

/// Returns the stream from a page to the end.
fn stream(format: &str, first: usize) -> Stream {
    let mut stream = Stream { body: String::new(), checkpoints: Vec::new() };
    if format == "csv" {
        stream.body += "id,name,export.status,export.count,export.cursor,export.problem,export.omitted\r\n";
    }
    for page in first..PAGES {
        let cursor = format!("c{}", page + 1);
        for (index, at) in rows(page).enumerate() {
            stream.body += &row(format, at);
            if format == "csv" {
                if index + 1 == ROWS_PER_PAGE {
                    write!(stream.body, ",continues,1,{cursor},,\r\n").unwrap();
                } else {
                    stream.body += ",,,,,\r\n";
                }
            }
        }
        if format != "csv" {
            let checkpoint = serde_json::json!({"export": {"status": "continues", "count": 1, "cursor": cursor}});
            writeln!(stream.body, "{checkpoint}").unwrap();
        }
        stream.checkpoints.push((stream.body.len(), cursor));
    }
    stream.body += match format {
        "csv" => ",,complete,1,,,\r\n",
        _ => "{\"export\":{\"status\":\"complete\",\"count\":1,\"cursor\":null}}\n",
    };
    stream
}

/// Starts a gateway that sends this many bytes of each stream and then sends
/// nothing. Further streams are complete.
async fn gateway(format: &'static str, cuts: Arc<Mutex<VecDeque<usize>>>) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        if target.contains("limit=1") {
            return Reply::text(200, "{}");
        }
        let first = target.split_once("cursor=c").map_or(0, |(_, page)| page.parse().unwrap());
        let body = stream(format, first).body;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let sent = cuts.lock().unwrap().pop_front().map_or(&*body, |cut| &body[..cut.min(body.len() - 1)]);
        Reply::Bytes([head.as_bytes(), sent.as_bytes()].concat())
    })
    .await
}

async fn kill_and_resume(format: &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(format!("all.{format}"));
    let queue = Arc::new(Mutex::new(VecDeque::new()));
    let gateway = gateway(format, Arc::clone(&queue)).await;
    let mut first = 0;
    // Each run is cut further into its stream than the last one.
    for cut in [0, 40, 90, 1_000, 9_000, 13_000, 20_000, 27_000, 9_001] {
        let Stream { checkpoints, .. } = stream(format, first);
        queue.lock().unwrap().push_back(cut);
        let streams = gateway.calls() + 2;
        let running = Running::start(&["export", "--url", &gateway.base_url, "-o", file.to_str().unwrap()]);
        until(|| gateway.calls() == streams).await;
        if let Some((_, cursor)) = checkpoints.iter().rev().find(|(end, _)| *end <= cut) {
            let saved = format!("\"cursor\":\"{cursor}\"");
            until(|| std::fs::read_to_string(state_of(&file)).is_ok_and(|state| state.contains(&saved))).await;
            first = cursor[1..].parse().unwrap();
        }
        running.signal("KILL");
        drop(running);
    }
    // A torn write may leave any bytes after the last checkpoint.
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend_from_slice(b"\xff\"{\"id\":\"row_");
    std::fs::write(&file, torn).unwrap();

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(succeeded && said.contains(&format!("exported {} rows to", PAGES * ROWS_PER_PAGE)), "{said}");
    let mut expected = if format == "csv" { "id,name\r\n".to_owned() } else { String::new() };
    for at in 0..PAGES * ROWS_PER_PAGE {
        expected += &row(format, at);
        expected += if format == "csv" { "\r\n" } else { "" };
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(names(directory.path()), [format!("all.{format}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_ndjson_export_is_resumed() {
    kill_and_resume("ndjson").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_csv_export_is_resumed() {
    kill_and_resume("csv").await;
}
