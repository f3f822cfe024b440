//! Output of an export: created, kept, replaced, or rejected.

use std::process::Command;

use super::{COMPLETE, CONTINUES, complete, export, gateway, names, requested, run, state_of, text, truncated};
use crate::support::Reply;

const HEADER: &str = "id,name,export.status,export.count,export.cursor,export.problem,export.omitted\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_export_is_bound_to_its_query() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.ndjson");
    let partial = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}");
    let server = gateway(vec![truncated(&partial), Reply::text(503, "{}"), complete(COMPLETE)]).await;
    let other = gateway(vec![complete(COMPLETE)]).await;
    let (succeeded, said) = export(&server, &file, &["/customers?status=active"]).await;
    assert!(!succeeded && said.contains("503"), "{said}");
    let kept = [&file, &state_of(&file)].map(|path| std::fs::read(path).unwrap());

    let mut told = Vec::new();
    for (gateway, more) in [
        (&server, vec!["/customers?status=canceled"]),
        (&server, vec!["/transactions"]),
        (&server, vec!["/customers?status=active", "--format", "csv"]),
        (&other, vec!["/customers?status=active"]),
    ] {
        let (succeeded, said) = export(gateway, &file, &more).await;
        assert!(!succeeded, "{said}");
        told.push(said.replace(&server.base_url, "[gateway]").replace(&other.base_url, "[other]"));
        assert_eq!([&file, &state_of(&file)].map(|path| std::fs::read(path).unwrap()), kept);
    }
    let said = told.join("").replace(file.to_str().unwrap(), "all.ndjson");
    insta::assert_snapshot!(said, @r"
    Error: all.ndjson contains an unfinished export of [gateway]/customers?status=active as NDJSON, not of [gateway]/customers?status=canceled as NDJSON; choose another file, or pass --overwrite
    Error: all.ndjson contains an unfinished export of [gateway]/customers?status=active as NDJSON, not of [gateway]/transactions as NDJSON; choose another file, or pass --overwrite
    Error: all.ndjson contains an unfinished export of [gateway]/customers?status=active as NDJSON, not of [gateway]/customers?status=active as CSV; choose another file, or pass --overwrite
    Error: all.ndjson contains an unfinished export of [gateway]/customers?status=active as NDJSON, not of [other]/customers?status=active as NDJSON; choose another file, or pass --overwrite
    ");
    assert_eq!((requested(&server).len(), requested(&other).len()), (2, 0));

    let (succeeded, said) = export(&server, &file, &["/transactions", "--overwrite"]).await;
    assert!(succeeded, "{said}");
    assert_eq!(requested(&server).last().unwrap(), "/transactions");
    assert_eq!((names(directory.path()), std::fs::read(&file).unwrap()), (vec!["all.ndjson".to_owned()], Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_file_requires_overwrite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    let refused = r#"{"code":"unauthenticated","detail":"the key is not known"}"#;
    let gateway = gateway(vec![
        Reply::text(401, refused),
        complete("<html>\n"),
        complete(&format!("{{\"id\":\"a\"}}\n{COMPLETE}")),
    ])
    .await;
    // An empty file is an export without rows.
    for content in ["", "mine\n"] {
        std::fs::write(&file, content).unwrap();
        let (succeeded, said) = export(&gateway, &file, &[]).await;
        assert!(!succeeded && said.contains("exists and is not an unfinished export"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    }
    assert_eq!(requested(&gateway).len(), 0);

    // The file is replaced when the first rows arrive.
    let (succeeded, said) = export(&gateway, &file, &["--overwrite"]).await;
    assert!(!succeeded && said.contains("401 `unauthenticated`: the key is not known"), "{said}");
    let (succeeded, said) = export(&gateway, &file, &["--overwrite"]).await;
    assert!(!succeeded && said.contains("the response is not an export"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    assert_eq!(names(directory.path()), ["notes.txt"]);

    let (succeeded, said) = export(&gateway, &file, &["--overwrite"]).await;
    assert!(succeeded, "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n");
    assert_eq!(names(directory.path()), ["notes.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_export_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let statuses = [301, 302, 400, 401, 403, 404, 422, 429, 500, 501, 502, 503];
    let gateway = gateway(statuses.map(|status| Reply::text(status, "{}")).to_vec()).await;
    for status in statuses {
        let (succeeded, said) = export(&gateway, &directory.path().join("all.csv"), &[]).await;
        assert!(!succeeded && said.contains(&status.to_string()), "{said}");
        assert_eq!(names(directory.path()), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn file_extension_selects_the_format() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(vec![Reply::text(404, "{}"); 7]).await;
    for (name, more, accept) in [
        ("a.csv", &[][..], "text/csv"),
        ("a.CSV", &[], "text/csv"),
        ("a.ndjson", &[], "application/x-ndjson"),
        ("a.jsonl", &[], "application/x-ndjson"),
        ("a.txt", &[], "application/x-ndjson"),
        ("a.csv", &["--format", "ndjson"], "application/x-ndjson"),
        ("a.ndjson", &["--format", "csv"], "text/csv"),
    ] {
        export(&gateway, &directory.path().join(name), more).await;
        let head = gateway.heads().pop().unwrap().to_lowercase();
        assert!(head.contains(&format!("\r\naccept: {accept}\r\n")), "{name} {more:?}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dash_writes_to_standard_output() {
    let table = format!("{HEADER}a,\"x,y\",continues,1,c1,,\r\nb,,,,,,\r\n,,complete,2,,,\r\n");
    let list = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}{{\"id\":\"c\"}}\n");
    let gateway = gateway(vec![complete(&table), truncated(&list), complete(&list)]).await;
    let run = async |format: &str| run(&["export", "--url", &gateway.base_url, "-o", "-", "--format", format]).await;
    let output = run("csv").await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "id,name\r\na,\"x,y\"\r\nb,\r\n");
    assert_eq!(text(&output.stderr), "exported 2 rows to standard output\n");
    // An interrupted stream is not resumed.
    for reason in ["the stream was interrupted", "without a completion record"] {
        let output = run("ndjson").await;
        assert!(!output.status.success() && text(&output.stderr).contains(reason), "{output:?}");
        assert_eq!(text(&output.stdout), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
    }
    assert_eq!(requested(&gateway), ["/customers"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_must_be_a_regular_file() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let gateway = gateway(vec![]).await;
    for path in ["/dev/full", "/dev/null", fifo.to_str().unwrap(), directory.path().to_str().unwrap()] {
        for more in [&[][..], &["--overwrite"]] {
            let (succeeded, said) = export(&gateway, path.as_ref(), more).await;
            assert!(!succeeded && said.contains("is not a regular file"), "{said}");
        }
    }
    let (succeeded, said) = export(&gateway, &directory.path().join("missing/all.csv"), &[]).await;
    assert!(!succeeded, "{said}");
    assert_eq!(names(directory.path()), ["fifo"]);
}

/// FACTS.md, case 122.
#[tokio::test(flavor = "multi_thread")]
async fn line_without_end_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned();
    let gateway = gateway(vec![Reply::Flood { head, chunk: vec![b'{'; 1 << 20], times: 1 << 10 }]).await;
    let (succeeded, said) = export(&gateway, &directory.path().join("all.ndjson"), &[]).await;
    assert!(!succeeded && said.contains("a record exceeds 64 MiB"), "{said}");
    assert!(gateway.written() < 80 << 20, "{} bytes were read", gateway.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_columns_are_not_mixed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.csv");
    let first = format!("{HEADER}a,x,continues,1,c1,,\r\n");
    let changed = HEADER.replace("id,", "id,email,") + "b,e,x,,,,,\r\n,,,complete,1,,,\r\n";
    let gateway = gateway(vec![truncated(&first), complete(&changed)]).await;
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("the columns have changed"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "id,name\r\na,x\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_state_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.ndjson");
    let first = format!("{{\"id\":\"a\"}}\n{{\"id\":\"b\"}}\n{CONTINUES}");
    let gateway = gateway(vec![truncated(&first), Reply::text(503, "{}")]).await;
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded, "{said}");
    std::fs::write(&file, "{\"id\":\"a\"}\n").unwrap();
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("is shorter than its unfinished export"), "{said}");
    let state = state_of(&file);
    std::fs::remove_file(&state).unwrap();
    assert!(Command::new("mkfifo").arg(&state).status().unwrap().success());
    let (succeeded, said) = export(&gateway, &file, &[]).await;
    assert!(!succeeded && said.contains("is not the state of an export"), "{said}");
    std::fs::remove_file(&state).unwrap();
    for damaged in ["", "{", "{\"url\":7}"] {
        std::fs::write(state_of(&file), damaged).unwrap();
        let (succeeded, said) = export(&gateway, &file, &[]).await;
        assert!(!succeeded && said.contains("is not the state of an export"), "{said}");
    }
    assert_eq!(requested(&gateway).len(), 2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"id\":\"a\"}\n");
}
