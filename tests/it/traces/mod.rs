//! Traces: the caller's, passed on to vendors, and spans at a collector.

mod collectors;
mod propagation;
mod requests;
mod spans;

use crate::support::{Answer, Collector, Gateway, Reply, ScriptedVendor, config, tolt_page, tolt_row};

/// A list's target: one vendor call.
const PAGE: &str = "/customers?connection=odd";

/// A gateway in front of this vendor, whose spans are collected.
async fn traced(vendor: &ScriptedVendor, collector: &Collector) -> Gateway {
    let mut config = config(vec![vendor.connection("tolt")]);
    config.telemetry = Some(collector.otlp());
    Gateway::start(config).await
}

/// A vendor with four full pages: an export's head leaves with the first.
async fn long_list() -> ScriptedVendor {
    ScriptedVendor::start(|index, _| {
        let rows: Vec<_> = (0..100).map(|row| tolt_row(&format!("cust_{index}_{row}"))).collect();
        Reply::json(&tolt_page(&rows, index < 3))
    })
    .await
}

/// Asks with some headers.
async fn ask(gateway: &Gateway, target: &str, headers: &[(&str, &str)]) -> Answer {
    let with = |client: &reqwest::Client, url: &str| {
        headers
            .iter()
            .fold(client.get(format!("{url}{target}")), |request, (name, value)| request.header(*name, *value))
    };
    gateway.request(with).await
}

/// A header of each request that a vendor saw.
fn seen(vendor: &ScriptedVendor, name: &str) -> Vec<Option<String>> {
    let header = |head: &String| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    vendor.heads().iter().map(header).collect()
}
