//! Complete exports: every row once, in the order of a paged walk, and a final
//! checkpoint.

use serde_json::json;

use super::{Export, NDJSON, ids, stage};
use crate::support::{Gateway, config, connections_to, sandbox};

/// Lists of both vendors, sequential and merged, with filters of the vendor and
/// of the gateway.
const QUESTIONS: &[&str] = &[
    "/customers",
    "/customers?connection=affiliates",
    "/customers?connection=tax",
    "/customers?order=desc",
    "/customers?order=asc",
    "/customers?connection=tax&order=asc",
    "/customers?connection=affiliates&status=active",
    "/customers?search=a&created_gte=2024-06-01",
    "/customers?connection=affiliates&expand=partner,program",
    "/customers?connection=tax&expand=shipping_address&include=raw",
    "/transactions",
    "/transactions?connection=affiliates&order=asc&expand=customer",
];

#[tokio::test]
async fn export_equals_the_paged_walk_byte_for_byte() {
    let stage = stage().start().await;
    for question in QUESTIONS {
        let rows = stage.gateway.export(question).await.complete();
        assert!(!rows.is_empty(), "{question}");
        assert_eq!(rows, stage.gateway.paged_walk(question).await, "{question}");
    }
}

#[tokio::test]
async fn transactions_of_a_customer_are_exported() {
    let stage = stage().start().await;
    let customer = stage.vendors.tolt().transactions()[0].customer_id.clone();
    let question = format!("/customers/affiliates.{customer}/transactions");
    let rows = stage.gateway.export(&question).await.complete();
    assert!(!rows.is_empty());
    assert_eq!(rows, stage.gateway.paged_walk(&question).await);
}

#[tokio::test]
async fn csv_export_has_the_same_rows() {
    let stage = stage().start().await;
    for question in QUESTIONS.iter().filter(|question| !question.contains("raw")) {
        let table = stage.gateway.export_csv(question).await;
        let walked = stage.gateway.paged_walk(question).await;
        assert_eq!(table.ids(), ids(&walked), "{question}");
        let end = table.rows.last().unwrap();
        assert_eq!(end["export.status"], "complete");
        assert_eq!(end["export.count"], walked.len().to_string());
        assert_eq!((&*end["export.cursor"], &*end["export.problem"]), ("", ""));
    }
}

#[tokio::test]
async fn checkpoints_count_rows_and_complete_the_list() {
    let stage = stage().start().await;
    let answer = stage.gateway.get_as_type("/customers?order=desc", NDJSON).await;
    assert!(answer.text.ends_with("}\n"));
    let mut count = 0;
    for line in answer.text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match line.get("export") {
            Some(checkpoint) => assert_eq!(checkpoint["count"], count),
            None => count += 1,
        }
    }
    let export = Export::read(&answer.text);
    let (end, others) = export.checkpoints.split_last().unwrap();
    assert!(others.iter().all(|checkpoint| checkpoint["status"] == "continues" && checkpoint["cursor"].is_string()));
    assert_eq!((&end["status"], &end["count"], &end["cursor"]), (&json!("complete"), &json!(480), &json!(null)));
    assert!(answer.text.lines().last().unwrap().starts_with("{\"export\":"));
}

#[tokio::test]
async fn empty_list_exports_one_complete_checkpoint() {
    let sandbox = sandbox(0, 0, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for question in ["/customers", "/customers?order=asc", "/transactions", "/customers?email=nobody@example.com"] {
        assert_eq!(gateway.export(question).await.complete().len(), 0, "{question}");
        let table = gateway.export_csv(question).await;
        assert_eq!((table.rows.len(), &*table.rows[0]["export.status"]), (1, "complete"));
    }
}

#[tokio::test]
async fn skipped_connection_is_named_at_the_end() {
    let stage = stage().start().await;
    let transactions = stage.gateway.export("/transactions").await;
    let of = |source: &serde_json::Value| [source["connection"].clone(), source["status"].clone()];
    let sources: Vec<_> = transactions.last_checkpoint()["sources"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(sources, [[json!("affiliates"), json!("ok")], [json!("tax"), json!("skipped")]]);
    assert_eq!(transactions.last_checkpoint()["sources"][1]["problem"]["code"], "unsupported_operation");

    let answer = stage
        .gateway
        .request(|client, url| {
            let request = client.get(format!("{url}/customers?status=active"));
            request.header("accept", NDJSON).header("prefer", "handling=lenient")
        })
        .await;
    assert_eq!(answer.header("preference-applied"), "handling=lenient");
    assert_eq!(Export::read(&answer.text).last_checkpoint()["sources"][1]["problem"]["code"], "unsupported_filter");
}

/// Every character that a reader may take for a line break. FACTS.md, case 120.
#[tokio::test]
async fn ndjson_lines_contain_no_other_line_break() {
    const BREAKS: &str = "\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}";
    // Characters that share the first byte, and a character that is cut by no escape.
    let name = format!("é\u{80}\u{a0}€\u{2027}\u{202a}{BREAKS}{BREAKS}\u{e2a8}");
    let row = json!({"id": "row_1", "program_id": "account_1", "name": name, BREAKS: 1});
    // The vendor escapes only what JSON requires.
    let vendor = crate::support::ScriptedVendor::replying(crate::support::tolt_page(&[row], false)).await;
    let gateway = super::gateway_for(&vendor).await;
    let answer = gateway.get_as_type("/customers?include=raw", NDJSON).await;
    assert_eq!(answer.text.matches('\n').count(), 2, "a row and a checkpoint: {}", answer.text);
    assert!(
        !answer.text.contains(|c: char| c != '\n' && (c.is_ascii_control() || BREAKS.contains(c))),
        "{}",
        answer.text
    );
    let row: serde_json::Value = serde_json::from_str(answer.text.lines().next().unwrap()).unwrap();
    assert_eq!((&row["name"], &row["raw"]["name"]), (&json!(name), &json!(name)));
    assert_eq!(row["raw"][BREAKS], 1);
}

#[tokio::test]
async fn raw_object_with_line_breaks_stays_on_one_line() {
    let row = "{\r\n \"id\": \"row_1\",\n \"program_id\": \"account_1\",\n \"name\": \"a\\nb\"}";
    let body = format!("{{\"success\":true,\"has_more\":false,\"total_count\":1,\"data\":{{\"data\":[{row}]}}}}");
    let vendor = crate::support::ScriptedVendor::start(move |_, _| crate::support::Reply::text(200, &body)).await;
    let rows = super::gateway_for(&vendor).await.export("/customers?include=raw").await.complete();
    assert_eq!(rows.len(), 1);
    let row: serde_json::Value = serde_json::from_str(&rows[0]).unwrap();
    assert_eq!((&row["raw"]["name"], &row["name"]), (&json!("a\nb"), &json!("a\nb")));
}
