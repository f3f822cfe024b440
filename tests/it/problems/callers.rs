//! Authentication, and each caller's access.

use std::{num::NonZeroU32, time::Duration};

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};

use crate::support::{Gateway, caller, config, connections_to, ids, sandbox};
use customer_gateway::{
    callers::{CallerKey, Quota},
    sandbox::Sandbox,
};

const BILLING: &str = "cgk_billing";
const GROWTH: &str = "cgk_growth";

/// Starts a gateway where billing may access both connections, and growth one.
async fn gateway_with_callers() -> (Sandbox, Gateway) {
    let sandbox = sandbox(5, 5, 5).await;
    let mut config = config(connections_to(&sandbox));
    config.callers =
        vec![caller("billing", BILLING, &["affiliates", "tax"]), caller("growth", GROWTH, &["affiliates"])];
    (sandbox, Gateway::start(config).await)
}

#[tokio::test]
async fn request_without_a_known_key_is_401() {
    let (sandbox, gateway) = gateway_with_callers().await;
    let answer = gateway.get("/customers?connection=affiliates").await;
    assert_json_snapshot!(answer.problem_snapshot(), @r#"
    {
      "code": "unauthenticated",
      "detail": "the `Authorization` header is missing; send `Authorization: Bearer <key>`",
      "request_id": "[request id]",
      "retryable": false,
      "status": 401,
      "title": "The request has no valid key or token"
    }
    "#);
    assert_eq!(answer.header("www-authenticate"), "Bearer");

    let mut told = Vec::new();
    for authorization in
        ["Bearer cgk_wrong", "Bearer", "Bearer ", "Basic Y2drX2JpbGxpbmc=", "cgk_billing", "bearer  cgk_billin"]
    {
        let answer = gateway
            .request(|client, url| client.get(format!("{url}/connections")).header("authorization", authorization))
            .await;
        told.push(format!("{authorization}: {}\n    {}", answer.problem_line(), answer.header("www-authenticate")));
    }
    assert_snapshot!(told.join("\n"), @r#"
    Bearer cgk_wrong: 401 unauthenticated the key is unknown
        Bearer error="invalid_token", error_description="the key is unknown"
    Bearer: 401 unauthenticated the `Authorization` header is not `Bearer <key>`
        Bearer
    Bearer : 401 unauthenticated the `Authorization` header is not `Bearer <key>`
        Bearer
    Basic Y2drX2JpbGxpbmc=: 401 unauthenticated the `Authorization` header is not `Bearer <key>`
        Bearer
    cgk_billing: 401 unauthenticated the `Authorization` header is not `Bearer <key>`
        Bearer
    bearer  cgk_billin: 401 unauthenticated the key is unknown
        Bearer error="invalid_token", error_description="the key is unknown"
    "#);
    for target in [
        "/customers/affiliates.x",
        "/transactions",
        "/customers/affiliates.x/transactions",
        "/connections/tax",
        "/customers?nope=1",
    ] {
        assert_eq!(gateway.get(target).await.code(401), "unauthenticated", "{target}");
    }
    assert_eq!(sandbox.tolt().calls(), 0, "no vendor was called");
}

#[tokio::test]
async fn authorization_scheme_is_case_insensitive() {
    let (_sandbox, gateway) = gateway_with_callers().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = gateway
            .request(|client, url| {
                client.get(format!("{url}/connections")).header("authorization", format!("{scheme} {BILLING}"))
            })
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn connection_of_another_caller_is_404() {
    let (sandbox, gateway) = gateway_with_callers().await;
    let customer = ids(&gateway.get_as(BILLING, "/customers?connection=tax").await.ok()).remove(0);
    assert_eq!(gateway.get_as(BILLING, &format!("/customers/{customer}")).await.status, 200);
    sandbox.corporation().reset_calls();

    for theirs in [
        "/customers?connection=tax".to_owned(),
        "/transactions?connection=tax".to_owned(),
        format!("/customers/{customer}"),
        format!("/customers/{customer}/transactions"),
        format!("/transactions?customer_id={customer}"),
        "/connections/tax".to_owned(),
    ] {
        let nobodys = theirs.replace("tax", "tux");
        let (theirs, nobodys) = (gateway.get_as(GROWTH, &theirs).await, gateway.get_as(GROWTH, &nobodys).await);
        assert_eq!(theirs.status, 404, "{}", theirs.text);
        assert_eq!(theirs.problem_snapshot().to_string().replace("tax", "tux"), nobodys.problem_snapshot().to_string());
    }
    assert_eq!(sandbox.corporation().calls(), 0, "no vendor was called");
}

#[tokio::test]
async fn caller_sees_only_its_own_connections() {
    let (_sandbox, gateway) = gateway_with_callers().await;
    let mut seen = Vec::new();
    for key in [BILLING, GROWTH] {
        let list = gateway.get_as(key, "/connections").await.ok();
        seen.push(list["data"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(json!(seen), json!([["affiliates", "tax"], ["affiliates"]]));
    // With one connection allowed, the request need not name it.
    assert_eq!(gateway.get_as(GROWTH, "/customers").await.ok()["sources"][0]["connection"], "affiliates");
}

#[tokio::test]
async fn cursor_grants_no_access() {
    let (_sandbox, gateway) = gateway_with_callers().await;
    let page = gateway.get_as(BILLING, "/customers?connection=tax&limit=2").await.ok();
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    let stolen = gateway.get_as(GROWTH, &format!("/customers?connection=tax&limit=2&cursor={cursor}")).await;
    assert_eq!(stolen.code(404), "connection_not_found");
    let bent = gateway.get_as(GROWTH, &format!("/customers?limit=2&cursor={cursor}")).await;
    assert_eq!(bent.code(400), "cursor_mismatch");
}

/// All public routes. Every route added later requires a key.
const PUBLIC_ROUTES: [&str; 8] = [
    "/docs",
    "/docs/{file}",
    "/livez",
    "/metrics",
    "/openapi-3.0.json",
    "/openapi.json",
    "/problems/{code}",
    "/readyz",
];

#[tokio::test]
async fn every_route_requires_a_key_except_public_ones() {
    let (sandbox, gateway) = gateway_with_callers().await;
    let document: Value = serde_json::from_str(&customer_gateway::api::documents().v3_1).unwrap();
    let mut public = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let target = path.replace("{code}", "unauthenticated").replace("{name}", "tax").replace("{id}", "tax.cust_1");
        for (method, operation) in item.as_object().unwrap() {
            let method: reqwest::Method = method.to_uppercase().parse().unwrap();
            let answer = gateway.request(|client, url| client.request(method.clone(), format!("{url}{target}"))).await;
            if answer.status == 401 {
                assert!(operation["security"].is_null(), "{method} {path} is documented as public");
            } else {
                assert_eq!((answer.status, &operation["security"]), (200, &json!([])), "{method} {path}");
                public.push(path.clone());
            }
        }
    }
    // The documentation page is not in the contract.
    let page = gateway.get("/docs").await.text;
    let files: Vec<_> = page.split('"').filter(|part| part.starts_with("/docs/")).collect();
    assert_eq!(files.len(), 2, "{page}");
    for (target, route) in [("/docs", "/docs"), (files[0], "/docs/{file}"), (files[1], "/docs/{file}")] {
        assert_eq!(gateway.get(target).await.status, 200, "{target}");
        public.push(route.to_owned());
    }
    public.sort();
    public.dedup();
    assert_eq!(public, PUBLIC_ROUTES);
    assert_eq!(sandbox.tolt().calls() + sandbox.corporation().calls(), 0, "no vendor was called");
}

#[tokio::test]
async fn unknown_routes_need_no_key() {
    let (_sandbox, gateway) = gateway_with_callers().await;
    for target in ["/nope", "/docs/a/b", "/livez/x", "//livez"] {
        assert_eq!(gateway.get(target).await.code(404), "not_found", "{target}");
    }
    assert_eq!(gateway.get("/docs/nope").await.code(404), "not_found");
    for target in ["/customers", "/cache", "/livez", "/docs"] {
        let answer = gateway.request(|client, url| client.post(format!("{url}{target}"))).await;
        assert_eq!(answer.code(405), "method_not_allowed", "{target}");
    }
    // HEAD has the status of GET.
    for (target, status) in [("/customers", 401), ("/connections/tax", 401), ("/livez", 200)] {
        assert_eq!(
            gateway.request(|client, url| client.head(format!("{url}{target}"))).await.status,
            status,
            "{target}"
        );
    }
}

#[tokio::test]
async fn callers_key_never_appears_in_responses() {
    let (_sandbox, gateway) = gateway_with_callers().await;
    for key in [BILLING, "cgk_wrong_but_secret"] {
        for target in ["/customers?connection=nope", "/nope", "/connections"] {
            let answer = gateway.get_as(key, target).await;
            assert!(!answer.text.contains(key) && !format!("{:?}", answer.headers).contains(key), "{}", answer.text);
        }
    }
}

/// FACTS.md, case 212.
#[tokio::test]
async fn old_key_is_accepted_until_it_expires() {
    let sandbox = sandbox(1, 0, 0).await;
    let mut config = config(connections_to(&sandbox));
    let mut billing = caller("billing", "cgk_new", &["affiliates"]);
    // A minute after the start of the tests' clock.
    let expires = Some("2025-11-01T00:01:00Z".parse().unwrap());
    billing.keys.push(CallerKey { digest: blake3::hash(b"cgk_old"), expires });
    config.callers = vec![billing];
    let gateway = Gateway::start(config).await;
    for key in ["cgk_new", "cgk_old"] {
        gateway.get_as(key, "/customers").await.ok();
        gateway.get_as(key, "/customers").await.ok();
    }
    gateway.clock.advance(Duration::from_mins(1));
    let refused = gateway.get_as("cgk_old", "/customers").await;
    assert_snapshot!(refused.problem_line(), @"401 unauthenticated the key has expired");
    gateway.get_as("cgk_new", "/customers").await.ok();
}

#[tokio::test]
async fn spent_quota_is_429_until_it_refills() {
    let sandbox = sandbox(1, 0, 0).await;
    let mut config = config(connections_to(&sandbox));
    let mut billing = caller("billing", BILLING, &["affiliates"]);
    billing.quota = Some(Quota { requests: NonZeroU32::new(4).unwrap(), per: Duration::from_mins(1) });
    config.callers = vec![billing, caller("growth", GROWTH, &["affiliates"])];
    let gateway = Gateway::start(config).await;

    // Cached responses and rejected requests count, too.
    for target in ["/customers", "/customers", "/customers"] {
        gateway.get_as(BILLING, target).await.ok();
    }
    assert_eq!(gateway.get_as(BILLING, "/customers?nope=1").await.code(400), "unknown_parameter");
    for target in ["/customers", "/customers?limit=1", "/connections"] {
        let refused = gateway.get_as(BILLING, target).await;
        assert_eq!(refused.problem_line(), "429 quota_exceeded the quota of `billing` is exhausted");
        assert_eq!(refused.header("retry-after"), "15");
        assert_eq!(refused.problem()["retryable"], true);
    }
    gateway.get_as(GROWTH, "/customers").await.ok();
    assert_eq!(gateway.get("/livez").await.status, 200);

    gateway.clock.advance(Duration::from_secs(15));
    gateway.get_as(BILLING, "/customers").await.ok();
    assert_eq!(gateway.get_as(BILLING, "/customers").await.code(429), "quota_exceeded");
}

#[tokio::test]
async fn raw_objects_require_permission() {
    let sandbox = sandbox(5, 5, 5).await;
    let mut config = config(connections_to(&sandbox));
    let mut growth = caller("growth", GROWTH, &["affiliates", "tax"]);
    growth.may_see_raw = false;
    config.callers = vec![caller("billing", BILLING, &["affiliates", "tax"]), growth];
    let gateway = Gateway::start(config).await;
    let id = format!("affiliates.{}", sandbox.tolt().customers()[0].id);
    for target in [
        "/customers?include=raw".to_owned(),
        format!("/customers/{id}?include=raw"),
        "/transactions?include=raw".to_owned(),
        format!("/customers/{id}/transactions?include=raw"),
        "/explain/customers?include=raw".to_owned(),
    ] {
        // Also if the response is cached for another caller.
        for _ in 0..2 {
            gateway.get_as(BILLING, &target).await.ok();
        }
        let refused = gateway.get_as(GROWTH, &target).await;
        assert_eq!(refused.code(403), "forbidden", "{target}");
        assert_eq!(refused.json()["parameter"], "include");
        assert!(!refused.text.contains("cust_"), "{}", refused.text);
    }
    gateway.get_as(GROWTH, "/customers").await.ok();
}

#[tokio::test]
async fn problems_name_usable_connections_only() {
    let (sandbox, _) = gateway_with_callers().await;
    let mut config = config(connections_to(&sandbox));
    config.callers =
        vec![caller("growth", GROWTH, &["affiliates"]), caller("billing", BILLING, &["affiliates", "tax"])];
    let gateway = Gateway::start(config).await;
    let detail = async |key: &str, target: &str| {
        gateway.get_as(key, target).await.problem()["detail"].as_str().unwrap().to_owned()
    };
    let unsupported = "/customers?source_platform=stripe";
    assert!(detail(BILLING, unsupported).await.contains("name only connections that support this (`tax`)"));
    assert!(detail(GROWTH, unsupported).await.ends_with("; no connection supports this; remove the parameter"));
}
