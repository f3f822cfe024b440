use std::time::Duration;

use super::super::{Fault, Options, Sandbox, Tolt};
use super::small;

/// Lists customers. Returns the response and its body, with `<broken>` in place of a read error.
async fn list_customers(tolt: &Tolt) -> (reqwest::Response, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("{}/v1/customers?program_id={}", tolt.base_url(), tolt.program_id());
    let mut response = client.get(url).bearer_auth(tolt.credential()).send().await.unwrap();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => {
                body.extend_from_slice(b"<broken>");
                break;
            }
        }
    }
    (response, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn each_fault_applies_to_its_calls() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    let (_, whole) = list_customers(tolt).await;

    tolt.fail_next(2, Fault::Status(503));
    tolt.fail_next(1, Fault::StatusWithHeaders(429, vec![("Retry-After".into(), "7".into())]));
    for _ in 0..2 {
        let (response, body) = list_customers(tolt).await;
        assert_eq!(response.status(), 503);
        assert!(body.contains(r#""success":false"#));
    }
    let (response, _) = list_customers(tolt).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");

    tolt.fail_next(1, Fault::Html);
    let (response, body) = list_customers(tolt).await;
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(body.starts_with("<!DOCTYPE"));

    tolt.fail_next(1, Fault::Empty);
    assert_eq!(list_customers(tolt).await.1, "");

    tolt.fail_next(1, Fault::Truncated);
    assert_eq!(list_customers(tolt).await.1, whole[..whole.len() / 2]);

    tolt.fail_next(1, Fault::Reset);
    let (response, body) = list_customers(tolt).await;
    assert_eq!(response.status(), 200);
    assert_eq!(body, format!("{}<broken>", &whole[..whole.len() / 2]));

    tolt.fail_next(1, Fault::SuccessFalse);
    let (response, body) = list_customers(tolt).await;
    assert_eq!(response.status(), 200);
    assert!(body.contains(r#""success":false"#));

    tolt.fail_next(1, Fault::Redirect("https://elsewhere.example/".into()));
    let (response, _) = list_customers(tolt).await;
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "https://elsewhere.example/");

    tolt.fail_next(1, Fault::Stall(Duration::from_millis(120)));
    let start = tokio::time::Instant::now();
    assert_eq!(list_customers(tolt).await.1, whole);
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn error_rate_is_a_share_of_calls() {
    let sandbox = Sandbox::start(Options { error_rate: 0.5, ..small() }).await.unwrap();
    let mut failed = 0;
    for _ in 0..60 {
        let status = list_customers(sandbox.tolt()).await.0.status();
        failed += u32::from(status != 200);
        assert!(matches!(status.as_u16(), 200 | 429 | 500 | 502 | 503));
    }
    assert!((10..50).contains(&failed), "{failed}");
}
