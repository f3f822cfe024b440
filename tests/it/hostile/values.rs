//! Values that the vendors do not document.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Reply, ScriptedVendor, corporation_page, tolt_page, tolt_row};

/// Serves a page with this row, and returns the row as the gateway serves it.
async fn serve_row(kind: &str, row: Value) -> Value {
    let page = if kind == "tolt" { tolt_page(&[row], false) } else { corporation_page(&[row], None) };
    let vendor = ScriptedVendor::replying(page).await;
    vendor.gateway(kind).await.get("/customers").await.ok()["data"][0].clone()
}

#[tokio::test]
async fn total_is_a_count_or_null() {
    let mut lines = Vec::new();
    for total in [
        json!("1"),
        json!(1),
        json!(0),
        json!(85),
        json!(-1),
        json!(1.5),
        json!("many"),
        json!(null),
        json!([]),
        json!(u64::MAX),
    ] {
        for (kind, body) in [
            ("tolt", json!({"data": {"data": [tolt_row("a")]}, "has_more": false, "total_count": total})),
            ("corporation", json!({"customers": [{"id": "a"}], "total_customers": total})),
        ] {
            let page = ScriptedVendor::replying(body).await.gateway(kind).await.get("/customers").await.ok();
            assert_eq!(page["page"]["total"], page["sources"][0]["total"]);
            lines.push(format!("{kind} {total}: {}", page["page"]["total"]));
        }
    }
    assert_snapshot!(lines.join("\n"), @r#"
    tolt "1": 1
    corporation "1": 1
    tolt 1: 1
    corporation 1: 1
    tolt 0: null
    corporation 0: null
    tolt 85: null
    corporation 85: null
    tolt -1: null
    corporation -1: null
    tolt 1.5: null
    corporation 1.5: null
    tolt "many": null
    corporation "many": null
    tolt null: null
    corporation null: null
    tolt []: null
    corporation []: null
    tolt 18446744073709551615: null
    corporation 18446744073709551615: null
    "#);
}

#[tokio::test]
async fn absent_total_is_null() {
    for (kind, body) in [("tolt", json!({"data": []})), ("corporation", json!({"customers": []}))] {
        let page = ScriptedVendor::replying(body).await.gateway(kind).await.get("/customers").await.ok();
        assert_eq!(page["page"]["total"], Value::Null, "{kind}");
    }
}

#[tokio::test]
async fn wrong_total_does_not_end_the_walk() {
    for total in [0, 1, 1_000_000] {
        let rows = json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]);
        let vendor = ScriptedVendor::replying(json!({"customers": rows, "total_customers": total})).await;
        let walked = vendor.gateway("corporation").await.walk("/customers?limit=2").await.unwrap();
        assert_eq!(walked, ["odd.a", "odd.b", "odd.c"], "{total}");
    }
}

#[tokio::test]
async fn unknown_values_pass_and_fields_are_ignored() {
    let customer = serve_row("tolt", json!({"id": "a", "status": "hibernating", "mood": {"today": ["good"]}})).await;
    assert_eq!(customer["status"], "hibernating");
    assert_eq!(customer.get("mood"), None);
    let customer = serve_row("corporation", json!({"id": "a", "source_platform": "carrier_pigeon", "mood": 1})).await;
    assert_eq!(customer["tax"]["source_platform"], "carrier_pigeon");
}

#[tokio::test]
async fn mistyped_field_keeps_its_row() {
    let customer = serve_row(
        "tolt",
        json!({"id": "a", "name": {"first": "Jim"}, "email": ["x"], "created_at": true, "status": 7}),
    )
    .await;
    assert_eq!(
        [&customer["id"], &customer["name"], &customer["email"], &customer["created_at"], &customer["status"]],
        [&json!("odd.a"), &json!(null), &json!(null), &json!(null), &json!("7")]
    );
}

#[tokio::test]
async fn epoch_is_seconds_or_milliseconds() {
    let mut lines = Vec::new();
    for epoch in [
        json!(1_736_951_400),
        json!(1_736_951_400_123_i64),
        json!("1736951400"),
        json!("1736951400123"),
        json!(0),
        json!(-1),
        json!(null),
        json!(1.5),
        json!(i64::MAX),
        json!("2025-01-15T14:30:00.123456+02:00"),
        json!("soon"),
    ] {
        let customer = serve_row("corporation", json!({"id": "a", "created_at": epoch})).await;
        lines.push(format!("{epoch}: {}", customer["created_at"]));
    }
    assert_snapshot!(lines.join("\n"), @r#"
    1736951400: "2025-01-15T14:30:00.000Z"
    1736951400123: "2025-01-15T14:30:00.123Z"
    "1736951400": "2025-01-15T14:30:00.000Z"
    "1736951400123": "2025-01-15T14:30:00.123Z"
    0: null
    -1: "1969-12-31T23:59:59.000Z"
    null: null
    1.5: "1970-01-01T00:00:01.500Z"
    9223372036854775807: null
    "2025-01-15T14:30:00.123456+02:00": "2025-01-15T12:30:00.123456Z"
    "soon": null
    "#);
}

#[tokio::test]
async fn ids_with_special_characters_round_trip() {
    for id in ["a+b=c&d", "100%", "a b", "ключ", "a.b..c", "a?b#c", "\"quoted\"", "🦀"] {
        let vendor = ScriptedVendor::start(move |_, target| {
            let row = tolt_row(id);
            Reply::json(&if target.contains("program_id=") {
                tolt_page(&[row], false)
            } else {
                json!({"success": true, "data": row})
            })
        })
        .await;
        let gateway = vendor.gateway("tolt").await;
        let listed = gateway.walk("/customers").await.unwrap().remove(0);
        let encoded = percent_encoding::utf8_percent_encode(&listed, percent_encoding::NON_ALPHANUMERIC).to_string();
        let target = format!("/customers/{encoded}");
        let fetched =
            gateway.request(|client, url| client.get(format!("{url}{target}")).header("cache-control", "no-cache"));
        assert_eq!(fetched.await.ok()["id"], format!("odd.{id}"));
        let asked = vendor.targets().pop().unwrap();
        let segment = asked.strip_prefix("/v1/customers/").unwrap().trim_end_matches('?');
        assert_eq!(percent_encoding::percent_decode_str(segment).decode_utf8().unwrap(), id);
    }
}

#[tokio::test]
async fn row_without_id_is_counted() {
    for (kind, page) in [
        ("tolt", tolt_page(&[json!({"name": "Jim"})], false)),
        ("corporation", corporation_page(&[json!({"id": null})], None)),
    ] {
        let page = ScriptedVendor::replying(page).await.gateway(kind).await.get("/customers").await.ok();
        assert_eq!((&page["data"], &page["page"]["total"]), (&json!([]), &json!(null)), "{kind}");
        assert_eq!(page["sources"][0]["unreadable"], 1, "{kind}");
    }
}

#[tokio::test]
async fn missing_list_is_unreadable() {
    for (kind, body) in [
        ("tolt", json!({})),
        ("tolt", json!({"data": {}})),
        ("tolt", json!({"data": null})),
        ("tolt", json!({"data": {"data": null}})),
        ("tolt", json!([])),
        ("tolt", json!("text")),
        ("corporation", json!({})),
        ("corporation", json!({"data": {}})),
        ("corporation", json!({"customers": null})),
        ("corporation", json!({"data": {"customers": {}}})),
        ("corporation", json!(null)),
    ] {
        let answer = ScriptedVendor::replying(body.clone()).await.gateway(kind).await.get("/customers").await;
        assert_eq!(answer.code(502), "vendor_unreadable", "{kind} {body}");
    }
}
