//! Resuming an interrupted stream from its last complete checkpoint: no row is
//! lost or repeated.

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::{CSV, Export, NDJSON, Table, ids, stage};

const QUESTIONS: [&str; 4] =
    ["/customers?", "/customers?order=desc", "/transactions?order=asc", "/customers?connection=tax&search=a"];

/// Returns the rows up to the last complete checkpoint, and its cursor.
fn received_rows(received: &[u8]) -> (Vec<String>, Option<String>) {
    let whole = received.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&received[..whole]).unwrap();
    let marked: String = text
        .rfind("{\"export\":")
        .map(|at| text[..at].to_owned() + text[at..].split_inclusive('\n').next().unwrap())
        .unwrap_or_default();
    let export = Export::read(&marked);
    let cursor =
        export.checkpoints.last().map(|checkpoint| checkpoint["cursor"].as_str().unwrap_or("complete").to_owned());
    (ids(&export.rows), cursor)
}

/// Returns the CSV rows up to the last checkpoint, and its cursor.
fn received_csv_rows(received: &[u8]) -> (Vec<String>, Option<String>) {
    let whole = received.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    // A line break may be part of a value, so an incomplete record is ignored.
    let mut reader = csv::Reader::from_reader(&received[..whole]);
    let Ok(headers) = reader.headers().cloned() else { return (Vec::new(), None) };
    if headers.iter().all(|column| column != "export.cursor") {
        return (Vec::new(), None);
    }
    let records: Vec<csv::StringRecord> = reader.records().map_while(Result::ok).collect();
    let column = |name: &str| headers.iter().position(|column| column == name).unwrap();
    let (id, status, cursor) = (column("id"), column("export.status"), column("export.cursor"));
    let Some(last) = records.iter().rposition(|record| !record[status].is_empty()) else { return (Vec::new(), None) };
    let rows = records[..=last].iter().filter(|record| !record[id].is_empty()).map(|record| record[id].to_owned());
    let checkpoint = &records[last];
    let cursor = if &checkpoint[status] == "complete" { "complete" } else { &checkpoint[cursor] };
    (rows.collect(), Some(cursor.to_owned()))
}

fn resume_target(question: &str, cursor: Option<String>) -> String {
    cursor.map_or_else(|| question.to_owned(), |cursor| format!("{question}&cursor={cursor}"))
}

#[test]
fn resumed_export_completes_the_list() {
    let runtime = Runtime::new().unwrap();
    let stage = runtime.block_on(stage().start());
    let get = |target: &str, accept: &str| runtime.block_on(stage.gateway.get_as_type(target, accept)).text;
    let wholes: Vec<_> = QUESTIONS.iter().map(|question| [get(question, NDJSON), get(question, CSV)]).collect();
    let lists: Vec<_> = wholes.iter().map(|[ndjson, _]| ids(&Export::read(ndjson).complete())).collect();

    let config = ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(question in 0..QUESTIONS.len(), break_at: prop::sample::Index, again: prop::sample::Index)| {
        let [ndjson, csv] = &wholes[question];
        let received = &ndjson.as_bytes()[..break_at.index(ndjson.len() + 1)];
        let (mut rows, cursor) = received_rows(received);
        if cursor.as_deref() != Some("complete") {
            // The second attempt is interrupted, too.
            let second = get(&resume_target(QUESTIONS[question], cursor.clone()), NDJSON);
            let (more, further) = received_rows(&second.as_bytes()[..again.index(second.len() + 1)]);
            rows.extend(more);
            if further.as_deref() != Some("complete") {
                rows.extend(ids(&Export::read(&get(&resume_target(QUESTIONS[question], further.or(cursor)), NDJSON)).complete()));
            }
        }
        prop_assert_eq!(&rows, &lists[question]);

        let (mut rows, cursor) = received_csv_rows(&csv.as_bytes()[..break_at.index(csv.len() + 1)]);
        if cursor.as_deref() != Some("complete") {
            rows.extend(Table::read(&get(&resume_target(QUESTIONS[question], cursor), CSV)).ids());
        }
        prop_assert_eq!(&rows, &lists[question]);
    });
}

#[tokio::test]
async fn cursors_of_pages_and_exports_are_compatible() {
    let stage = stage().start().await;
    let all = ids(&stage.gateway.paged_walk("/customers?order=desc").await);
    let page = stage.gateway.get("/customers?order=desc&limit=30").await.ok();
    let next = page["page"]["next_cursor"].as_str().unwrap();
    let export = stage.gateway.export(&format!("/customers?order=desc&cursor={next}")).await;
    let checkpoint = export.checkpoints[1].clone();
    assert_eq!(ids(&export.complete()), all[30..]);

    let count = usize::try_from(checkpoint["count"].as_u64().unwrap()).unwrap();
    let cursor = checkpoint["cursor"].as_str().unwrap();
    let page = stage.gateway.get(&format!("/customers?order=desc&limit=100&cursor={cursor}")).await.ok();
    assert_eq!(crate::support::ids(&page), all[30 + count..][..100]);
}
