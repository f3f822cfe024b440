//! Lists, flags and accounts that a vendor damages or states twice. Found by the
//! fuzz targets (FACTS.md cases 80 to 83).

use serde_json::{Value, json};

use crate::support::{ACCOUNT, Gateway, Reply, ScriptedVendor, corporation_row, ids, tolt_page, tolt_row};

/// Starts a gateway in front of a vendor that answers with this text.
async fn gateway(kind: &str, body: &str) -> (ScriptedVendor, Gateway) {
    let body = body.to_owned();
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(200, &body)).await;
    let gateway = vendor.gateway(kind).await;
    (vendor, gateway)
}

/// Returns the final record of an export.
async fn final_record(gateway: &Gateway) -> Value {
    let export = gateway
        .request(|client, url| client.get(format!("{url}/customers")).header("accept", "application/x-ndjson"))
        .await;
    serde_json::from_str::<Value>(export.text.lines().last().unwrap()).unwrap()["export"].clone()
}

// FACTS.md case 80
#[tokio::test]
async fn lost_list_is_unreadable() {
    for word in ["NaN", "undefined", "nul", "1e400", "nil\u{e9}"] {
        for (kind, body) in [
            ("tolt", format!(r#"{{"success":true,"has_more":false,"data":{word}}}"#)),
            ("tolt", format!(r#"{{"success":true,"has_more":false,"data":{{"data":{word}}}}}"#)),
            ("corporation", format!(r#"{{"customers":{word},"total_customers":0}}"#)),
            ("corporation", format!(r#"{{"data":{{"customers":{word}}}}}"#)),
            ("corporation", format!(r#"{{"data":{word}}}"#)),
        ] {
            let (_vendor, gateway) = gateway(kind, &body).await;
            for target in ["/customers", "/customers?include=raw"] {
                assert_eq!(gateway.get(target).await.code(502), "vendor_unreadable", "{target} {body}");
            }
        }
    }
}

// FACTS.md case 80
#[tokio::test]
async fn lost_customer_is_not_missing() {
    for kind in ["tolt", "corporation"] {
        for data in ["NaN", "[NaN]"] {
            let (_vendor, gateway) = gateway(kind, &format!(r#"{{"success":true,"data":{data}}}"#)).await;
            assert_eq!(gateway.get("/customers/odd.a").await.code(502), "vendor_unreadable", "{kind} {data}");
        }
    }
}

// FACTS.md case 80
#[tokio::test]
async fn empty_list_beside_lost_value_is_served() {
    for (kind, body) in [
        ("tolt", r#"{"success":true,"has_more":false,"data":{"data":[],"x":NaN}}"#),
        ("corporation", r#"{"data":{"customers":[]},"x":NaN}"#),
    ] {
        let (_vendor, gateway) = gateway(kind, body).await;
        assert_eq!(gateway.get("/customers").await.ok()["data"], json!([]), "{kind}");
    }
}

// FACTS.md case 80
#[tokio::test]
async fn lost_list_of_texts_is_counted() {
    let row = format!(r#"{{"id":"a","corporation_id":"{ACCOUNT}","exemption_metadata":{{"exempted_states":NaN}}}}"#);
    let (_vendor, gateway) = gateway("corporation", &format!(r#"{{"data":{{"customers":[{row}]}}}}"#)).await;
    assert_eq!(ids(&gateway.get("/customers?expand=exemption").await.ok()), ["odd.a"]);
    let metrics = gateway.get("/metrics").await.text;
    assert!(metrics.contains("gateway_values_unreadable_total{connection=\"odd\"} 1"));
}

// FACTS.md case 81
#[tokio::test]
async fn rows_of_a_second_list_are_reported() {
    let rows = |names: &[&str]| names.iter().map(|id| corporation_row(id)).collect::<Vec<_>>();
    for (inner, outer, served, unreadable) in [
        (&["a"][..], &["b", "c"][..], &["odd.a"][..], 2),
        (&["a"], &[], &["odd.a"], 0),
        (&[], &["b"], &["odd.b"], 0),
        (&[], &[], &[], 0),
    ] {
        let body = json!({"data": {"customers": rows(inner)}, "customers": rows(outer)});
        let (_vendor, gateway) = gateway("corporation", &body.to_string()).await;
        let page = gateway.get("/customers").await.ok();
        assert_eq!(ids(&page), served);
        assert_eq!(page["sources"][0]["unreadable"], unreadable, "{body}");
        let status = if unreadable > 0 { "incomplete" } else { "complete" };
        assert_eq!(final_record(&gateway).await["status"], status, "{body}");
    }
}

// FACTS.md case 82
#[tokio::test]
async fn contradicting_flags_prove_no_end() {
    for (outer, inner) in [(json!(false), json!(true)), (json!(true), json!(0)), (json!("no"), json!(1))] {
        let vendor = ScriptedVendor::start(move |_, target| {
            if target.contains("starting_after=b") {
                return Reply::json(&tolt_page(&[], false));
            }
            let id = if target.contains("starting_after=a") { "b" } else { "a" };
            Reply::json(&json!({"has_more": outer, "data": {"has_more": inner, "data": [tolt_row(id)]}}))
        })
        .await;
        assert_eq!(vendor.gateway("tolt").await.walk("/customers").await.unwrap(), ["odd.a", "odd.b"]);
    }
}

// FACTS.md case 82
#[tokio::test]
async fn largest_of_two_totals_counts() {
    for (inner, outer) in [(1, 3), (3, 1)] {
        let data = json!({"customers": [corporation_row("a")], "total_customers": inner});
        let body = json!({"data": data, "total_customers": outer});
        let (_vendor, gateway) = gateway("corporation", &body.to_string()).await;
        assert_eq!(gateway.get("/customers").await.ok()["sources"][0]["status"], "partial");
        assert_eq!(final_record(&gateway).await["status"], "incomplete");
    }
}

// FACTS.md case 82
#[tokio::test]
async fn contradicting_cursors_are_unreadable() {
    let body = json!({"data": {"customers": [corporation_row("a")], "cursor": "b"}, "cursor": "c"});
    let (_vendor, gateway) = gateway("corporation", &body.to_string()).await;
    assert_eq!(gateway.get("/customers").await.code(502), "vendor_unreadable");
}

// FACTS.md case 83
#[tokio::test]
async fn row_of_unreadable_account_is_reported() {
    for account in ["[]", "{}", "true", "NaN", r#""account\ud83d""#] {
        for (kind, key) in [("tolt", "program_id"), ("corporation", "corporation_id")] {
            let rows = format!(r#"{{"id":"a"}},{{"id":"b","{key}":{account}}}"#);
            let body = match kind {
                "tolt" => format!(r#"{{"success":true,"has_more":false,"data":{{"data":[{rows}]}}}}"#),
                _ => format!(r#"{{"data":{{"customers":[{rows}]}}}}"#),
            };
            let (_vendor, of_list) = gateway(kind, &body).await;
            let page = of_list.get("/customers").await.ok();
            assert_eq!((ids(&page), &page["sources"][0]["unreadable"]), (vec!["odd.a".to_owned()], &json!(1)));
            assert_eq!(final_record(&of_list).await["status"], "incomplete", "{body}");
            let body = format!(r#"{{"success":true,"data":{{"id":"b","{key}":{account}}}}}"#);
            let (_vendor, of_one) = gateway(kind, &body).await;
            assert_eq!(of_one.get("/customers/odd.b").await.code(502), "vendor_unreadable", "{body}");
        }
    }
}
