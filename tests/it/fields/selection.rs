//! The parameter `fields`.

use serde_json::Value;

use super::{CSV, NDJSON, exported, leaves, rows, stage};
use crate::support::{Stage, ids};

/// Returns true if one of some selectors covers a path.
fn is_selected(path: &str, selectors: &[&str]) -> bool {
    let is_covered = |selector: &&str| path == *selector || path.starts_with(&format!("{selector}."));
    path == "id" || selectors.iter().any(is_covered)
}

/// Compares rows with all rows reduced to the selected leaves, in their order.
fn assert_selected(selected: &[Value], all: &[Value], selectors: &[&str]) {
    assert!(!all.is_empty());
    assert_eq!(selected.len(), all.len());
    for (selected, all) in selected.iter().zip(all) {
        let mut expected = leaves(all);
        expected.retain(|(path, _)| is_selected(path, selectors));
        assert_eq!(leaves(selected), expected, "{selectors:?}");
    }
}

#[tokio::test]
async fn lists_contain_only_selected_fields() {
    let stage = stage().start().await;
    for (target, selectors) in [
        ("/customers?connection=affiliates", &["email"][..]),
        ("/customers?connection=affiliates", &["created_at", "id", "referral.partner_id"]),
        ("/customers?connection=affiliates&expand=partner", &["referral.partner.email", "name"]),
        ("/customers?connection=affiliates&expand=partner&include=raw", &["referral", "raw"]),
        ("/customers?order=desc", &["source.connection", "tax"]),
        ("/customers?connection=tax&expand=exemption,shipping_address", &["tax.exemption", "shipping_address"]),
        ("/transactions?connection=affiliates", &["amount", "product", "customer_id"]),
        ("/transactions?connection=affiliates&expand=customer", &["customer.email"]),
    ] {
        let all = stage.get(target).await;
        let calls = stage.total_calls();
        let selected = stage.get(&format!("{target}&fields={}", selectors.join(","))).await;
        assert_selected(&rows(&selected), &rows(&all), selectors);
        assert_eq!(stage.total_calls(), calls, "{target}: no further vendor call");
        assert_ne!(selected.header("etag"), all.header("etag"));
        assert_eq!(selected.json()["page"], all.json()["page"], "{target}");
    }
}

#[tokio::test]
async fn selectors_may_be_repeated() {
    let stage = stage().start().await;
    let listed = stage.get("/customers?connection=affiliates&fields=name,referral").await;
    let repeated = stage.get("/customers?connection=affiliates&fields=referral.*&fields=name&fields=id,name").await;
    assert_eq!(repeated.text, listed.text);
    assert_eq!(repeated.header("etag"), listed.header("etag"));
}

#[tokio::test]
async fn single_objects_contain_only_selected_fields() {
    let stage = stage().start().await;
    let id = ids(&stage.get("/customers?connection=affiliates&limit=1").await.ok()).remove(0);
    for (target, selectors) in [
        (format!("/customers/{id}?expand=stats"), &["referral.stats.total_orders", "status"][..]),
        (format!("/customers?id={id}&id=tax.cust_shared_between_vendors"), &["email", "tax"]),
        (format!("/customers/{id}/transactions?limit=100"), &["amount"]),
    ] {
        let all = stage.get(&target).await;
        let selected = stage.get(&format!("{target}&fields={}", selectors.join(","))).await;
        let data = |answer: &crate::support::Answer| match answer.json_as_sent() {
            body if body["data"].is_array() => rows(answer),
            body => vec![body],
        };
        if !target.contains("/transactions") {
            assert_selected(&data(&selected), &data(&all), selectors);
        }
        assert_ne!(selected.header("etag"), all.header("etag"), "{target}");
    }
}

#[tokio::test]
async fn exports_contain_only_selected_fields() {
    let stage = stage().start().await;
    let target = "/customers?connection=affiliates&expand=partner";
    let fields = "&fields=referral.partner.email,name,created_at";
    let all = exported(&stage.gateway.get_accepting("", target, NDJSON).await);
    let selected = stage.gateway.get_accepting("", &format!("{target}{fields}"), NDJSON).await;
    assert_selected(&exported(&selected), &all, &["referral.partner.email", "name", "created_at"]);

    // Columns are in the order of the contract.
    let table = stage.gateway.get_accepting("", &format!("{target}{fields}&marks=none"), CSV).await;
    let mut lines = table.text.lines();
    assert_eq!(lines.next(), Some("id,name,created_at,referral.partner.email"));
    let text = |row: &Value, path: &str| row.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let expected: Vec<_> = all
        .iter()
        .map(|row| ["/id", "/name", "/created_at", "/referral/partner/email"].map(|path| text(row, path)))
        .collect();
    let mut reader = csv::Reader::from_reader(table.text.as_bytes());
    let cells: Vec<[String; 4]> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(cells, expected);

    let marked = stage.gateway.get_accepting("", &format!("{target}&fields=name"), CSV).await;
    assert!(marked.text.starts_with("id,name,export.status,"), "{}", marked.text);
}

