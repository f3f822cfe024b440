//! Whose requests and vendor calls are whose.

use std::time::Duration;

use customer_gateway::{config::Config, sandbox::Fault};
use insta::assert_snapshot;

use super::{Bar, PAGE, Stage, TAX_PAGE, metrics::metric};
use crate::support::{Answer, Gateway, caller, config, connections_to, sandbox};

/// Two callers, `growth` and `billing`, whose keys are their names.
fn call(config: &mut Config) {
    config.callers = ["growth", "billing"].map(|name| caller(name, name, &["affiliates", "tax"])).into();
}

/// The vendor calls that are counted of each caller.
fn spent(metrics: &Answer) -> String {
    let lines = metrics.text.lines().filter_map(|line| line.strip_prefix("gateway_caller_vendor_calls_total"));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The vendor calls that are counted of each connection, together.
fn made(metrics: &Answer) -> u64 {
    let lines = metrics.text.lines().filter(|line| line.starts_with("gateway_vendor_calls_total{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn a_request_that_misses_its_deadline_is_its_callers_and_so_is_its_call() {
    let sandbox = sandbox(250, 0, 0).await;
    let bar = Bar::before(&sandbox.tolt().base_url()).await;
    let mut config = config(connections_to(&sandbox));
    config.connections[0].base_url = bar.url.parse().unwrap();
    config.server.request_timeout = Duration::from_millis(50);
    call(&mut config);
    let stage = Stage { gateway: Gateway::start(config).await, sandbox };
    bar.close();
    for name in ["growth", "billing"] {
        assert_eq!(stage.gateway.get_as(name, PAGE).await.code(504), "deadline_exceeded");
        let late = format!(r#"gateway_requests_total{{route="/customers",status="504",caller="{name}"}}"#);
        assert_eq!(metric(&stage, &late).await, 1);
    }
    assert_eq!(bar.requests(), 1);
    bar.open();
    let metrics = stage.until("/metrics", |metrics| made(metrics) == 1).await;
    assert_snapshot!(spent(&metrics), @r#"{caller="growth"} 1"#);
}

#[tokio::test]
async fn each_vendor_call_is_counted_under_the_caller_whose_request_made_it() {
    let stage = Stage::configured(call).await;
    for name in ["growth", "billing"] {
        stage.gateway.get_as(name, PAGE).await.ok();
    }
    assert_snapshot!(spent(&stage.get("/metrics").await), @r#"{caller="growth"} 1"#);

    // One that fails,
    stage.sandbox.tolt().fail_next(1, Fault::Status(401));
    stage.gateway.get_as("billing", &stage.customer(0)).await.code(502);
    assert_snapshot!(spent(&stage.get("/metrics").await), @r#"
    {caller="billing"} 1
    {caller="growth"} 1
    "#);

    // a refresh behind a caller's back,
    stage.pass(31);
    stage.gateway.get_as("growth", PAGE).await.ok();
    let metrics = stage.until("/metrics", |metrics| made(metrics) == 3).await;
    assert_snapshot!(spent(&metrics), @r#"
    {caller="billing"} 1
    {caller="growth"} 2
    "#);

    // and an export, whose later pages are asked for when its head has gone.
    stage.pass(3600);
    let export = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}{PAGE}")).bearer_auth("billing").header("accept", "application/x-ndjson")
    };
    assert_eq!(stage.gateway.request(export).await.text.matches("\"complete\"").count(), 1);
    let metrics = stage.get("/metrics").await;
    assert_snapshot!(spent(&metrics), @r#"
    {caller="billing"} 4
    {caller="growth"} 2
    "#);
    assert_eq!((made(&metrics), stage.calls()), (6, 6));
}

#[tokio::test]
async fn without_callers_vendor_calls_are_nobodys() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.get(TAX_PAGE).await.ok();
    assert_snapshot!(spent(&stage.get("/metrics").await), @r#"{caller="-"} 2"#);
}
