//! Redaction of the gateway's secrets in vendor messages (FACTS.md case 35).

use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{Gateway, Reply, SECRET, ScriptedVendor, config};

/// Response bodies that repeat the secret in every possible member.
fn bodies_with_secret(status: u16) -> Vec<(&'static str, String)> {
    let message = format!("Invalid API key {SECRET} (Bearer {SECRET})");
    vec![
        ("tolt", json!({"success": false, "error": {"message": message, "type": SECRET}}).to_string()),
        ("tolt", json!({"success": false, "message": message, "code": format!("bad_{SECRET}")}).to_string()),
        ("tolt", json!({"message": "no", "errors": [{"field": SECRET, "message": message}]}).to_string()),
        ("tolt", format!("<html>{message}</html>")),
        ("tolt", json!({"success": SECRET, "data": message}).to_string()),
        ("corporation", json!({"error": {"type": SECRET, "title": message, "detail": null}}).to_string()),
        (
            "corporation",
            json!({"error": {"type": "X", "detail": message, "status": status,
                "Errors": [{"details": message, "pointer": SECRET}]}})
            .to_string(),
        ),
        ("corporation", message.clone()),
        ("corporation", json!({"customers": message, "cursor": SECRET}).to_string()),
        ("corporation", json!({SECRET: SECRET}).to_string()),
    ]
}

#[tokio::test]
async fn echoed_secret_is_redacted() {
    for status in [200, 400, 401, 404, 429, 500, 302] {
        for (kind, body) in bodies_with_secret(status) {
            let headers =
                format!("location: http://127.0.0.1:9/{SECRET}\r\nx-key: {SECRET}\r\nretry-after: {SECRET}\r\n");
            let vendor = ScriptedVendor::start({
                let body = body.clone();
                move |_, _| Reply::with_headers(status, &headers, body.as_bytes())
            })
            .await;
            // The test clock does not advance, so no request may wait.
            let mut connection = vendor.connection(kind);
            connection.rate_limit.max_wait = Duration::ZERO;
            let gateway = Gateway::start(config(vec![connection])).await;
            for target in ["/customers", "/customers/odd.cust_1"] {
                let answer = gateway.get(target).await;
                assert!(!answer.text.contains(SECRET), "{kind} {status} {body}: {}", answer.text);
                assert!(!format!("{:?}", answer.headers).contains(SECRET), "{:?}", answer.headers);
            }
        }
    }
}

#[tokio::test]
async fn rest_of_redacted_message_is_kept() {
    let said = json!({"success": false, "error": {"message": format!("Invalid API key {SECRET}."), "type": "authentication_error"}});
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(401, &said.to_string())).await;
    assert_json_snapshot!(vendor.gateway("tolt").await.get("/customers").await.problem_snapshot(), @r#"
    {
      "code": "vendor_unauthorized",
      "connection": "odd",
      "detail": "the vendor rejected the credential",
      "request_id": "[request id]",
      "retryable": false,
      "status": 502,
      "title": "The vendor rejected the connection's credential",
      "vendor": {
        "code": "authentication_error",
        "message": "Invalid API key [redacted].",
        "status": 401
      }
    }
    "#);
}

#[tokio::test]
async fn truncated_message_reveals_no_part_of_secret() {
    // The message is truncated at 300 characters, in the middle of the secret.
    let said = json!({"message": format!("{}{SECRET}", "x".repeat(295))});
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(500, &said.to_string())).await;
    let told = vendor.gateway("tolt").await.get("/customers").await.problem_snapshot();
    let message = told["vendor"]["message"].as_str().unwrap();
    assert_eq!(message.chars().count(), 300);
    assert!(!message.contains(&SECRET[..4]), "{message}");
}
