//! `customer-gateway export`, against a scripted gateway.

mod files;
mod killed;
mod targets;

use std::path::{Path, PathBuf};

use super::{command, run, text};
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

/// Returns the state file beside an output.
fn state_of(output: &Path) -> PathBuf {
    output.with_added_extension("export-state")
}

/// Returns the names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
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
    assert!(succeeded && said.contains("exported 3 rows to"), "{said}");
    assert_eq!(requested(&gateway), ["/customers?status=active", "/customers?status=active&cursor=c1"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
    assert_eq!(names(directory.path()), ["all.ndjson"]);

    // A complete export is left unchanged.
    let (succeeded, said) = export(&gateway, &file, &["/customers?status=active"]).await;
    assert!(!succeeded && said.contains("exists and is not an unfinished export"), "{said}");
    assert_eq!(requested(&gateway).len(), 2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_stream_is_resumed_under_one_header() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.csv");
    let header = "id,name,export.status,export.count,export.cursor,export.problem,export.omitted\r\n";
    let first = format!("{header}a,\"x,\r\ny\",,,,,\r\nb,\"a \"\"b\"\"\",continues,2,c1,,\r\nc,,,,,,\r\nd,,contin");
    let rest = format!("{header}c,,,,,,\r\n,,complete,1,,,tax;other\r\n");
    let gateway = gateway(vec![truncated(&first), complete(&rest)]).await;

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(succeeded && said.contains("exported 3 rows to"), "{said}");
    assert!(said.contains("no rows from tax, other"), "{said}");
    assert_eq!(requested(&gateway), ["/customers", "/customers?cursor=c1"]);
    let expected = "id,name\r\na,\"x,\r\ny\"\r\nb,\"a \"\"b\"\"\"\r\nc,\r\n";
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(names(directory.path()), ["all.csv"]);
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
    let refused = r#"{"code":"cursor_expired","detail":"the cursor has expired"}"#;
    let gateway = gateway(vec![complete(&first), Reply::text(400, refused), complete(&rest)]).await;

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(
        !succeeded && said.contains("`vendor_error`: the vendor failed;") && said.contains("contains 1 rows"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n");
    assert_eq!(mode(&state_of(&file)), 0o600);
    // A rejected resumption changes nothing.
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("400 `cursor_expired`"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n");

    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(succeeded && said.contains("exported 2 rows to"), "{said}");
    assert_eq!(requested(&gateway), ["/customers", "/customers?cursor=c1", "/customers?cursor=c1"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
    assert_eq!(names(directory.path()), ["all.ndjson"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_without_cursor_resumes_at_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.ndjson");
    let mark =
        "{\"export\":{\"status\":\"incomplete\",\"count\":3,\"cursor\":null,\"problem\":{\"code\":\"internal\"}}}\n";
    let first = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}{{\"id\":\"c\"}}\n{mark}");
    let gateway = gateway(vec![complete(&first), complete(&format!("{{\"id\":\"c\"}}\n{COMPLETE}"))]).await;
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("`internal`") && said.contains("contains 2 rows"), "{said}");
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(succeeded, "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn response_that_is_no_export_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let endless = Reply::Flood {
        head: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"id\":\"".to_owned(),
        chunk: vec![b'a'; 1 << 20],
        times: 80,
    };
    let gateway = gateway(vec![
        complete("<html>\n<p>Welcome\n</html>\n"),
        complete("{\"data\":[],\"page\":{}}"),
        complete("[1]\n"),
        complete("id,name\r\n"),
        complete(""),
        complete("{\"export\":{\"status\":\"paused\"}}\n"),
        endless,
    ])
    .await;
    for format in ["ndjson", "ndjson", "ndjson", "csv", "ndjson", "ndjson", "ndjson"] {
        let (succeeded, said) = export(&gateway, &directory.path().join("all"), &["--format", format]).await;
        assert!(!succeeded, "{said}");
        assert_eq!(names(directory.path()), Vec::<String>::new(), "{said}");
    }
}

/// Returns the permissions of a file.
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777
}
