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
    insta::assert_snapshot!(gateway.get("/problems/vendor_rate_limited").await.text, @r#"
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>vendor_rate_limited</title>
    <style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
    <h1>The vendor's rate limit is exhausted</h1>
    <p><code>vendor_rate_limited</code>, HTTP 503 Service Unavailable</p>
    <p>Wait for <code>Retry-After</code> seconds.</p>
    <p>The same request may succeed later.</p>
    "#);
}
