//! Bad values in vendor responses, and their effect on walks, exports and
//! filters (FACTS.md cases 41 to 49).

use serde_json::{Value, json};

use crate::support::{ACCOUNT, Gateway, Reply, ScriptedVendor, tolt_page, tolt_row};

/// Starts a Tolt vendor with two pages. The first page contains this row.
async fn two_pages(row: &[u8]) -> ScriptedVendor {
    let page = tolt_page(&[tolt_row("a"), json!("@"), tolt_row("b")], true).to_string();
    let (before, after) = page.split_once("\"@\"").unwrap();
    let first = [before.as_bytes(), row, after.as_bytes()].concat();
    let last = tolt_page(&[tolt_row("c")], false);
    ScriptedVendor::start(move |_, target| {
        if target.contains("starting_after") { Reply::json(&last) } else { Reply::with_headers(200, "", &first) }
    })
    .await
}

/// Returns a row with this name, as JSON that may be damaged.
fn named(name: &[u8]) -> Vec<u8> {
    let row = json!({"id": "x", "program_id": ACCOUNT, "name": "@"}).to_string();
    let (before, after) = row.split_once("\"@\"").unwrap();
    [before.as_bytes(), name, after.as_bytes()].concat()
}

/// Returns the last line of an export, and its rows.
async fn export(gateway: &Gateway, target: &str) -> (Value, usize) {
    let answer = gateway
        .request(|client, url| client.get(format!("{url}{target}")).header("accept", "application/x-ndjson"))
        .await;
    let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = lines.iter().filter(|line| line.get("export").is_none()).count();
    (lines.last().unwrap()["export"].clone(), rows)
}

// FACTS.md cases 41 to 43
#[tokio::test]
async fn bad_value_does_not_end_a_walk_or_export() {
    for name in [
        &br#""Ann \ud83d""#[..],
        br#""\ude00\ud83d""#,
        b"1e400",
        b"-1E+400",
        b"NaN",
        br#""Ann","name":"Bob""#,
        b"\"A\x01nn\"",
        b"\"A\xffnn\"",
        b"\"A\xed\xa0\xbdnn\"",
    ] {
        let vendor = two_pages(&named(name)).await;
        let gateway = vendor.gateway("tolt").await;
        for target in ["/customers?limit=1", "/customers?limit=1&include=raw"] {
            assert_eq!(gateway.walk(target).await.unwrap(), ["odd.a", "odd.x", "odd.b", "odd.c"], "{name:?}");
        }
        let (end, rows) = export(&gateway, "/customers").await;
        assert_eq!((&end["status"], rows), (&json!("complete"), 4), "{end}");
        let metrics = gateway.get("/metrics").await.text;
        assert!(metrics.contains("gateway_values_unreadable_total{connection=\"odd\"} 2"), "{name:?}");
    }
}

// FACTS.md case 44
#[tokio::test]
async fn null_row_is_counted_and_skipped() {
    let vendor = two_pages(b"null").await;
    let gateway = vendor.gateway("tolt").await;
    assert_eq!(gateway.walk("/customers?limit=1").await.unwrap(), ["odd.a", "odd.b", "odd.c"]);
    let page = gateway.get("/customers").await.ok();
    assert_eq!((&page["sources"][0]["unreadable"], &page["page"]["total"]), (&json!(1), &json!(null)));
    let (end, rows) = export(&gateway, "/customers").await;
    assert_eq!((&end["status"], rows), (&json!("complete"), 3));
    assert_eq!(end["sources"][0]["unreadable"], 1);
}

// FACTS.md case 44
#[tokio::test]
async fn row_without_id_makes_an_export_incomplete() {
    for row in [&br#"{"name":"Jim"}"#[..], br#""text""#, b"[]", br#"{"id":[]}"#] {
        let vendor = two_pages(row).await;
        let gateway = vendor.gateway("tolt").await;
        assert_eq!(gateway.walk("/customers").await.unwrap(), ["odd.a", "odd.b", "odd.c"]);
        let (end, rows) = export(&gateway, "/customers").await;
        assert_eq!((&end["status"], &end["cursor"], rows), (&json!("incomplete"), &json!(null), 3));
        assert_eq!(
            (&end["problem"]["code"], &end["sources"][0]["unreadable"]),
            (&json!("vendor_unreadable"), &json!(1))
        );
    }
}

