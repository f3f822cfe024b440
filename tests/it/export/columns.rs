//! Columns of CSV, and their values.

use std::collections::BTreeSet;

use customer_gateway::sandbox::{Data, corporation, tolt};
use serde_json::Value;

use super::{CSV, Table, stage};
use crate::support::{Gateway, config, connections_to, sandbox_with};

/// Collects the scalars and lists of a schema: `referral.partner.id`.
fn collect_leaves(document: &Value, schema: &Value, path: &str, into: &mut BTreeSet<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    };
    match schema["properties"].as_object() {
        Some(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect_leaves(document, member, &path, into);
            }
        }
        None => drop(into.insert(path.to_owned())),
    }
}

#[tokio::test]
async fn csv_has_a_column_for_every_contract_field() {
    let stage = stage().start().await;
    let document = stage.gateway.get("/openapi.json").await.ok();
    let lists: [(&str, &[&str]); 2] = [
        (
            "Customer",
            &[
                "/customers?connection=affiliates&expand=partner,program",
                "/customers?connection=tax&expand=shipping_address,exemption",
            ],
        ),
        ("Transaction", &["/transactions?connection=affiliates&expand=customer,partner,program"]),
    ];
    for (schema, questions) in lists {
        let mut fields = BTreeSet::new();
        collect_leaves(&document, &document["components"]["schemas"][schema], "", &mut fields);
        // `raw` is rejected, and no list can expand `stats`.
        fields.retain(|field| field != "raw" && !field.starts_with("referral.stats."));
        let mut columns = BTreeSet::new();
        for question in questions {
            let table = stage.gateway.export_csv(question).await;
            let unique: BTreeSet<_> = table.columns.iter().cloned().collect();
            assert_eq!(unique.len(), table.columns.len(), "{question}: a repeated column");
            columns.extend(unique.into_iter().filter(|column| !column.starts_with("export.")));
        }
        assert_eq!(columns, fields, "{schema}");
    }
}

#[tokio::test]
async fn expansion_adds_only_its_own_columns() {
    let stage = stage().start().await;
    let plain = stage.gateway.export_csv("/customers?connection=tax").await;
    let expanded = stage.gateway.export_csv("/customers?connection=tax&expand=exemption,exemption").await;
    let added: Vec<_> = expanded.columns.iter().filter(|column| !plain.columns.contains(column)).collect();
    assert_eq!(added.len(), 8);
    assert!(added.iter().all(|column| column.starts_with("tax.exemption.")));
    let lists: Vec<_> = expanded.list().iter().map(|row| row["tax.exemption.certificate_types"].clone()).collect();
    assert!(lists.iter().any(|list| list == "BLANKET;MULTI_STATE"), "{lists:?}");
}

#[tokio::test]
async fn csv_cells_equal_the_json_members() {
    let stage = stage().start().await;
    for question in [
        "/customers?connection=affiliates&expand=partner,program",
        "/customers?connection=tax&expand=shipping_address",
        "/transactions?connection=affiliates&expand=customer",
    ] {
        let table = stage.gateway.export_csv(question).await;
        let rows = stage.gateway.paged_walk(question).await;
        for (cells, row) in table.list().into_iter().zip(&rows) {
            let row: Value = serde_json::from_str(row).unwrap();
            for (column, cell) in cells.iter().filter(|(column, _)| !column.starts_with("export.")) {
                let member = row.pointer(&format!("/{}", column.replace('.', "/")));
                let expected = match member {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                assert_eq!(*cell, expected, "{column}");
            }
        }
    }
}

#[tokio::test]
async fn csv_preserves_any_text() {
    let names =
        ["a, b", "say \"hi\"", "two\nlines", "crlf\r\nhere", "Zoë Œuvre 株式会社 🦀", "", " spaced ", "=1+1", "'", ";"];
    let customer = |(index, name): (usize, &&str)| tolt::Customer {
        name: (*name).into(),
        ..tolt::Customer::new(&format!("cust_{index:02}"), &format!("2025-01-15T14:30:{index:02}.000Z"))
    };
    let customers: Vec<_> = names.iter().enumerate().map(customer).collect();
    let corporation =
        names.iter().zip(1..).map(|(name, at)| corporation::Customer::new(&format!("cust_c{at}"), name, at)).collect();
    let sandbox = sandbox_with(Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, corporation }).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for (connection, column) in [("affiliates", "name"), ("tax", "name")] {
        let table = gateway.export_csv(&format!("/customers?connection={connection}&order=asc")).await;
        let shown: Vec<_> = table.list().iter().map(|row| row[column].clone()).collect();
        assert_eq!(shown, names, "{connection}");
    }
}

#[tokio::test]
async fn csv_header_is_sent_once_as_the_first_line() {
    let stage = stage().start().await;
    let answer = stage.gateway.get_as_type("/customers", CSV).await;
    assert!(answer.text.starts_with("id,source.connection,source.vendor,source.id,external_id,name,email,"));
    let header = answer.text.lines().next().unwrap();
    assert!(header.ends_with(",export.status,export.count,export.cursor,export.problem,export.omitted"), "{header}");
    assert_eq!(answer.text.lines().filter(|line| *line == header).count(), 1);
    assert_eq!(Table::read(&answer.text).list().len(), 480);
}
