//! Pages at the `type` of problems.

use super::stage;
use crate::support::Stage;

#[tokio::test]
async fn every_problem_code_has_a_page() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let unknown = gateway.get("/problems/nope").await;
    assert_eq!(unknown.code(404), "not_found");
    let problem = unknown.problem();
    let codes: Vec<&str> = problem["supported"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let page = gateway.get(&format!("/problems/{code}")).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{code}");
        assert!(page.text.contains(&format!("<code>{code}</code>, HTTP ")), "{}", page.text);
        assert!(!page.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn problem_page_names_the_remedy() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let page = gateway.get("/problems/vendor_rate_limited").await.text;
    assert!(page.contains("<a href=\"/problems/not_found\">") && page.contains("<a href=\"/docs\">"), "{page}");
    insta::assert_snapshot!(page.split("<p>Other").next().unwrap(), @r#"
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>vendor_rate_limited</title>
    <style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}code{overflow-wrap:anywhere}</style>
    <h1>The vendor's rate limit is exhausted</h1>
    <p><code>vendor_rate_limited</code>, HTTP 503 Service Unavailable</p>
    <p>Wait for <code>Retry-After</code> seconds.</p>
    <p>The same request may succeed later.</p>
    "#);
}

/// `Accept` of Firefox for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn problem_is_a_page_for_browsers() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let accepting = async |target: &str, accept: &str| {
        gateway.request(|client, url| client.get(format!("{url}{target}")).header("accept", accept)).await
    };
    for target in ["/nope", "/customers?limit=0.5", "/customers/affiliates.nope", "/connections/nope"] {
        let page = accepting(target, BROWSER).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{target}");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{target}");
        let json = gateway.get(target).await;
        assert_eq!(page.status, json.status, "{target}");
        let problem = json.problem();
        let code = problem["code"].as_str().unwrap();
        for part in [&format!("<a href=\"/problems/{code}\">"), "<a href=\"/docs\">", page.header("x-request-id")] {
            assert!(page.text.contains(part), "{target}: {part} is absent from {}", page.text);
        }
    }
    for accept in ["*/*", "application/json", "application/problem+json, text/html", "text/html;q=0.5, */*", ""] {
        let answer = accepting("/nope", accept).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{accept}");
    }
}

#[tokio::test]
async fn problem_page_escapes_values() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    for target in [
        "/customers?limit=%3Cscript%3Ealert(1)%3C/script%3E",
        "/customers?%3Cscript%3E=1",
        "/customers/%3Cscript%3E",
        "/customers/affiliates.%60%3Cscript%3E",
        "/connections/%26%3Cscript%3E",
    ] {
        let page = gateway.request(|client, url| client.get(format!("{url}{target}")).header("accept", BROWSER)).await;
        assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script"), "{target}: {}", page.text);
    }
}
