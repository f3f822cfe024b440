//! `marks=none`: exports without checkpoints.

use customer_gateway::sandbox::Fault;
use insta::assert_snapshot;
use reqwest::header::ACCEPT;

use super::{CSV, Export, NDJSON, Table, gateway_for, ids, requested_page, stage};
use crate::support::{Reply, ScriptedVendor, tolt_page, tolt_row};

#[tokio::test]
async fn ndjson_keeps_the_final_record_only() {
    let stage = stage().start().await;
    for question in ["/customers", "/transactions", "/customers?order=desc&partial=allow"] {
        let separator = if question.contains('?') { '&' } else { '?' };
        let marked = stage.gateway.export(&format!("{question}{separator}marks=all")).await;
        let plain = stage.gateway.export(&format!("{question}{separator}marks=none")).await;
        assert!(marked.checkpoints.len() > 1, "{question}");
        assert_eq!(plain.checkpoints.len(), 1, "{question}");
        assert_eq!(plain.last_checkpoint()["sources"], marked.last_checkpoint()["sources"]);
        assert_eq!(plain.complete(), marked.complete(), "{question}");
    }
    let customer = stage.vendors.tolt().transactions()[0].customer_id.clone();
    let plain = stage.gateway.export(&format!("/customers/affiliates.{customer}/transactions?marks=none")).await;
    assert_eq!(plain.checkpoints.len(), 1);
}

#[tokio::test]
async fn csv_has_no_checkpoint_columns_or_rows() {
    let stage = stage().start().await;
    let marked = stage.gateway.export_csv("/customers").await;
    let plain = stage.gateway.export_csv("/customers?marks=none").await;
    assert_eq!(marked.columns.strip_suffix(&marked.columns[plain.columns.len()..]), Some(&plain.columns[..]));
    assert!(plain.columns.iter().all(|column| !column.starts_with("export.")));
    assert_eq!((plain.rows.len(), plain.ids()), (480, marked.ids()));
    let empty = stage.gateway.get_as_type("/customers?email=nobody@example.com&marks=none", CSV).await;
    assert_eq!(empty.text.lines().count(), 1, "{}", empty.text);
}

#[tokio::test]
async fn csv_lines_end_in_crlf() {
    let row = |id: &str, name: &str| {
        let mut row = tolt_row(id);
        row["name"] = name.into();
        row
    };
    let rows = [
        row("row_0", "a,b"),
        row("row_1", "a\r\nb"),
        row("row_2", "a\nb"),
        row("row_3", "\"a\""),
        row("row_4", "a\rb"),
    ];
    let vendor = ScriptedVendor::start(move |_, _| Reply::json(&tolt_page(&rows, false))).await;
    let gateway = gateway_for(&vendor).await;
    for target in ["/customers", "/customers?marks=none"] {
        let text = gateway.get_as_type(target, CSV).await.text;
        assert!(text.ends_with("\r\n"));
        // Line breaks in values are quoted and unchanged.
        for quoted in ["\"a,b\"", "\"a\r\nb\"", "\"a\nb\"", "\"\"\"a\"\"\"", "\"a\rb\""] {
            assert!(text.contains(quoted), "{quoted} {text}");
        }
        let unquoted = text.replace("\"a\r\nb\"", "").replace("\"a\nb\"", "").replace("\"a\rb\"", "");
        assert_eq!(unquoted.matches('\n').count(), unquoted.matches("\r\n").count());
        let names: Vec<_> = Table::read(&text).list().iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, ["a,b", "a\r\nb", "a\nb", "\"a\"", "a\rb"]);
    }
}

#[tokio::test]
async fn failed_csv_without_marks_aborts() {
    let vendor = ScriptedVendor::start(|_, target| match requested_page(target, 2) {
        0 => Reply::json(&tolt_page(&[tolt_row("row_0"), tolt_row("row_1")], true)),
        _ => Reply::text(401, r#"{"success":false,"error":{"code":"unauthorized","message":"no"}}"#),
    })
    .await;
    let gateway = gateway_for(&vendor).await;
    let plain = |accept| {
        reqwest::Client::new().get(format!("{}/customers?marks=none", gateway.url)).header(ACCEPT, accept).send()
    };
    let mut response = plain(CSV).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut text = String::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
            Ok(None) => panic!("the body is complete: {text}"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(Table::read(&text).ids(), ["odd.row_0", "odd.row_1"]);

    // NDJSON reports the failure in the final record.
    let export = Export::read(&plain(NDJSON).await.unwrap().text().await.unwrap());
    assert_eq!(export.checkpoints.len(), 1);
    assert_eq!(export.last_checkpoint()["status"], "incomplete");
    assert_eq!(ids(&export.rows), ["odd.row_0", "odd.row_1"]);
}

#[tokio::test]
async fn failure_before_the_first_row_has_its_status() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    assert_eq!(stage.gateway.get_as_type("/customers?marks=none", CSV).await.code(502), "vendor_unauthorized");
}

#[tokio::test]
async fn marks_apply_to_exports_only() {
    let stage = stage().start().await;
    let mut lines = Vec::new();
    for (accept, target) in [
        ("application/json", "/customers?marks=none"),
        ("application/json", "/customers?marks=all"),
        ("application/json", "/transactions?marks=none"),
        ("application/json", "/explain/customers?marks=none"),
        (NDJSON, "/explain/customers?marks=none"),
        (NDJSON, "/customers?marks=some"),
        ("application/json", "/customers?marks=some"),
        (CSV, "/customers?marks=None"),
        (CSV, "/customers?marks="),
        (NDJSON, "/customers?marks=none&marks=none"),
        (NDJSON, "/customers/affiliates.x?marks=none"),
        (NDJSON, "/connections?marks=none"),
    ] {
        let answer = stage.gateway.get_as_type(target, accept).await;
        let line = if answer.status == 200 { "200".to_owned() } else { answer.problem_line() };
        lines.push(format!("{accept} {target}\n    {line}"));
    }
    assert_snapshot!(lines.join("\n"), @r"
    application/json /customers?marks=none
        400 invalid_parameter [marks] `marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`
    application/json /customers?marks=all
        400 invalid_parameter [marks] `marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`
    application/json /transactions?marks=none
        400 invalid_parameter [marks] `marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`
    application/json /explain/customers?marks=none
        400 invalid_parameter [marks] `marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`
    application/x-ndjson /explain/customers?marks=none
        400 invalid_parameter [marks] `marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`
    application/x-ndjson /customers?marks=some
        400 invalid_parameter [marks] `marks` takes `all` or `none`, not `some`
    application/json /customers?marks=some
        400 invalid_parameter [marks] `marks` takes `all` or `none`, not `some`
    text/csv /customers?marks=None
        400 invalid_parameter [marks] `marks` takes `all` or `none`, not `None`
    text/csv /customers?marks=
        400 invalid_parameter [marks] `marks` is empty; remove the parameter or give it a value
    application/x-ndjson /customers?marks=none&marks=none
        400 repeated_parameter [marks] `marks` takes one value, but the request repeats the parameter
    application/x-ndjson /customers/affiliates.x?marks=none
        400 unknown_parameter [marks] this route has no parameter `marks`
    application/x-ndjson /connections?marks=none
        200
    ");
}
