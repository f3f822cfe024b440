//! Responses are classified by meaning, not by number (FACTS.md cases 60 to
//! 66).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Answer, Gateway, Reply, ScriptedVendor, config, corporation_page, corporation_row, tolt_page, tolt_row,
};

const LIST: &str = "/customers";
const ONE: &str = "/customers/odd.cust_1";
const CHALLENGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
const PROXY_PAGE: &str = "<html>\r\n<head><title>404 Not Found</title></head><body>nginx</body></html>";
const RATE_LIMITED: &str = r#"{"success":false,"error":{"message":"Slow down","type":"rate_limit_error"}}"#;

/// Vendor that always sends this response, and a gateway whose calls do not
/// wait for the budget.
async fn stage(kind: &str, reply: Reply) -> (ScriptedVendor, Gateway) {
    let vendor = ScriptedVendor::start(move |_, _| reply.clone()).await;
    let mut connection = vendor.connection(kind);
    connection.rate_limit.max_wait = Duration::ZERO;
    (vendor, Gateway::start(config(vec![connection])).await)
}

/// Gets a target from each vendor and asserts the code.
async fn assert_code(status: u16, body: &str, target: &str, expected: &str) {
    for kind in ["tolt", "corporation"] {
        let (_vendor, gateway) = stage(kind, Reply::text(status, body)).await;
        let answer = gateway.get(target).await;
        assert_eq!(answer.problem()["code"], expected, "{kind} {target}: {status} {body}: {}", answer.text);
    }
}

/// Gets the second page of a Tolt list, whose response is this one.
async fn later_page(status: u16, body: &str) -> Answer {
    let first = Reply::json(&tolt_page(&[tolt_row("cust_1")], true));
    let later = Reply::text(status, body);
    let script = move |_: usize, target: &str| {
        if target.contains("starting_after") { later.clone() } else { first.clone() }
    };
    let vendor = ScriptedVendor::start(script).await;
    let gateway = vendor.gateway("tolt").await;
    let page = gateway.get("/customers?limit=1").await.ok();
    let cursor = page["page"]["next_cursor"].as_str().unwrap().to_owned();
    gateway.get(&format!("/customers?limit=1&cursor={cursor}")).await
}

