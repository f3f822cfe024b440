//! `customer-gateway export`, against a scripted gateway.

use std::path::Path;

use super::{run, text};
use crate::support::{Reply, ScriptedVendor};

/// Returns a response that is cut off after `body`.
fn truncated(body: &str) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 1);
    Reply::Flood { head, chunk: body.as_bytes().to_vec(), times: 1 }
}

fn complete(body: &str) -> Reply {
    Reply::with_headers(200, "content-type: text/plain\r\n", body.as_bytes())
}

/// Starts a gateway that answers list requests in this order, and knows no
/// total.
async fn gateway(answers: Vec<Reply>) -> ScriptedVendor {
    let listed = std::sync::atomic::AtomicUsize::new(0);
    ScriptedVendor::start(move |_, target| {
        if target.contains("limit=1") {
            return Reply::text(200, "{}");
        }
        let at = listed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        answers.get(at).cloned().unwrap_or_else(|| Reply::text(500, "{}"))
    })
    .await
}

/// Runs an export. Returns its success and its output.
async fn export(gateway: &ScriptedVendor, output: &Path, more: &[&str]) -> (bool, String) {
    let mut arguments = vec!["export", "--url", &gateway.base_url, "--output", output.to_str().unwrap()];
    arguments.extend(more);
    let ended = run(&arguments).await;
    (ended.status.success(), format!("{}{}", text(&ended.stdout), text(&ended.stderr)))
}

/// Returns the requested targets, without the request for the total.
fn requested(gateway: &ScriptedVendor) -> Vec<String> {
    let heads = gateway.heads().into_iter().filter(|head| !head.contains("limit=1"));
    heads.map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
}

const CONTINUES: &str = "{\"export\":{\"status\":\"continues\",\"count\":2,\"cursor\":\"c1\"}}\n";
const COMPLETE: &str = "{\"export\":{\"status\":\"complete\",\"count\":1,\"cursor\":null}}\n";

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_stream_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.ndjson");
    let first = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}{{\"id\":\"c\"}}\n{{\"id\":\"d");
    let rest = format!("{{\"id\":\"c\"}}\n{COMPLETE}");
    let gateway = gateway(vec![truncated(&first), complete(&rest)]).await;

    let (succeeded, said) = export(&gateway, &file, &["/customers?status=active"]).await;
    assert!(succeeded, "{said}");
    assert_eq!(requested(&gateway), ["/customers?status=active", "/customers?status=active&cursor=c1"]);
    let expected = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}{{\"id\":\"c\"}}\n{COMPLETE}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);

    // A complete export is left unchanged.
    let (succeeded, said) = export(&gateway, &file, &["/customers?status=active"]).await;
    assert!(succeeded && said.contains("already complete with 3 rows"), "{said}");
    assert_eq!(requested(&gateway).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_stream_is_resumed_under_one_header() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.csv");
    let header = "id,name,export.status,export.count,export.cursor,export.problem\n";
    let first = format!("{header}a,\"x,\ny\",,,,\nb,,continues,2,c1,\nc,,,,,\nd,,contin");
    let rest = format!("{header}c,,,,,\n,,complete,1,,\n");
    let gateway = gateway(vec![truncated(&first), complete(&rest)]).await;

    let (succeeded, said) = export(&gateway, &file, &["--format", "csv"]).await;
    assert!(succeeded && said.contains("exported 3 rows to"), "{said}");
    assert_eq!(requested(&gateway), ["/customers", "/customers?cursor=c1"]);
    let expected = format!("{header}a,\"x,\ny\",,,,\nb,,continues,2,c1,\nc,,,,,\n,,complete,1,,\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_export_is_resumed_by_the_next_run() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.ndjson");
    let problem = r#"{"code":"vendor_error","detail":"the vendor failed"}"#;
    let mark =
        format!("{{\"export\":{{\"status\":\"incomplete\",\"count\":1,\"cursor\":\"c1\",\"problem\":{problem}}}}}\n");
    let first = format!("{{\"id\":\"a\"}}\n{mark}");
    let rest = format!("{{\"id\":\"b\"}}\n{COMPLETE}");
    let gateway = gateway(vec![complete(&first), complete(&rest)]).await;

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(
        !succeeded && said.contains("`vendor_error`: the vendor failed;") && said.contains("contains 1 rows"),
        "{said}"
    );
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(succeeded, "{said}");
    assert_eq!(requested(&gateway), ["/customers", "/customers?cursor=c1"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{COMPLETE}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_export_leaves_other_files_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    std::fs::write(&file, "mine\n").unwrap();
    let refused = r#"{"code":"unauthenticated","detail":"the key is unknown"}"#;
    let gateway = gateway(vec![Reply::text(401, refused), complete(COMPLETE)]).await;

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("is not a resumable export"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");

    let other = directory.path().join("all.ndjson");
    let (succeeded, said) = export(&gateway, &other, &[]).await;
    assert!(!succeeded && said.contains("401 `unauthenticated`: the key is unknown"), "{said}");

    let (succeeded, said) = export(&gateway, &file, &["--overwrite"]).await;
    assert!(succeeded, "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), COMPLETE);
}
