//! Fields that are hidden from a caller.

use std::collections::BTreeSet;

use customer_gateway::{callers::Caller, domain::field_policy::FieldPolicy};
use serde_json::{Value, json};

use super::{CSV, NDJSON, exported, leaves, rows, stage};
use crate::support::{Answer, Stage, StageBuilder, caller, config, connections_to};

pub(super) const OPEN: &str = "key of the caller without a policy";
pub(super) const LIMITED: &str = "key of the caller with a policy";

/// Returns a caller with a policy.
pub(super) fn limited(deny: &[&str], mask: &[&str]) -> Caller {
    let mut fields = FieldPolicy::default();
    for selector in deny {
        fields.deny(selector).unwrap();
    }
    for selector in mask {
        fields.mask(selector).unwrap();
    }
    Caller { fields, ..caller("limited", LIMITED, &["affiliates", "tax"]) }
}

/// Returns a stage with a caller without a policy and a caller with one.
fn stage_with(deny: &[&str], mask: &[&str]) -> StageBuilder<'static> {
    let callers = vec![caller("open", OPEN, &["affiliates", "tax"]), limited(deny, mask)];
    stage().configure(move |config| config.callers = callers)
}

/// Returns the row without some paths, and with masks instead of other values.
fn expected(row: &Value, denied: &[&str], masked: &[&str]) -> Vec<(String, Value)> {
    let mut leaves = leaves(row);
    leaves.retain(|(path, _)| !denied.iter().any(|it| path == it || path.starts_with(&format!("{it}."))));
    for (path, value) in &mut leaves {
        if masked.contains(&path.as_str()) && !value.is_null() {
            *value = json!("***");
        }
    }
    leaves
}

/// Returns the rows of a page, or a single object.
fn objects(answer: &Answer) -> Vec<Value> {
    if answer.json()["data"].is_array() { rows(answer) } else { vec![answer.json_as_sent()] }
}

#[tokio::test]
async fn hidden_fields_leave_on_no_route() {
    let (deny, mask) = (["email", "tax.*", "referral.partner.email"], ["name", "external_id"]);
    let Stage { vendors: _sandbox, gateway } = stage_with(&deny, &mask).start().await;
    let denied = ["email", "tax", "referral.partner.email", "customer.email"];
    let masked = ["name", "external_id", "customer.name"];
    let all = gateway.get_as(OPEN, "/customers?limit=100").await.ok();
    let secrets: BTreeSet<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| {
            ["email", "name", "external_id"].map(|field| row[field].as_str().unwrap_or_default().to_owned())
        })
        .filter(|text| text.len() > 4)
        .collect();
    assert!(secrets.len() > 60);
    let assert_no_secret = |target: &str, answer: &Answer| {
        let found = secrets.iter().find(|secret| answer.text.contains(*secret));
        assert!(found.is_none(), "{target}: {found:?}");
    };
    let tolt = all["data"][0]["id"].as_str().unwrap();
    for target in [
        "/customers?limit=100".to_owned(),
        "/customers?order=desc&limit=100&expand=shipping_address&connection=tax".to_owned(),
        "/customers?connection=affiliates&expand=partner,program".to_owned(),
        format!("/customers/{tolt}?expand=stats,partner"),
        "/customers/tax.cust_shared_between_vendors".to_owned(),
        format!("/customers?id={tolt}&id=tax.cust_shared_between_vendors"),
        "/transactions?connection=affiliates&expand=customer,partner".to_owned(),
        format!("/customers/{tolt}/transactions?expand=customer"),
    ] {
        let open = gateway.get_as(OPEN, &target).await;
        // The last response is from the response cache.
        for _ in 0..3 {
            let limited = gateway.get_as(LIMITED, &target).await;
            assert_no_secret(&target, &limited);
            assert_eq!(limited.json()["page"], open.json()["page"]);
            for (limited, open) in objects(&limited).iter().zip(&objects(&open)) {
                assert_eq!(leaves(limited), expected(open, &denied, &masked), "{target}");
            }
            assert_eq!(objects(&limited).len(), objects(&open).len());
            assert_ne!(limited.header("etag"), open.header("etag"));
        }
    }
    for target in ["/customers", "/transactions?connection=affiliates&expand=customer"] {
        let open = exported(&gateway.get_accepting(OPEN, target, NDJSON).await);
        let limited = gateway.get_accepting(LIMITED, target, NDJSON).await;
        assert_no_secret(target, &limited);
        for (limited, open) in exported(&limited).iter().zip(&open) {
            assert_eq!(leaves(limited), expected(open, &denied, &masked), "{target}");
        }
        let table = gateway.get_accepting(LIMITED, target, CSV).await;
        assert_no_secret(target, &table);
        let columns: Vec<_> = table.text.lines().next().unwrap().split(',').collect();
        assert!(columns.contains(&"created_at"));
        assert!(!columns.iter().any(|column| column.ends_with("email") || column.starts_with("tax")), "{columns:?}");
        assert!(table.text.contains(",***,"), "{target}");
    }
}

