//! Quotas in responses: `RateLimit-Policy`, `RateLimit` and `retry_after`.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::{callers::Quota, sandbox::Fault};

use crate::support::{Answer, Stage, StageBuilder, caller, sandbox};

const KEY: &str = "cgk_billing";
const OTHER: &str = "cgk_growth";
const PAGE: &str = "/customers?connection=affiliates";

/// Returns a stage where billing has a quota, and growth has none.
fn stage(requests: u32, per: Duration) -> StageBuilder<'static> {
    let quota = Quota { requests: NonZeroU32::new(requests).unwrap(), per };
    StageBuilder::new(sandbox(5, 0, 0)).configure(move |config| {
        config.callers =
            vec![caller("billing", KEY, &["affiliates", "tax"]), caller("growth", OTHER, &["affiliates", "tax"])];
        config.callers[0].quota = Some(quota);
    })
}

/// Returns both headers of a response.
fn quota(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

impl Stage {
    async fn ask(&self, target: &str) -> Answer {
        self.gateway.get_as(KEY, target).await
    }
}

#[tokio::test]
async fn each_response_reports_the_quota() {
    let stage = stage(60, Duration::from_mins(1)).start().await;
    let policy = "\"quota\";q=60;w=60";
    // The third and fourth response come from the response cache.
    let targets =
        [PAGE, PAGE, PAGE, PAGE, "/customers?nope=1", "/customers/affiliates.x", "/connections", "/explain/customers"];
    for (index, target) in targets.iter().enumerate() {
        let answer = stage.ask(target).await;
        assert_eq!(quota(&answer), (policy, &*format!("\"quota\";r={};t=1", 59 - index)), "{target}");
    }
    stage.gateway.clock.advance(Duration::from_millis(2500));
    assert_eq!(quota(&stage.ask(PAGE).await), (policy, "\"quota\";r=53;t=1"));
    let tag = stage.ask(PAGE).await.header("etag").to_owned();
    let request = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}{PAGE}")).bearer_auth(KEY).header("if-none-match", tag)
    };
    let answer = stage.gateway.request(request).await;
    assert_eq!((answer.status, quota(&answer)), (304, (policy, "\"quota\";r=51;t=1")));
}

#[tokio::test]
async fn exhausted_quota_names_the_next_request() {
    let stage = stage(2, Duration::from_secs(90)).start().await;
    stage.ask("/connections").await.ok();
    assert_eq!(stage.ask("/connections").await.header("ratelimit"), "\"quota\";r=0;t=45");
    for target in [PAGE, "/connections"] {
        let answer = stage.ask(target).await;
        assert_eq!(answer.code(429), "quota_exceeded");
        assert_eq!(quota(&answer), ("\"quota\";q=2;w=90", "\"quota\";r=0;t=45"));
        assert_eq!((answer.header("retry-after"), &answer.problem()["retry_after"]), ("45", &45.into()));
    }
    stage.gateway.clock.advance(Duration::from_secs(45));
    assert_eq!(stage.ask("/connections").await.header("ratelimit"), "\"quota\";r=0;t=45");
}

#[tokio::test]
async fn fractions_of_a_second_are_rounded_up() {
    let stage = stage(10, Duration::from_millis(2500)).start().await;
    assert_eq!(quota(&stage.ask(PAGE).await), ("\"quota\";q=10;w=3", "\"quota\";r=9;t=1"));
}

#[tokio::test]
async fn response_without_a_quota_has_no_headers() {
    let stage = stage(10, Duration::from_secs(1)).start().await;
    for target in ["/livez", "/problems/internal", "/openapi.json", "/nowhere"] {
        assert_eq!(quota(&stage.ask(target).await), ("", ""), "{target}");
    }
    for _ in 0..3 {
        assert_eq!(quota(&stage.gateway.get_as(OTHER, PAGE).await), ("", ""));
    }
    assert_eq!(quota(&stage.gateway.get_as("cgk_wrong", PAGE).await), ("", ""));
}

#[tokio::test]
async fn timeout_and_panic_report_the_quota() {
    let stage = stage(10, Duration::from_secs(10))
        .configure(|config| config.server.request_timeout = Duration::from_millis(100))
        .start()
        .await;
    stage.vendors.tolt().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    let answer = stage.ask(PAGE).await;
    assert_eq!((answer.status, answer.header("ratelimit")), (504, "\"quota\";r=9;t=1"));
    stage.gateway.clock.fail();
    let answer = stage.ask("/customers?connection=tax").await;
    assert_eq!((answer.status, answer.header("ratelimit")), (500, "\"quota\";r=8;t=1"));
}

#[tokio::test]
async fn problem_repeats_retry_after() {
    let stage = stage(10, Duration::from_secs(1)).start().await;
    let limited = Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), "30".to_owned())]);
    stage.vendors.tolt().fail_next(1, limited);
    let answer = stage.ask(PAGE).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
    assert_eq!(answer.problem()["retry_after"], 30);
    assert!(stage.ask("/nowhere").await.problem().get("retry_after").is_none());
}
