//! Responses that are too large, too deep or ambiguous.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Reply, ScriptedVendor, corporation_row, tolt_page, tolt_row};

const MIB: usize = 1 << 20;
const CHUNKS: usize = 200;

/// Starts a vendor with a response of 200 MiB, with a framing header.
async fn flood(framing: &str, chunk: Vec<u8>) -> ScriptedVendor {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing}\r\n");
    ScriptedVendor::start(move |_, _| Reply::Flood { head: head.clone(), chunk: chunk.clone(), times: CHUNKS }).await
}

/// Asserts that the gateway stops reading. The gateway's limit is 8 MiB; the
/// vendor writes more, because socket buffers hold unread bytes.
async fn assert_cut_off(vendor: &ScriptedVendor) {
    let gateway = vendor.gateway("tolt").await;
    for target in ["/customers", "/customers/odd.cust_1"] {
        let answer = gateway.get(target).await;
        assert_eq!(
            answer.problem_line(),
            "502 vendor_unreadable the response is larger than 8388608 bytes",
            "{target}"
        );
    }
    let a_call = vendor.written() / vendor.calls();
    assert!(a_call < 64 * MIB, "{a_call} of {} bytes were read in each call", CHUNKS * MIB);
}

#[tokio::test]
async fn oversized_body_is_cut_off() {
    assert_cut_off(&flood("connection: close\r\n", vec![b' '; MIB]).await).await;
}

#[tokio::test]
async fn oversized_chunked_body_is_cut_off() {
    let chunk = [format!("{MIB:x}\r\n").as_bytes(), &vec![b' '; MIB], b"\r\n"].concat();
    assert_cut_off(&flood("transfer-encoding: chunked\r\n", chunk).await).await;
}

#[tokio::test]
async fn oversized_content_length_is_cut_off() {
    let announced = format!("content-length: {}\r\n", CHUNKS * MIB);
    assert_cut_off(&flood(&announced, vec![b' '; MIB]).await).await;
}

#[tokio::test]
async fn decompression_bomb_is_cut_off() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..CHUNKS {
        bomb.write_all(&vec![b' '; MIB]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < MIB);
    let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let vendor = ScriptedVendor::start(move |_, _| Reply::with_headers(200, headers, &bomb)).await;
    let answer = vendor.gateway("tolt").await.get("/customers").await;
    assert_eq!(answer.problem_line(), "502 vendor_unreadable the response is larger than 8388608 bytes");
}

#[tokio::test]
async fn large_page_below_limit_is_served() {
    let row = json!({"id": "cust_1", "name": "n".repeat(7 * MIB)});
    let vendor = ScriptedVendor::replying(tolt_page(&[row], false)).await;
    assert_eq!(vendor.gateway("tolt").await.walk("/customers").await.unwrap(), ["odd.cust_1"]);
}