#[tokio::test]
async fn selection_cannot_restore_hidden_fields() {
    let Stage { vendors: _sandbox, gateway } =
        stage_with(&["email", "tax.corporation_id", "shipping_address"], &["name"]).start().await;
    let page = gateway.get_as(LIMITED, "/customers?connection=tax&fields=name,tax").await.ok();
    for row in page["data"].as_array().unwrap() {
        assert_eq!(row["name"], "***");
        assert!(row["tax"].as_object().unwrap().keys().all(|name| name != "corporation_id"), "{row}");
        assert_eq!(row.as_object().unwrap().len(), 3);
    }
    let mut lines = Vec::new();
    for target in [
        "/customers?fields=name,email",
        "/customers/tax.x?fields=tax.corporation_id",
        "/transactions?connection=affiliates&expand=customer&fields=customer.email",
        "/customers?connection=tax&expand=shipping_address",
        "/customers?connection=tax&include=raw",
        "/customers/tax.x?include=raw&fields=id",
        "/explain/customers?connection=tax&expand=shipping_address",
    ] {
        lines.push(format!("{target}\n  {}", gateway.get_as(LIMITED, target).await.problem_line()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    /customers?fields=name,email
      403 forbidden [fields] the caller may not see the fields of `fields=email`; remove `email`
    /customers/tax.x?fields=tax.corporation_id
      403 forbidden [fields] the caller may not see the fields of `fields=tax.corporation_id`; remove `tax.corporation_id`
    /transactions?connection=affiliates&expand=customer&fields=customer.email
      403 forbidden [fields] the caller may not see the fields of `fields=customer.email`; remove `customer.email`
    /customers?connection=tax&expand=shipping_address
      403 forbidden [expand] the caller may not see the fields of `expand=shipping_address`; remove `shipping_address`
    /customers?connection=tax&include=raw
      403 forbidden [include] the vendor's own object contains fields that the caller may not see; remove `include=raw`
    /customers/tax.x?include=raw&fields=id
      403 forbidden [include] the vendor's own object contains fields that the caller may not see; remove `include=raw`
    /explain/customers?connection=tax&expand=shipping_address
      403 forbidden [expand] the caller may not see the fields of `expand=shipping_address`; remove `shipping_address`
    ");
}

#[tokio::test]
async fn disclosing_parameters_are_rejected() {
    let deny = ["email", "tax.exemption", "tax.source_platform_id", "referral.partner_id", "status", "customer_id"];
    let stage = stage_with(&deny, &["name", "external_id", "tax.source_platform"]).start().await;
    let Stage { vendors, gateway } = &stage;
    let value = |name: &str| match name {
        "has_exemption" => "true",
        "customer_id" => "affiliates.cust_1",
        _ => "a",
    };
    for parameter in [
        "email",
        "search",
        "name",
        "external_id",
        "status",
        "partner_id",
        "source_platform",
        "source_platform_id",
        "certificate_type",
        "exemption_jurisdiction",
        "exemption_status",
        "expiration_status",
        "has_exemption",
    ] {
        for route in ["/customers", "/explain/customers"] {
            let target = format!("{route}?connection=tax&{parameter}={}", value(parameter));
            for accept in ["application/json", NDJSON, CSV] {
                let refused = gateway.get_accepting(LIMITED, &target, accept).await;
                assert_eq!(refused.code(403), "forbidden", "{target}");
                assert_eq!(refused.json()["parameter"], parameter);
            }
        }
    }
    for target in ["/transactions?customer_id=affiliates.cust_1", "/transactions?partner_id=a"] {
        assert_eq!(gateway.get_as(LIMITED, target).await.code(403), "forbidden", "{target}");
    }
    assert_eq!(vendors.tolt().calls() + vendors.corporation().calls(), 0, "no vendor was called");
    insta::assert_snapshot!(gateway.get_as(LIMITED, "/customers?search=a").await.problem_line(), @r"403 forbidden [search] `search` discloses `name`, which the caller may not see; remove `search`");
    insta::assert_snapshot!(gateway.get_as(LIMITED, "/customers/affiliates.x/transactions").await.problem_line(), @r"403 forbidden [id] the list discloses `customer_id` of transactions, which the caller may not see");
    // Other parameters remain.
    gateway.get_as(LIMITED, "/customers?order=desc&created_gte=2020-01-01").await.ok();
    gateway.get_as(OPEN, "/customers?connection=tax&email=a@example.com").await.ok();
}

#[tokio::test]
async fn connections_show_hidden_fields() {
    let Stage { vendors: _sandbox, gateway } =
        stage_with(&["email", "tax.*", "referral.partner"], &["name"]).start().await;
    let list = gateway.get_as(LIMITED, "/connections").await.ok();
    let affiliates = gateway.get_as(LIMITED, "/connections/affiliates").await.ok();
    for (at, connection) in [&affiliates, &list["data"][0], &list["data"][1]].into_iter().enumerate() {
        let customers = &connection["customers"];
        let denied: Vec<_> =
            customers["denied_fields"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert!(denied.contains(&"email") && denied.contains(&"tax.corporation_id"), "{denied:?}");
        assert_eq!(customers["masked_fields"], json!(["name"]));
        for parameter in ["email", "search", "name", "source_platform"] {
            assert_eq!(customers["parameters"][parameter], "unsupported", "{at} {parameter}");
        }
        assert_ne!(customers["parameters"]["created_gte"], "unsupported");
    }
    assert_eq!(affiliates["transactions"]["masked_fields"], json!(["customer.name"]));
    assert_eq!(affiliates["customers"]["expand"], json!(["program"]));
    assert_eq!(affiliates["customer_expand"], json!(["program", "stats"]));
    assert_eq!(list["data"][1]["customers"]["expand"], json!(["shipping_address"]));
    let open = gateway.get_as(OPEN, "/connections/affiliates").await.ok();
    assert_eq!((&open["customers"]["denied_fields"], &open["customers"]["masked_fields"]), (&json!([]), &json!([])));
    assert_ne!(open["customers"]["parameters"]["email"], "unsupported");
}

#[tokio::test]
async fn reloaded_policy_applies_to_cached_responses() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    let with = |caller: Caller| {
        let mut config = config(connections_to(&sandbox));
        config.callers = vec![caller];
        config
    };
    gateway.reload(with(limited(&[], &[]))).await;
    for _ in 0..3 {
        assert!(gateway.get_as(LIMITED, "/customers").await.ok()["data"][0]["email"].is_string());
    }
    gateway.reload(with(limited(&["email"], &[]))).await;
    let row = gateway.get_as(LIMITED, "/customers").await.ok()["data"][0].clone();
    assert!(row.get("email").is_none(), "{row}");
    gateway.reload(with(limited(&[], &["email"]))).await;
    assert_eq!(gateway.get_as(LIMITED, "/customers").await.ok()["data"][0]["email"], "***");
    gateway.reload(with(limited(&[], &[]))).await;
    assert!(gateway.get_as(LIMITED, "/customers").await.ok()["data"][0]["email"].as_str().unwrap().contains('@'));
}