// FACTS.md case 46
#[tokio::test]
async fn undecided_row_is_reported() {
    let row = |created_at: Value| {
        json!({"id": "x", "program_id": ACCOUNT, "created_at": created_at, "name": "Ann"}).to_string().into_bytes()
    };
    let range = "created_gte=2025-01-01T00:00:00Z";
    for (created_at, undecided) in [(json!("soon"), 1), (json!([]), 1), (json!(20_250_115), 1), (json!(null), 0)] {
        let vendor = two_pages(&row(created_at.clone())).await;
        let gateway = vendor.gateway("tolt").await;
        let page = gateway.get(&format!("/customers?{range}")).await.ok();
        assert_eq!(page["data"].as_array().unwrap().len(), 3, "{created_at}");
        assert_eq!(page["sources"][0]["undecided"], undecided, "{created_at}");
        let (end, _) = export(&gateway, &format!("/customers?{range}")).await;
        assert_eq!(end["status"], if undecided > 0 { "incomplete" } else { "complete" }, "{created_at}");
        assert_eq!(end["sources"][0]["undecided"], undecided, "{created_at}");
        // Without a range, the row is served.
        let page = gateway.get("/customers").await.ok();
        assert_eq!((page["data"].as_array().unwrap().len(), &page["sources"][0]["undecided"]), (4, &json!(0)));
    }
    let vendor = two_pages(&named(b"{}")).await;
    let page = vendor.gateway("tolt").await.get("/customers?search=jim").await.ok();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["sources"][0]["undecided"]), (3, &json!(1)));
}

// FACTS.md case 49
#[tokio::test]
async fn search_follows_unicode() {
    for (name, search) in [
        ("ΟΔΥΣΣΕΥΣ ΑΕ", "ΟΔΥΣ"),
        ("Große Straße", "STRASSE"),
        ("Jose\u{301}", "JOSÉ"),
        ("Oﬃce", "office"),
        ("ＡＣＭＥ", "acme"),
    ] {
        let vendor = two_pages(&named(json!(name).to_string().as_bytes())).await;
        let encoded = percent_encoding::utf8_percent_encode(search, percent_encoding::NON_ALPHANUMERIC).to_string();
        let found = vendor.gateway("tolt").await.walk(&format!("/customers?search={encoded}")).await.unwrap();
        assert_eq!(found, ["odd.x"], "{name} {search}");
    }
}

// FACTS.md case 48
#[tokio::test]
async fn merged_customer_is_purged_by_either_id() {
    let vendor = ScriptedVendor::replying(json!({"success": true, "data": tolt_row("cust_new")})).await;
    let gateway = vendor.gateway("tolt").await;
    for id in ["cust_old", "cust_new"] {
        let calls = vendor.calls();
        for _ in 0..2 {
            assert_eq!(gateway.get("/customers/odd.cust_old").await.ok()["id"], "odd.cust_new");
        }
        assert_eq!(vendor.calls(), calls + 1);
        let purged = gateway.request(|client, url| client.delete(format!("{url}/cache?customer=odd.{id}"))).await;
        assert_eq!(purged.ok()["purged"], 1, "{id}");
    }
    let metrics = gateway.get("/metrics").await.text;
    assert!(metrics.contains("gateway_ids_mismatched_total{connection=\"odd\"} 2"));
}

// FACTS.md case 47
#[tokio::test]
async fn vendor_message_reaches_the_caller() {
    for (body, code, message) in [
        (r#"{"success":false,"message":"Invalid program","code":4001}"#, json!("4001"), json!("Invalid program")),
        (r#"["Invalid program"]"#, json!(null), json!("Invalid program")),
        ("Invalid program", json!(null), json!("Invalid program")),
        ("<html>Invalid program</html>", json!(null), json!(null)),
    ] {
        let vendor = ScriptedVendor::start(move |_, _| Reply::text(422, body)).await;
        let problem = vendor.gateway("tolt").await.get("/customers").await.json();
        assert_eq!((&problem["vendor"]["code"], &problem["vendor"]["message"]), (&code, &message), "{body}");
    }
}