fn rate_limits() -> Vec<(u16, &'static str)> {
    vec![
        (429, "{}"),
        (429, ""),
        (429, CHALLENGE),
        (420, ""),
        (200, RATE_LIMITED),
        (203, RATE_LIMITED),
        (400, RATE_LIMITED),
        (403, RATE_LIMITED),
        (404, RATE_LIMITED),
        (500, RATE_LIMITED),
        (503, RATE_LIMITED),
        (403, r#"{"message":"API rate limit exceeded for user"}"#),
        (400, r#"{"success":false,"code":"rate_limit_exceeded","message":"No"}"#),
        (200, r#"{"error":{"type":"CLIENT_TOO_MANY_REQUESTS","title":"No"}}"#),
        (200, r#"{"statusCode":429,"message":"No"}"#),
        (200, r#"{"success":true,"data":{"data":[]},"customers":[],"error":{"type":"rate_limit_error"}}"#),
        (200, r#"{"data":{"error":{"type":"rate_limit_error"},"data":[],"customers":[]}}"#),
        (200, "Too Many Requests"),
    ]
}

#[tokio::test]
async fn rate_limit_in_any_form_blocks_the_credential() {
    for kind in ["tolt", "corporation"] {
        for (status, body) in rate_limits() {
            let reply = Reply::with_headers(status, "retry-after: 20\r\n", body.as_bytes());
            let (vendor, gateway) = stage(kind, reply).await;
            for (target, remaining) in [(LIST, "20"), (ONE, "20"), (LIST, "20")] {
                let answer = gateway.get(target).await;
                assert_eq!(answer.code(503), "vendor_rate_limited", "{kind} {target}: {status} {body}");
                assert_eq!(answer.header("retry-after"), remaining, "{kind} {target}: {status} {body}");
            }
            assert_eq!(vendor.calls(), 1, "{kind}: {status} {body}");
            let connection = gateway.get("/connections/odd").await.ok();
            assert_eq!(connection["budget"]["blocked_for"], 20, "{kind}: {status} {body}");
            assert_eq!(connection["breaker"]["state"], "closed", "{kind}: {status} {body}");
            let calls = r#"gateway_vendor_calls_total{connection="odd",status="429"} 1"#;
            assert!(gateway.get("/metrics").await.text.contains(calls), "{kind}: {status} {body}");
        }
    }
}

#[tokio::test]
async fn rate_limit_in_a_success_is_retried() {
    let limited = Reply::with_headers(200, "retry-after-ms: 5\r\n", RATE_LIMITED.as_bytes());
    let page = Reply::json(&tolt_page(&[tolt_row("cust_1")], false));
    let vendor = ScriptedVendor::start(move |call, _| if call == 0 { limited.clone() } else { page.clone() }).await;
    let gateway = vendor.gateway("tolt").await;
    let answer = async { gateway.get(LIST).await.ok() };
    let time = async {
        crate::support::until(|| gateway.clock.sleepers() > 0).await;
        // A block lasts at least one second, with jitter of up to half a second.
        gateway.clock.advance(Duration::from_millis(999));
        assert_eq!(vendor.calls(), 1);
        gateway.clock.advance(Duration::from_millis(501));
    };
    tokio::join!(answer, time);
    assert_eq!(vendor.calls(), 2);
}

fn failures() -> Vec<(u16, &'static str)> {
    vec![
        (200, CHALLENGE),
        (201, r#"{"success":true,"has_more":false,"data":[],"customers":[]}"#),
        (202, ""),
        (204, ""),
        (205, ""),
        (206, r#"{"success":true,"has_more":false,"data":[],"customers":[]}"#),
        (302, ""),
        (304, ""),
        (400, PROXY_PAGE),
        (401, CHALLENGE),
        (403, CHALLENGE),
        (403, "\u{feff}\r\n<html></html>"),
        (403, r#"{"url":"https://geo.captcha-delivery.com/captcha/"}"#),
        (404, PROXY_PAGE),
        (404, "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code></Error>"),
        (404, "404 page not found\n"),
        (404, "default backend - 404"),
        (404, r#"{"error":{"type":"api_error","message":"Something went wrong"}}"#),
        (405, CHALLENGE),
        (407, "{}"),
        (410, PROXY_PAGE),
        (502, "upstream connect error"),
        (511, "{}"),
        (520, ""),
        (200, r#"{"success":false}"#),
        (200, r#"{"success":"false","data":{"data":[],"customers":[]}}"#),
        (200, r#"{"success":false,"error":{"type":"api_error"}}"#),
        (200, r#"{"error":{"type":"SERVER_ERROR","status":500}}"#),
    ]
}

#[tokio::test]
async fn failure_in_any_form_is_vendor_error() {
    for (status, body) in failures() {
        assert_code(status, body, LIST, "vendor_error").await;
        assert_code(status, body, ONE, "vendor_error").await;
        let answer = later_page(status, body).await;
        assert_eq!(answer.code(502), "vendor_error", "{status} {body}");
    }
}

#[tokio::test]
async fn failure_in_any_form_opens_the_breaker() {
    for (status, body) in failures() {
        let (vendor, gateway) = stage("tolt", Reply::text(status, body)).await;
        for query in 0..5 {
            assert_eq!(gateway.get(&format!("/customers?status={query}")).await.code(502), "vendor_error");
        }
        let calls = vendor.calls();
        assert_eq!(gateway.get(LIST).await.code(503), "vendor_unavailable", "{status} {body}");
        assert_eq!(vendor.calls(), calls);
    }
}

#[tokio::test]
async fn page_of_a_proxy_names_its_title() {
    let (_vendor, gateway) = stage("tolt", Reply::text(403, CHALLENGE)).await;
    let problem = gateway.get(LIST).await.problem();
    assert_eq!(problem["vendor"], json!({"status": 403, "code": null, "message": "Just a moment..."}));
    assert_eq!(problem["retryable"], true);
}

#[tokio::test]
async fn rejected_credential_is_found_in_any_form() {
    for (status, body) in [
        (401, "{}"),
        (401, PROXY_PAGE),
        (403, "{}"),
        (403, r#"{"error":{"type":"permission_error"}}"#),
        (200, r#"{"success":false,"error":{"message":"Invalid API key provided","type":"authentication_error"}}"#),
        (200, r#"{"statusCode":401,"message":"No"}"#),
        (200, r#"{"success":false,"message":"No","code":401}"#),
        (200, r#"{"error":{"type":"CLIENT_ERROR","status":403}}"#),
        (200, r#"{"error":"Unauthorized"}"#),
        (200, r#"{"message":"Unauthorized"}"#),
        (400, r#"{"error":{"type":"authentication_error"}}"#),
        (404, r#"{"code":"invalid_api_key","message":"No such key"}"#),
    ] {
        assert_code(status, body, LIST, "vendor_unauthorized").await;
        assert_code(status, body, ONE, "vendor_unauthorized").await;
    }
}

#[tokio::test]
async fn missing_customer_is_found_in_any_form() {
    for (status, body) in [
        (404, "{}"),
        (404, ""),
        (404, r#"{"message":"Transaction not found"}"#),
        (404, "Customer not found"),
        (410, "{}"),
        (410, ""),
        (410, r#"{"error":{"type":"gone","detail":"The customer was deleted."}}"#),
        (400, r#"{"error":{"type":"not_found","message":"No such customer"}}"#),
        (422, r#"{"code":"resource_missing","message":"No"}"#),
        (200, r#"{"success":false,"error":{"type":"not_found"}}"#),
        (200, r#"{"success":false,"message":"Customer not found"}"#),
        (200, r#"{"statusCode":404,"message":"No"}"#),
    ] {
        assert_code(status, body, ONE, "customer_not_found").await;
        assert_code(status, body, LIST, "vendor_rejected").await;
    }
}

#[tokio::test]
async fn other_rejection_concerns_no_cursor() {
    for (status, body) in [
        (402, r#"{"message":"The subscription has ended"}"#),
        (405, "{}"),
        (406, "{}"),
        (409, "{}"),
        (413, PROXY_PAGE),
        (414, PROXY_PAGE),
        (423, "{}"),
        (451, "{}"),
        (404, r#"{"message":"no Route matched with those values"}"#),
        (404, r#"{"statusCode":404,"message":"Cannot GET /v1/customers/cust_1","error":"Not Found"}"#),
        (404, r#"{"success":false,"message":"Program not found"}"#),
    ] {
        assert_code(status, body, LIST, "vendor_rejected").await;
        assert_code(status, body, ONE, "vendor_rejected").await;
        assert_eq!(later_page(status, body).await.code(502), "vendor_rejected", "{status} {body}");
    }
}

#[tokio::test]
async fn response_without_content_is_unreadable() {
    for (status, body) in [(200, ""), (200, "ok"), (200, "null"), (200, "[]"), (200, r#"{"data":null}"#)] {
        assert_code(status, body, LIST, "vendor_unreadable").await;
        assert_code(status, body, ONE, "vendor_unreadable").await;
    }
}

#[tokio::test]
async fn unreadable_or_rejected_keeps_breaker_closed() {
    for (status, body) in [(200, "{}"), (400, "{}"), (402, "{}"), (410, "{}"), (429, "{}")] {
        let (_vendor, gateway) = stage("tolt", Reply::text(status, body)).await;
        for query in 0..6 {
            gateway.get(&format!("/customers?status={query}")).await.problem();
            gateway.clock.advance(Duration::from_mins(1));
        }
        assert_eq!(gateway.get("/connections/odd").await.ok()["breaker"]["state"], "closed", "{status} {body}");
    }
}

#[tokio::test]
async fn status_203_is_a_page() {
    let pages: [(&str, Value); 2] = [
        ("tolt", tolt_page(&[tolt_row("cust_1")], false)),
        ("corporation", corporation_page(&[corporation_row("cust_1")], None)),
    ];
    for (kind, page) in pages {
        let (_vendor, gateway) = stage(kind, Reply::text(203, &page.to_string())).await;
        assert_eq!(gateway.walk(LIST).await.unwrap(), ["odd.cust_1"]);
    }
}

#[tokio::test]
async fn row_with_an_error_member_is_served() {
    let mut row = tolt_row("cust_1");
    row["error"] = json!({"type": "rate_limit_error"});
    row["success"] = json!(false);
    let (_vendor, gateway) = stage("tolt", Reply::json(&tolt_page(&[row], false))).await;
    assert_eq!(gateway.walk(LIST).await.unwrap(), ["odd.cust_1"]);
}

#[tokio::test]
async fn requested_pause_is_honoured_and_passed_on() {
    for (status, body) in [(503, "{}"), (503, CHALLENGE), (502, ""), (403, CHALLENGE), (500, "{}")] {
        let reply = Reply::with_headers(status, "retry-after: 20\r\n", body.as_bytes());
        let (vendor, gateway) = stage("tolt", reply).await;
        let answer = gateway.get(LIST).await;
        assert_eq!((answer.code(502).as_str(), answer.header("retry-after")), ("vendor_error", "20"), "{status}");
        gateway.clock.advance(Duration::from_secs(19));
        let paused = gateway.get(ONE).await;
        assert_eq!((paused.code(503).as_str(), paused.header("retry-after")), ("vendor_unavailable", "1"), "{status}");
        assert_eq!(vendor.calls(), 1, "{status}");
        gateway.clock.advance(Duration::from_secs(1));
        assert_eq!(gateway.get(LIST).await.code(502), "vendor_error");
        assert_eq!(vendor.calls(), 2, "{status}");
    }
}

#[tokio::test]
async fn retry_after_of_zero_reaches_no_caller() {
    for status in [429, 503] {
        for value in ["0", "0.0", "-5", "", "Fri, 31 Oct 2025 00:00:00 GMT"] {
            let reply = Reply::with_headers(status, &format!("retry-after: {value}\r\n"), b"{}");
            let (_vendor, gateway) = stage("tolt", reply).await;
            for target in [LIST, ONE] {
                let answer = gateway.get(target).await;
                assert_ne!(answer.header("retry-after"), "0", "{status} {value}");
                assert_eq!(answer.header("retry-after").is_empty(), status == 503, "{status} {value}");
            }
        }
    }
}

#[tokio::test]
async fn absurd_pause_is_an_hour() {
    for status in [429, 503] {
        for value in ["18446744073709551615", "99999999999999999999999", "1e400", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let reply = Reply::with_headers(status, &format!("retry-after: {value}\r\n"), b"{}");
            let (_vendor, gateway) = stage("tolt", reply).await;
            let answer = gateway.get(LIST).await;
            if value != "1e400" {
                assert_eq!(answer.header("retry-after"), "3600", "{status} {value}");
            }
            assert_ne!(answer.status, 500);
        }
    }
}
