//! Attribution of requests and vendor calls to callers.

use std::{future::ready, time::Duration};

use customer_gateway::{config::Config, sandbox::Fault};
use insta::assert_snapshot;

use super::{Gate, PAGE, TAX_PAGE, metrics::metric, stage};
use crate::support::{Answer, StageBuilder, caller, sandbox};

/// Adds two callers, `growth` and `billing`, whose keys are their names.
fn add_callers(config: &mut Config) {
    config.callers = ["growth", "billing"].map(|name| caller(name, name, &["affiliates", "tax"])).into();
}

/// Returns the vendor calls counted for each caller.
fn calls_by_caller(metrics: &Answer) -> String {
    let lines = metrics.text.lines().filter_map(|line| line.strip_prefix("gateway_caller_vendor_calls_total"));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Returns the vendor calls counted for all connections together.
fn total_calls(metrics: &Answer) -> u64 {
    let lines = metrics.text.lines().filter(|line| line.starts_with("gateway_vendor_calls_total{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn timed_out_request_is_counted_for_its_caller() {
    let sandbox = sandbox(250, 0, 0).await;
    let gate = Gate::in_front_of(&sandbox.tolt().base_url()).await;
    let url = gate.url.parse().unwrap();
    let stage = StageBuilder::new(ready(sandbox))
        .configure_first(|connection| connection.base_url = url)
        .configure(|config| config.server.request_timeout = Duration::from_millis(50))
        .configure(add_callers)
        .start()
        .await;
    gate.close();
    for name in ["growth", "billing"] {
        assert_eq!(stage.gateway.get_as(name, PAGE).await.code(504), "deadline_exceeded");
        let late = format!(r#"gateway_requests_total{{route="/customers",status="504",caller="{name}"}}"#);
        assert_eq!(metric(&stage, &late).await, 1);
    }
    assert_eq!(gate.requests(), 1);
    gate.open();
    let metrics = stage.until("/metrics", |metrics| total_calls(metrics) == 1).await;
    assert_snapshot!(calls_by_caller(&metrics), @r#"{caller="growth"} 1"#);
}

#[tokio::test]
async fn vendor_call_is_counted_for_its_caller() {
    let stage = stage().configure(add_callers).start().await;
    for name in ["growth", "billing"] {
        stage.gateway.get_as(name, PAGE).await.ok();
    }
    assert_snapshot!(calls_by_caller(&stage.get("/metrics").await), @r#"{caller="growth"} 1"#);

    // A failed call,
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    stage.gateway.get_as("billing", &stage.customer(0)).await.code(502);
    assert_snapshot!(calls_by_caller(&stage.get("/metrics").await), @r#"
    {caller="billing"} 1
    {caller="growth"} 1
    "#);

    // a background refresh,
    stage.advance(31);
    stage.gateway.get_as("growth", PAGE).await.ok();
    let metrics = stage.until("/metrics", |metrics| total_calls(metrics) == 3).await;
    assert_snapshot!(calls_by_caller(&metrics), @r#"
    {caller="billing"} 1
    {caller="growth"} 2
    "#);

    // and an export, whose later pages are fetched after its head is sent.
    stage.advance(3600);
    let export = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}{PAGE}")).bearer_auth("billing").header("accept", "application/x-ndjson")
    };
    assert_eq!(stage.gateway.request(export).await.text.matches("\"complete\"").count(), 1);
    let metrics = stage.get("/metrics").await;
    assert_snapshot!(calls_by_caller(&metrics), @r#"
    {caller="billing"} 4
    {caller="growth"} 2
    "#);
    assert_eq!((total_calls(&metrics), stage.tolt_calls()), (6, 6));
}

#[tokio::test]
async fn vendor_calls_without_callers_are_unattributed() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.get(TAX_PAGE).await.ok();
    assert_snapshot!(calls_by_caller(&stage.get("/metrics").await), @r#"{caller="-"} 2"#);
}
