//! Hidden values in entity tags, cursors, explanations and cached responses.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use customer_gateway::sandbox::{Data, tolt};

use super::policies::{LIMITED, OPEN, limited};
use crate::support::{Answer, Gateway, Stage, StageBuilder, caller, sandbox_with};

/// Returns a stage with two customers, the first with this email address.
async fn stage_with(email: &str) -> Stage {
    let customer = |id: &str, email: &str| tolt::Customer {
        email: email.to_owned().into(),
        name: "Jim Halpert".to_owned().into(),
        ..tolt::Customer::new(id, "2025-01-15T14:30:00.000Z")
    };
    let customers = vec![customer("cust_1", email), customer("cust_2", "other@example.com")];
    let data = Data { tolt: tolt::Data { customers, ..tolt::Data::default() }, corporation: Vec::new() };
    let stage = StageBuilder::new(sandbox_with(data)).configure(|config| {
        config.callers = vec![caller("open", OPEN, &["affiliates", "tax"]), limited(&["email"], &["name"])];
    });
    stage.start().await
}

async fn answers(gateway: &Gateway, key: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for target in [
        "/customers?connection=affiliates&limit=1&order=asc",
        "/customers/affiliates.cust_1",
        "/customers?id=affiliates.cust_1&id=affiliates.cust_2",
        "/explain/customers?connection=affiliates",
    ] {
        answers.push(gateway.get_as(key, target).await);
    }
    answers
}

/// The tags of two gateways whose rows differ in a hidden field only.
#[tokio::test]
async fn responses_do_not_depend_on_hidden_values() {
    let (one, two) = (stage_with("jim@example.com").await, stage_with("james.halpert@example.com").await);
    // Also from the response cache.
    for _ in 0..3 {
        let pairs = answers(&one.gateway, LIMITED).await.into_iter().zip(answers(&two.gateway, LIMITED).await);
        for (one, two) in pairs.filter(|(one, _)| one.headers.contains_key("etag")) {
            assert_eq!(one.text, two.text);
            assert_eq!(one.header("etag"), two.header("etag"), "{}", one.text);
        }
        let (open, other) = (answers(&one.gateway, OPEN).await, answers(&two.gateway, OPEN).await);
        assert_ne!(open[1].header("etag"), other[1].header("etag"));
    }
}

#[tokio::test]
async fn cursors_and_explanations_hide_the_values() {
    let stage = stage_with("jim@example.com").await;
    let answers = answers(&stage.gateway, LIMITED).await;
    let cursor = answers[0].json()["page"]["next_cursor"].as_str().unwrap().to_owned();
    let cursor = BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap().escape_ascii().to_string();
    assert!(cursor.contains("cust_"), "cursors contain vendor ids: {cursor}");
    let explained = &answers[3].text;
    for secret in ["jim@", "other@", "example.com", "Halpert"] {
        assert!(!cursor.contains(secret) && !explained.contains(secret), "{secret}: {cursor} {explained}");
    }
}

/// A tag of another caller's response matches nothing of this caller.
#[tokio::test]
async fn tags_of_other_callers_do_not_match() {
    let stage = stage_with("jim@example.com").await;
    let target = "/customers/affiliates.cust_1";
    for _ in 0..3 {
        let tag = stage.gateway.get_as(OPEN, target).await.header("etag").to_owned();
        let conditional = stage.gateway.request(|client, url| {
            client.get(format!("{url}{target}")).bearer_auth(LIMITED).header("if-none-match", tag)
        });
        let answer = conditional.await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains("jim@"), "{}", answer.text);
    }
}
