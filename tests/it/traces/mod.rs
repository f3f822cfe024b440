//! Traces: the caller's trace context, forwarded to vendors, and spans at a
//! collector.

mod collectors;
mod propagation;
mod requests;
mod spans;

use crate::support::{Answer, Collector, Gateway, Reply, ScriptedVendor, config, tolt_page, tolt_row};

/// Target of a list: one vendor call.
const PAGE: &str = "/customers?connection=odd";

/// Starts a gateway in front of this vendor, with its spans collected.
async fn traced_gateway(vendor: &ScriptedVendor, collector: &Collector) -> Gateway {
    let mut config = config(vec![vendor.connection("tolt")]);
    config.telemetry = Some(collector.otlp());
    Gateway::start(config).await
}

/// Starts a vendor with four full pages. An export's head is sent with the
/// first page.
async fn long_list() -> ScriptedVendor {
    ScriptedVendor::start(|index, _| {
        let rows: Vec<_> = (0..100).map(|row| tolt_row(&format!("cust_{index}_{row}"))).collect();
        Reply::json(&tolt_page(&rows, index < 3))
    })
    .await
}

/// Sends a request with these headers.
async fn get_with_headers(gateway: &Gateway, target: &str, headers: &[(&str, &str)]) -> Answer {
    let with = |client: &reqwest::Client, url: &str| {
        headers
            .iter()
            .fold(client.get(format!("{url}{target}")), |request, (name, value)| request.header(*name, *value))
    };
    gateway.request(with).await
}

/// Returns a header of each request that a vendor received.
fn received_headers(vendor: &ScriptedVendor, name: &str) -> Vec<Option<String>> {
    let header = |head: &String| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    vendor.heads().iter().map(header).collect()
}
