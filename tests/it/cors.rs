//! Cross-origin requests of pages (Fetch standard, section 3.2).

use crate::support::{Answer, Stage, StageBuilder, caller, sandbox};

const KEY: &str = "a-page's-key";
const ORIGIN: &str = "https://app.example.com";

async fn stage(origins: &[&'static str]) -> Stage {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    let configure = |config: &mut customer_gateway::config::Config| {
        config.callers = vec![caller("app", KEY, &["affiliates", "tax"])];
        config.server.cors_origins = origins;
    };
    StageBuilder::new(sandbox(30, 0, 30)).configure(configure).start().await
}

/// Sends the request of a page.
async fn fetch(stage: &Stage, origin: &str, key: &str, target: &str) -> Answer {
    let request = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}{target}")).bearer_auth(key).header("origin", origin)
    };
    stage.gateway.request(request).await
}

async fn preflight(stage: &Stage, origin: &str) -> reqwest::Response {
    let request = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("{}/customers?limit=10", stage.gateway.url))
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,prefer");
    request.send().await.unwrap()
}

#[tokio::test]
async fn preflight_needs_no_key() {
    let stage = stage(&["https://other.example.com", ORIGIN]).await;
    let response = preflight(&stage, ORIGIN).await;
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), ORIGIN);
    assert_eq!(header("access-control-allow-methods"), "GET,HEAD,POST,DELETE");
    assert_eq!(header("access-control-max-age"), "7200");
    assert!(header("access-control-allow-headers").contains("authorization"));
    assert!(!response.headers().contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn every_response_is_readable_by_the_page() {
    let stage = stage(&[ORIGIN]).await;
    for (target, key, status) in [
        ("/customers?limit=10", KEY, 200),
        // Cached responses too.
        ("/customers?limit=10", KEY, 200),
        ("/customers?limit=10", "another key", 401),
        ("/customers?limit=0.5", KEY, 400),
        ("/nowhere", KEY, 404),
        ("/livez", KEY, 200),
        ("/customers?%ff", KEY, 400),
    ] {
        let answer = fetch(&stage, ORIGIN, key, target).await;
        assert_eq!(answer.status, status, "{target}: {}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{target}");
        assert!(answer.header("access-control-expose-headers").contains("retry-after"), "{target}");
        let varies = answer.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("origin"));
        assert!(varies, "{target}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn page_of_another_origin_reads_nothing() {
    let stage = stage(&[ORIGIN]).await;
    for origin in ["https://evil.example.com", "http://app.example.com", "null", "https://app.example.com.evil.com"] {
        let answer = fetch(&stage, origin, KEY, "/customers").await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
        assert!(!preflight(&stage, origin).await.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
    // A request without an origin is cached without its headers.
    assert!(!stage.gateway.get_as(KEY, "/customers").await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn cors_is_off_by_default() {
    let stage = stage(&[]).await;
    let answer = fetch(&stage, ORIGIN, KEY, "/customers").await;
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    assert_eq!(preflight(&stage, ORIGIN).await.status(), 405);
}