#[tokio::test]
async fn selection_is_not_part_of_the_cursor() {
    let stage = stage().start().await;
    let first = stage.get("/customers?order=desc&limit=5&fields=email").await;
    let cursor = first.json()["page"]["next_cursor"].as_str().unwrap().to_owned();
    let calls = stage.total_calls();
    for fields in ["", "&fields=name", "&fields=email,tax.*"] {
        let second = stage.get(&format!("/customers?order=desc&limit=5&cursor={cursor}{fields}")).await;
        assert_eq!(rows(&second).len(), 5);
    }
    assert_eq!(stage.total_calls(), calls);
}

#[tokio::test]
async fn repeated_request_returns_304() {
    let stage = stage().start().await;
    let target = "/customers?connection=tax&fields=name";
    let mut tags = Vec::new();
    for _ in 0..3 {
        // The last response is from the response cache.
        tags.push(stage.get(target).await.header("etag").to_owned());
    }
    assert_eq!(tags[0], tags[2]);
    let request = stage.gateway.request(|client, url| {
        client.get(format!("{url}/customers?fields=name&connection=tax")).header("if-none-match", &tags[0])
    });
    assert_eq!(request.await.status, 304);
    let other = stage.gateway.request(|client, url| {
        client.get(format!("{url}/customers?connection=tax&fields=email")).header("if-none-match", &tags[0])
    });
    assert_eq!(other.await.status, 200);
}

#[tokio::test]
async fn unusable_selection_is_rejected() {
    let Stage { vendors, gateway } = stage().start().await;
    let mut lines = Vec::new();
    for target in [
        "/customers?fields=emial",
        "/customers?fields=id,,email",
        "/customers?fields=email.*",
        "/customers?fields=referral.",
        "/customers?fields=*",
        "/customers?fields=amount",
        "/customers?fields=referral.partner.email",
        "/customers?fields=shipping_address",
        "/customers?fields=raw",
        "/customers/tax.x?fields=Email",
        "/customers?id=tax.x&fields=customer.email",
        "/transactions?fields=customer",
        "/transactions?fields=referral.stats.total_orders",
        "/customers/tax.x/transactions?fields=email",
        "/explain/customers?fields=emial",
        "/customers?fields=",
    ] {
        lines.push(format!("{target}\n  {}", gateway.get(target).await.problem_line()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    /customers?fields=emial
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `emial`
    /customers?fields=id,,email
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not ``
    /customers?fields=email.*
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `email.*`
    /customers?fields=referral.
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `referral.`
    /customers?fields=*
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `*`
    /customers?fields=amount
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `amount`
    /customers?fields=referral.partner.email
      400 invalid_parameter [fields] `fields=referral.partner.email` requires `expand=partner`; add that parameter or remove the field
    /customers?fields=shipping_address
      400 invalid_parameter [fields] `fields=shipping_address` requires `expand=shipping_address`; add that parameter or remove the field
    /customers?fields=raw
      400 invalid_parameter [fields] `fields=raw` requires `include=raw`; add that parameter or remove the field
    /customers/tax.x?fields=Email
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `Email`
    /customers?id=tax.x&fields=customer.email
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `customer.email`
    /transactions?fields=customer
      400 invalid_parameter [fields] `fields=customer` requires `expand=customer`; add that parameter or remove the field
    /transactions?fields=referral.stats.total_orders
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `referral.stats.total_orders`
    /customers/tax.x/transactions?fields=email
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `email`
    /explain/customers?fields=emial
      400 invalid_parameter [fields] `fields` takes fields of the rows, such as `id,email`, not `emial`
    /customers?fields=
      400 invalid_parameter [fields] `fields` is empty; remove the parameter or give it a value
    ");
    let supported = gateway.get("/customers?fields=emial").await.problem()["supported"].clone();
    assert!(
        ["email", "referral.partner.email", "raw"]
            .iter()
            .all(|name| supported.as_array().unwrap().contains(&(*name).into()))
    );
    assert_eq!(vendors.tolt().calls() + vendors.corporation().calls(), 0);
}
