//! Mapping of tokens to callers, and each caller's access.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::callers::Quota;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{KEY, Provider, caller_with_claims, claims, configured, keys, signer::Signer, stage_with_keys};
use crate::support::{Gateway, sandbox};

/// Returns the claims of growth's tokens.
fn growth_claims(others: Value) -> Value {
    let mut claims = claims(json!({"azp": null, "groups": ["everybody", "growth"], "tid": "t-1"}));
    let Value::Object(others) = others else { panic!("{others}") };
    claims.as_object_mut().unwrap().extend(others);
    claims
}

/// Returns the names of the connections that a token or key may access.
async fn connections(gateway: &Gateway, token: &str) -> Value {
    let list = gateway.get_as(token, "/connections").await.ok();
    list["data"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect()
}

#[tokio::test]
async fn token_maps_to_first_caller_with_all_claims() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let mut told = Vec::new();
    for others in [
        json!({}),
        json!({"groups": "growth"}),
        json!({"groups": []}),
        json!({"groups": ["growths", 7, null, ["growth"]]}),
        json!({"groups": {"growth": true}}),
        json!({"groups": "everybody growth"}),
        json!({"tid": null}),
        json!({"tid": "t-2"}),
        json!({"azp": "billing-service"}),
        json!({"azp": ["billing-service"]}),
        json!({"azp": "Billing-Service", "groups": null}),
    ] {
        let answer = stage.gateway.get_as(&signer.token(&growth_claims(others.clone())), "/connections").await;
        let said = match answer.status {
            200 => format!("{} connections", answer.json()["data"].as_array().unwrap().len()),
            _ => answer.problem_line(),
        };
        told.push(format!("{others}: {said}"));
    }
    assert_snapshot!(told.join("\n"), @r#"
    {}: 1 connections
    {"groups":"growth"}: 1 connections
    {"groups":[]}: 401 unauthenticated the token's claims match no caller
    {"groups":["growths",7,null,["growth"]]}: 401 unauthenticated the token's claims match no caller
    {"groups":{"growth":true}}: 401 unauthenticated the token's claims match no caller
    {"groups":"everybody growth"}: 401 unauthenticated the token's claims match no caller
    {"tid":null}: 401 unauthenticated the token's claims match no caller
    {"tid":"t-2"}: 401 unauthenticated the token's claims match no caller
    {"azp":"billing-service"}: 2 connections
    {"azp":["billing-service"]}: 2 connections
    {"azp":"Billing-Service","groups":null}: 401 unauthenticated the token's claims match no caller
    "#);
}

#[tokio::test]
async fn token_hides_connections_of_other_callers() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let (billing, growth) = (signer.token(&claims(json!({}))), signer.token(&growth_claims(json!({}))));
    assert_eq!(connections(&stage.gateway, &billing).await, json!(["affiliates", "tax"]));
    assert_eq!(connections(&stage.gateway, &growth).await, json!(["affiliates"]));
    assert_eq!(connections(&stage.gateway, KEY).await, json!(["affiliates", "tax"]));
    for target in ["/customers?connection=tax", "/connections/tax"] {
        // A response cached for one caller is not served to another caller.
        stage.gateway.get_as(&billing, target).await.ok();
        stage.gateway.get_as(&billing, target).await.ok();
        assert_eq!(stage.gateway.get_as(&growth, target).await.code(404), "connection_not_found");
    }
}

#[tokio::test]
async fn token_response_is_cached_like_a_key_response() {
    let signer = Signer::rs256("a");
    let stage = stage_with_keys(&[&signer]).await;
    let token = signer.token(&claims(json!({})));
    let target = "/customers?connection=affiliates&limit=2";
    let first = stage.gateway.get_as(&token, target).await;
    let again = stage.gateway.get_as(&token, target).await;
    assert_eq!((first.ok(), first.header("etag")), (again.ok(), again.header("etag")));
    assert!(again.header("cache-status").contains("; hit"), "{:?}", again.headers);
    let metrics = stage.gateway.get("/metrics").await.text;
    let counted = "gateway_requests_total{route=\"/customers\",status=\"200\",caller=\"billing\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn token_and_key_of_a_caller_share_its_quota() {
    let (signer, sandbox) = (Signer::es256("a"), sandbox(1, 0, 0).await);
    let provider = Provider::start(keys(&[&signer])).await;
    let mut config = configured(&sandbox, provider.jwks());
    config.callers[0].keys = config.callers[2].keys.split_off(0);
    config.callers[0].quota = Some(Quota { requests: NonZeroU32::new(2).unwrap(), per: Duration::from_mins(1) });
    config.callers.truncate(1);
    let gateway = Gateway::start(config).await;
    let token = signer.token(&claims(json!({})));
    gateway.get_as(&token, "/customers").await.ok();
    gateway.get_as(KEY, "/customers").await.ok();
    for shown in [KEY, &token] {
        let refused = gateway.get_as(shown, "/customers").await;
        assert_eq!(refused.problem_line(), "429 quota_exceeded the quota of `billing` is exhausted");
    }
}

#[tokio::test]
async fn first_matching_section_determines_the_caller() {
    let (signer, sandbox) = (Signer::es256("a"), sandbox(1, 0, 0).await);
    let provider = Provider::start(keys(&[&signer])).await;
    let mut config = configured(&sandbox, provider.jwks());
    config.callers = vec![
        caller_with_claims("both", &[("azp", "billing-service"), ("groups", "growth")], &["tax"]),
        caller_with_claims("billing", &[("azp", "billing-service")], &["affiliates"]),
    ];
    let gateway = Gateway::start(config).await;
    let token = |others| signer.token(&claims(others));
    assert_eq!(connections(&gateway, &token(json!({"groups": ["growth"]}))).await, json!(["tax"]));
    assert_eq!(connections(&gateway, &token(json!({}))).await, json!(["affiliates"]));
}
