//! Undocumented fields and values of vendors: counted under fixed names, and
//! served unchanged.

use std::time::Duration;

use customer_gateway::{
    sandbox::{Envelope, Options, Sandbox},
    vendors::{documented::KnownObject, registry::KINDS},
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Gateway, Reply, ScriptedVendor, config, connections_to, corporation_page, corporation_row, tolt_page, tolt_row,
};

/// Returns the drift counters that are not zero.
async fn drift_counts(gateway: &Gateway) -> String {
    let metrics = gateway.get("/metrics").await.text;
    let drifted = |line: &&str| line.starts_with("gateway_unknown_") && !line.ends_with(" 0");
    let mut lines: Vec<_> = metrics.lines().filter(drifted).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Adds fields to a row.
fn with_fields(mut row: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("fields are an object") };
    row.as_object_mut().unwrap().extend(more);
    row
}

/// Sends a request that bypasses the cache.
async fn get_uncached(gateway: &Gateway, target: &str) {
    gateway.request(|client, url| client.get(format!("{url}{target}")).header("cache-control", "no-cache")).await.ok();
}

#[tokio::test]
async fn unknown_fields_are_counted_by_object() {
    let row = with_fields(
        tolt_row("cust_1"),
        json!({
            "plan": "known, and not read", "loyalty_tier": 3, "loyalty_points": {"inside": "is not looked at"},
            "partner": {"id": "part_1", "payout_method": "wire"},
            "program": {"id": "prg_1", "subdomain": "affiliates"},
            "name": {"first": "what cannot be read is counted as that"},
        }),
    );
    let mut page = tolt_page(&[row.clone(), row], false);
    page["request_id"] = "req_1".into();
    page["data"]["object"] = "list".into();
    let vendor = ScriptedVendor::replying(page).await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers?expand=partner&expand=program").await.ok();

    assert_snapshot!(drift_counts(&gateway).await, @r#"
    gateway_unknown_fields_total{connection="odd",object="customer"} 2
    gateway_unknown_fields_total{connection="odd",object="envelope"} 2
    gateway_unknown_fields_total{connection="odd",object="partner"} 1
    "#);
}

#[tokio::test]
async fn unknown_fields_of_single_rows_are_counted() {
    let vendor = ScriptedVendor::start(|_, target| {
        let row = json!({"id": "it", "program_id": "account_1", "score": 1});
        Reply::json(&if target.starts_with("/v1/transactions") {
            let row =
                with_fields(row, json!({"payment_status": "known", "customer": {"id": "c", "plan": "of no summary"}}));
            json!({"success": true, "data": [row], "has_more": false, "total_count": 1})
        } else {
            json!({"success": true, "data": [row]})
        })
    })
    .await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers/odd.it").await.ok();
    gateway.get("/transactions").await.ok();

    assert_snapshot!(drift_counts(&gateway).await, @r#"
    gateway_unknown_fields_total{connection="odd",object="customer"} 1
    gateway_unknown_fields_total{connection="odd",object="customer_summary"} 1
    gateway_unknown_fields_total{connection="odd",object="transaction"} 1
    "#);
}

#[tokio::test]
async fn counted_fields_of_a_response_are_bounded() {
    let many = (0..1000).map(|index| (format!("extra_{index}"), Value::Null)).collect();
    let vendor = ScriptedVendor::replying(tolt_page(&[with_fields(tolt_row("a"), Value::Object(many))], false)).await;
    let gateway = vendor.gateway("tolt").await;
    gateway.get("/customers").await.ok();
    assert!(drift_counts(&gateway).await.ends_with(" 64"));
}

#[tokio::test]
async fn every_corporation_envelope_is_scanned() {
    let row = with_fields(
        corporation_row("cust_1"),
        json!({
            "exemption_certificates": [{"id": "known, and not read"}], "phone": "+1 555 0100",
            "shipping_address": {"country": "US", "county": "Kings"},
            "exemption_metadata": {"certificate_types": ["BLANKET", "GALACTIC"], "score": 1},
        }),
    );
    let wrapped = with_fields(corporation_page(std::slice::from_ref(&row), None), json!({"request_id": "req_1"}));
    let flat = wrapped["data"].clone();
    for (target, body) in [
        ("/customers?expand=exemption", &wrapped),
        ("/customers?expand=exemption", &flat),
        ("/customers/odd.cust_1?expand=exemption", &json!({"data": row, "message": "ok", "request_id": "req_1"})),
        ("/customers/odd.cust_1?expand=exemption", &row),
    ] {
        let vendor = ScriptedVendor::replying(body.clone()).await;
        let gateway = vendor.gateway("corporation").await;
        gateway.get(target).await.ok();
        let envelope = if body.get("message").is_some() {
            "gateway_unknown_fields_total{connection=\"odd\",object=\"envelope\"} 1\n"
        } else {
            ""
        };
        let expected = format!(
            "gateway_unknown_fields_total{{connection=\"odd\",object=\"customer\"}} 1\n\
             {envelope}\
             gateway_unknown_fields_total{{connection=\"odd\",object=\"exemption\"}} 1\n\
             gateway_unknown_fields_total{{connection=\"odd\",object=\"shipping_address\"}} 1\n\
             gateway_unknown_values_total{{connection=\"odd\",field=\"exemption.certificate_types\"}} 1"
        );
        assert_eq!(drift_counts(&gateway).await, expected, "{body}");
    }
}

#[tokio::test]
async fn one_response_per_minute_and_kind_is_scanned() {
    let count = "gateway_unknown_fields_total{connection=\"odd\",object=\"customer\"} ";
    let vendor = ScriptedVendor::replying(tolt_page(&[with_fields(tolt_row("a"), json!({"tier": 1}))], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for seconds in [0, 1, 58] {
        gateway.clock.advance(Duration::from_secs(seconds));
        get_uncached(&gateway, "/customers").await;
        assert_eq!(drift_counts(&gateway).await, format!("{count}1"));
    }
    gateway.clock.advance(Duration::from_secs(1));
    get_uncached(&gateway, "/customers").await;
    assert_eq!(drift_counts(&gateway).await, format!("{count}2"));

    get_uncached(&gateway, "/transactions").await;
    assert!(drift_counts(&gateway).await.contains("object=\"transaction\"} 2"), "a separate kind, with `name`, too");
}

#[tokio::test]
async fn unknown_values_are_counted_and_served() {
    let rows = ["active", "paused", "paused"].map(|status| {
        with_fields(tolt_row("a"), json!({"status": status, "partner": {"id": "p", "status": "retired"}}))
    });
    let vendor = ScriptedVendor::replying(tolt_page(&rows, false)).await;
    let gateway = vendor.gateway("tolt").await;
    let page = gateway.get("/customers?expand=partner").await.ok();
    assert_eq!(page["data"][1]["status"], "paused");
    assert_eq!(page["data"][1]["referral"]["partner"]["status"], "retired");
    get_uncached(&gateway, "/customers").await;

    assert_snapshot!(drift_counts(&gateway).await, @r#"
    gateway_unknown_values_total{connection="odd",field="customer.status"} 4
    gateway_unknown_values_total{connection="odd",field="partner.status"} 3
    "#);
}

/// The tables and the simulated vendors are based on the same pages.
#[tokio::test]
async fn simulated_vendors_do_not_drift() {
    for envelope in [Envelope::Wrapped, Envelope::Flat] {
        let options = Options {
            tolt_customers: 300,
            tolt_transactions: 300,
            corporation_customers: 300,
            enforce_rate_limits: false,
            envelope,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let gateway = Gateway::start(config(connections_to(&sandbox))).await;
        let (affiliate, taxed) = (&sandbox.tolt().customers()[0].id, &sandbox.corporation().customers()[0].id);
        for target in [
            "/customers?connection=affiliates&limit=100&expand=partner&expand=program",
            "/transactions?connection=affiliates&limit=100&expand=partner&expand=program&expand=customer",
            "/customers?connection=tax&limit=100&expand=shipping_address&expand=exemption",
            &format!("/customers/affiliates.{affiliate}?expand=partner&expand=program&expand=stats"),
            &format!("/customers/tax.{taxed}?expand=shipping_address&expand=exemption"),
        ] {
            gateway.get(target).await.ok();
        }
        assert_eq!(drift_counts(&gateway).await, "");
    }
}

/// Documented values are the values that are not counted as unknown.
#[test]
fn contract_lists_the_documented_values() {
    let contract: Value = serde_json::from_str(include_str!("../../openapi/customer-gateway.json")).unwrap();
    let mut listed = 0;
    for field in KINDS.iter().flat_map(|kind| kind.documented.fields) {
        let (object, name) = field.name.split_once('.').unwrap();
        let schema = format!("{}{}", object[..1].to_uppercase(), &object[1..]);
        let property = &contract["components"]["schemas"][schema]["properties"][name];
        assert!(property.is_object(), "{}", field.name);
        if let Some(values) = property.get("x-extensible-enum") {
            assert_eq!(values, &json!(field.values), "{}", field.name);
            listed += 1;
        }
    }
    assert_eq!(listed, 5, "all but the types of certificates, of which the contract has no list");
}

/// A series that first appears with its first event shows no increase.
#[tokio::test]
async fn drift_series_exist_from_the_start() {
    for kind in KINDS {
        let gateway = ScriptedVendor::replying(json!({})).await.gateway(kind.name).await;
        let metrics = gateway.get("/metrics").await.text;
        let objects = kind.documented.objects;
        for object in objects {
            let series = format!("gateway_unknown_fields_total{{connection=\"odd\",object=\"{}\"}} 0\n", object.name);
            assert!(metrics.contains(&series), "{series}");
            let listed = |nested: &KnownObject| objects.iter().any(|&object| std::ptr::eq(object, nested));
            assert!(object.nested.iter().all(|&(_, nested)| listed(nested)), "{}", object.name);
        }
        for field in kind.documented.fields {
            let series = format!("gateway_unknown_values_total{{connection=\"odd\",field=\"{}\"}} 0\n", field.name);
            assert!(metrics.contains(&series), "{series}");
        }
    }
}
