//! Every row once, in the order of a paged walk, and an end that says so.

use serde_json::json;

use super::{Export, NDJSON, Stage, ids};
use crate::support::{Gateway, config, connections_to, sandbox};

/// Lists of both vendors, one after the other and merged, filtered by the
/// vendor and by the gateway.
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
async fn an_export_is_the_records_of_a_paged_walk_byte_for_byte() {
    let stage = Stage::set().await;
    for question in QUESTIONS {
        let rows = stage.gateway.export(question).await.complete();
        assert!(!rows.is_empty(), "{question}");
        assert_eq!(rows, stage.gateway.walked(question).await, "{question}");
    }
}

#[tokio::test]
async fn a_customers_transactions_are_exported_too() {
    let stage = Stage::set().await;
    let customer = stage.sandbox.tolt().transactions()[0].customer_id.clone();
    let question = format!("/customers/affiliates.{customer}/transactions");
    let rows = stage.gateway.export(&question).await.complete();
    assert!(!rows.is_empty());
    assert_eq!(rows, stage.gateway.walked(&question).await);
}

#[tokio::test]
async fn csv_has_the_same_rows_under_one_header() {
    let stage = Stage::set().await;
    for question in QUESTIONS.iter().filter(|question| !question.contains("raw")) {
        let table = stage.gateway.export_csv(question).await;
        let walked = stage.gateway.walked(question).await;
        assert_eq!(table.ids(), ids(&walked), "{question}");
        let end = table.rows.last().unwrap();
        assert_eq!(end["export.status"], "complete");
        assert_eq!(end["export.count"], walked.len().to_string());
        assert_eq!((&*end["export.cursor"], &*end["export.problem"]), ("", ""));
    }
}

#[tokio::test]
async fn each_mark_counts_the_rows_before_it_and_the_last_line_is_the_end() {
    let stage = Stage::set().await;
    let answer = stage.gateway.get_as_type("/customers?order=desc", NDJSON).await;
    assert!(answer.text.ends_with("}\n"));
    let mut count = 0;
    for line in answer.text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match line.get("export") {
            Some(mark) => assert_eq!(mark["count"], count),
            None => count += 1,
        }
    }
    let export = Export::read(&answer.text);
    let (end, others) = export.marks.split_last().unwrap();
    assert!(others.iter().all(|mark| mark["status"] == "continues" && mark["cursor"].is_string()));
    assert_eq!((&end["status"], &end["count"], &end["cursor"]), (&json!("complete"), &json!(480), &json!(null)));
    assert!(answer.text.lines().last().unwrap().starts_with("{\"export\":"));
}

#[tokio::test]
async fn an_empty_list_is_complete_with_no_row() {
    let sandbox = sandbox(0, 0, 0).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for question in ["/customers", "/customers?order=asc", "/transactions", "/customers?email=nobody@example.com"] {
        assert_eq!(gateway.export(question).await.complete().len(), 0, "{question}");
        let table = gateway.export_csv(question).await;
        assert_eq!((table.rows.len(), &*table.rows[0]["export.status"]), (1, "complete"));
    }
}

#[tokio::test]
async fn a_connection_that_is_left_out_is_named_at_the_end() {
    let stage = Stage::set().await;
    let transactions = stage.gateway.export("/transactions").await;
    let of = |source: &serde_json::Value| [source["connection"].clone(), source["status"].clone()];
    let sources: Vec<_> = transactions.end()["sources"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(sources, [[json!("affiliates"), json!("ok")], [json!("tax"), json!("skipped")]]);
    assert_eq!(transactions.end()["sources"][1]["problem"]["code"], "unsupported_operation");

    let answer = stage
        .gateway
        .request(|client, url| {
            let request = client.get(format!("{url}/customers?status=active"));
            request.header("accept", NDJSON).header("prefer", "handling=lenient")
        })
        .await;
    assert_eq!(answer.header("preference-applied"), "handling=lenient");
    assert_eq!(Export::read(&answer.text).end()["sources"][1]["problem"]["code"], "unsupported_filter");
}

#[tokio::test]
async fn a_vendors_own_object_with_line_breaks_is_still_one_line() {
    let row = "{\r\n \"id\": \"row_1\",\n \"program_id\": \"account_1\",\n \"name\": \"a\\nb\"}";
    let body = format!("{{\"success\":true,\"has_more\":false,\"total_count\":1,\"data\":{{\"data\":[{row}]}}}}");
    let vendor = crate::support::ScriptedVendor::start(move |_, _| crate::support::Reply::text(200, &body)).await;
    let rows = super::over(&vendor).await.export("/customers?include=raw").await.complete();
    assert_eq!(rows.len(), 1);
    let row: serde_json::Value = serde_json::from_str(&rows[0]).unwrap();
    assert_eq!((&row["raw"]["name"], &row["name"]), (&json!("a\nb"), &json!("a\nb")));
}
