//! Export of spans to a collector, and failing collectors.

use http::{HeaderValue, StatusCode};

use super::{PAGE, traced_gateway};
use crate::support::{Collector, Gateway, ScriptedVendor, config, otlp_to, tolt_page, tolt_row};

/// Returns the count of spans with this outcome.
async fn count(gateway: &Gateway, outcome: &str) -> u64 {
    let metrics = gateway.get("/metrics").await.text;
    let name = format!("gateway_spans_total{{outcome=\"{outcome}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
    count.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
}

async fn vendor() -> ScriptedVendor {
    ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await
}

#[tokio::test]
async fn export_requests_carry_configured_headers() {
    let (collector, vendor) = (Collector::start().await, vendor().await);
    let mut otlp = collector.otlp();
    otlp.headers.insert("x-api-key", HeaderValue::from_static("of the collector"));
    let mut config = config(vec![vendor.connection("tolt")]);
    config.telemetry = Some(otlp);
    let gateway = Gateway::start(config).await;
    gateway.get(PAGE).await.ok();
    collector.spans(&gateway, 2).await;
    for headers in collector.headers() {
        assert_eq!(headers["x-api-key"], "of the collector");
        assert_eq!(headers["content-type"], "application/x-protobuf");
    }
}

#[tokio::test]
async fn unreachable_collector_affects_no_request() {
    let vendor = vendor().await;
    let mut config = config(vec![vendor.connection("tolt")]);
    // Nothing listens on this port.
    config.telemetry = Some(otlp_to("http://127.0.0.1:1"));
    let gateway = Gateway::start(config).await;
    gateway.get(PAGE).await.ok();
    gateway.flush().await;
    gateway.get(PAGE).await.ok();
    assert_eq!(count(&gateway, "refused").await, 2);
    assert_eq!(count(&gateway, "delivered").await, 0);
}

#[tokio::test]
async fn delivered_and_refused_spans_are_counted() {
    let (collector, vendor) = (Collector::start().await, vendor().await);
    let gateway = traced_gateway(&vendor, &collector).await;
    collector.respond_with(Some(StatusCode::BAD_REQUEST));
    gateway.get(PAGE).await.ok();
    gateway.flush().await;
    collector.respond_with(None);
    gateway.get(PAGE).await.ok();
    collector.spans(&gateway, 1).await;
    let counts =
        [count(&gateway, "recorded").await, count(&gateway, "delivered").await, count(&gateway, "refused").await];
    // The requests for `/metrics` are recorded, too.
    assert_eq!(counts, [3, 1, 2]);
}