#[tokio::test]
async fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut answers = Vec::new();
    for (kind, target, place) in [
        ("tolt", "/customers", r#"{"has_more": false, "data": $}"#),
        ("tolt", "/customers", r#"{"has_more": false, "data": {"data": [{"id": "cust_1", "name": $}]}}"#),
        (
            "tolt",
            "/customers",
            r#"{"has_more": false, "data": {"data": [{"id": "cust_1", "partner": {"id": $}, "odd": $}]}}"#,
        ),
        ("tolt", "/customers", r#"{"success": false, "error": $}"#),
        ("tolt", "/customers/odd.cust_1", r#"{"data": $}"#),
        ("tolt", "/customers/odd.cust_1", r#"{"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}"#),
        ("corporation", "/customers", "$"),
        ("corporation", "/customers", r#"{"customers": [{"id": "cust_1", "shipping_address": $, "odd": $}]}"#),
        ("corporation", "/customers/odd.cust_1", "$"),
        ("corporation", "/customers/odd.cust_1", r#"{"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}"#),
    ] {
        let body = place.replace('$', &deep);
        let vendor = ScriptedVendor::start(move |_, _| Reply::text(200, &body)).await;
        let gateway = vendor.gateway(kind).await;
        for target in [target, &format!("{target}?include=raw")] {
            let answer = gateway.get(target).await;
            let told = if answer.status == 200 { "served".to_owned() } else { answer.code(502) };
            answers.push(format!("{kind} {target} {place}: {told}"));
        }
    }
    assert_snapshot!(answers.join("\n"), @r#"
    tolt /customers {"has_more": false, "data": $}: served
    tolt /customers?include=raw {"has_more": false, "data": $}: served
    tolt /customers {"has_more": false, "data": {"data": [{"id": "cust_1", "name": $}]}}: served
    tolt /customers?include=raw {"has_more": false, "data": {"data": [{"id": "cust_1", "name": $}]}}: served
    tolt /customers {"has_more": false, "data": {"data": [{"id": "cust_1", "partner": {"id": $}, "odd": $}]}}: served
    tolt /customers?include=raw {"has_more": false, "data": {"data": [{"id": "cust_1", "partner": {"id": $}, "odd": $}]}}: served
    tolt /customers {"success": false, "error": $}: vendor_error
    tolt /customers?include=raw {"success": false, "error": $}: vendor_error
    tolt /customers/odd.cust_1 {"data": $}: vendor_unreadable
    tolt /customers/odd.cust_1?include=raw {"data": $}: vendor_unreadable
    tolt /customers/odd.cust_1 {"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}: served
    tolt /customers/odd.cust_1?include=raw {"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}: served
    corporation /customers $: vendor_unreadable
    corporation /customers?include=raw $: vendor_unreadable
    corporation /customers {"customers": [{"id": "cust_1", "shipping_address": $, "odd": $}]}: served
    corporation /customers?include=raw {"customers": [{"id": "cust_1", "shipping_address": $, "odd": $}]}: served
    corporation /customers/odd.cust_1 $: vendor_unreadable
    corporation /customers/odd.cust_1?include=raw $: vendor_unreadable
    corporation /customers/odd.cust_1 {"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}: served
    corporation /customers/odd.cust_1?include=raw {"data": {"id": "cust_1", "name": $, "odd": {"a": $}}}: served
    "#);
}

// FACTS.md case 270
#[tokio::test]
async fn list_with_too_many_elements_is_unreadable() {
    for (kind, place) in [
        ("tolt", r#"{"has_more": false, "data": [$]}"#),
        ("tolt", r#"{"has_more": false, "data": {"data": [$]}}"#),
        ("corporation", r#"{"customers": [$]}"#),
        ("corporation", r#"{"data": {"customers": [$]}}"#),
    ] {
        for (elements, status) in [(1_000, 200), (1_001, 502), (100_000, 502)] {
            let body = place.replace('$', &["0"].repeat(elements).join(","));
            let vendor = ScriptedVendor::start(move |_, _| Reply::text(200, &body)).await;
            let gateway = vendor.gateway(kind).await;
            for target in ["/customers", "/customers?include=raw"] {
                let answer = gateway.get(target).await;
                assert_eq!(answer.status, status, "{place} {elements} {target}");
                if status == 502 {
                    let detail = format!("the list has {elements} elements, more than 1000");
                    let line = format!("502 vendor_unreadable the vendor's response cannot be read: {detail}");
                    assert_eq!(answer.problem_line(), line, "{place} {target}");
                }
            }
        }
    }
}

// FACTS.md case 270
#[tokio::test]
async fn page_with_more_rows_than_requested_is_served() {
    let rows: Vec<_> = (0..1_000).map(|row| corporation_row(&format!("cust_{row}"))).collect();
    let vendor = ScriptedVendor::replying(json!({"customers": rows})).await;
    let walked = vendor.gateway("corporation").await.walk("/customers?limit=100").await.unwrap();
    assert_eq!(walked.len(), 1_000);
}

// FACTS.md case 271
#[tokio::test]
async fn list_of_too_many_texts_is_unreadable() {
    for (texts, unreadable) in [(1_000, "0"), (1_001, "1")] {
        let mut row = corporation_row("cust_1");
        row["exemption_metadata"] = json!({"exempted_states": vec!["TX"; texts]});
        let vendor = ScriptedVendor::replying(json!({"customers": [row]})).await;
        let gateway = vendor.gateway("corporation").await;
        assert_eq!(gateway.walk("/customers?expand=exemption").await.unwrap(), ["odd.cust_1"]);
        let metrics = gateway.get("/metrics").await.text;
        let series = "gateway_values_unreadable_total{connection=\"odd\"} ";
        let value = metrics.lines().find_map(|line| line.strip_prefix(series));
        assert_eq!(value, Some(unreadable), "{texts} texts");
    }
}

#[tokio::test]
async fn last_duplicate_json_key_is_read() {
    let vendor = ScriptedVendor::start(|_, _| {
        Reply::text(200, r#"{"has_more": false, "data": [{"id": "cust_1", "name": "Jim", "name": "Dwight"}]}"#)
    })
    .await;
    let page = vendor.gateway("tolt").await.get("/customers").await.ok();
    assert_eq!(page["data"][0]["name"], "Dwight");
}

#[tokio::test]
async fn trailing_data_is_unreadable() {
    let page = json!({"customers": [corporation_row("cust_1")]});
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(200, &format!("{page} {page}"))).await;
    assert_eq!(vendor.gateway("corporation").await.get("/customers").await.code(502), "vendor_unreadable");
}

#[tokio::test]
async fn invalid_utf8_is_replaced() {
    let page = tolt_page(&[tolt_row("cust_1")], false).to_string().replace("Jim", "J\u{1}m");
    let body: Vec<u8> = page.bytes().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let vendor = ScriptedVendor::start(move |_, _| Reply::with_headers(200, "", &body)).await;
    let page = vendor.gateway("tolt").await.get("/customers").await.ok();
    assert_eq!(page["data"][0]["name"], "J\u{fffd}m");
}
