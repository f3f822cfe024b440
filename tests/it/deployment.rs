//! `deploy/` and docs/METRICS.md against the gateway: metrics, configurations
//! and version.

use std::{collections::BTreeSet, num::NonZeroU32, path::Path, time::Duration};

use customer_gateway::{
    callers::{Caller, Quota},
    config::{Config, Connection},
    copies::SyncSettings,
    domain::query::Resource,
    identity::{self, Jwks},
    shared,
    telemetry::trace::Otlp,
    upstream::{RateLimit, Share, Window},
};
use http::HeaderMap;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Gateway, ScriptedVendor, caller, config, redis::RedisServer, tolt_page, tolt_row};

const DASHBOARD: &str = include_str!("../../deploy/grafana/dashboards/customer-gateway.json");
/// Calls per minute. A share of a tenth is one call.
const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();
const ALERTS: &str = include_str!("../../deploy/alerts.yml");

/// Returns the names of gateway and process metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = |word: &&str| word.starts_with("gateway_") || word.starts_with("process_");
    text.split(|c| !is_part(c)).filter(is_name).collect()
}

/// Returns the metrics of a gateway after served and rejected requests.
async fn scrape() -> String {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let mut config = config(vec![vendor.connection("tolt")]);
    let window = Window { requests: RATE, per: Duration::from_mins(1) };
    config.connections[0].rate_limit = RateLimit { windows: vec![window], max_wait: Duration::ZERO };
    let lists = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let name = "lists".parse().unwrap();
    config.connections.push(Connection { name, sync: Some(sync()), ..lists.connection("tolt") });
    let quota = Quota { requests: NonZeroU32::MIN, per: Duration::from_mins(1) };
    config.callers.push(Caller { quota: Some(quota), ..caller("app", "key", &["odd"]) });
    config.callers.push(Caller { share: Share::new(0.1), ..caller("batch", "key-of-batch", &["odd"]) });
    let nowhere: Url = "http://127.0.0.1:1/".parse().unwrap();
    config.identity = Some(identity::Settings {
        issuer: "https://login.example.com/".to_owned(),
        audience: "customer-gateway".to_owned(),
        jwks: Jwks::Url(nowhere.clone()),
        refresh: identity::Settings::DEFAULT_REFRESH,
    });
    config.telemetry = Some(Otlp {
        traces_url: nowhere,
        headers: HeaderMap::new(),
        service_name: "customer-gateway".to_owned(),
        sample: 1.0,
    });
    let server = RedisServer::start().await;
    // Limits stay local: their first calls wait.
    config.shared = Some(shared::Settings { limits: false, ..server.settings() });
    let gateway = Gateway::start(config).await;
    gateway.get_as("key", "/customers").await.ok();
    assert_eq!(gateway.get_as("key", "/customers").await.code(429), "quota_exceeded");
    assert_eq!(gateway.get("/customers").await.code(401), "unauthenticated");
    gateway.get_as("key-of-batch", "/customers?status=one").await.ok();
    assert_eq!(gateway.get_as("key-of-batch", "/customers?status=other").await.code(429), "quota_exceeded");
    gateway.get("/metrics").await.text
}

/// Returns the settings of a stored list.
fn sync() -> SyncSettings {
    let every = SyncSettings::DEFAULT_EVERY;
    SyncSettings {
        every,
        newest: None,
        budget: SyncSettings::DEFAULT_BUDGET,
        max_age: SyncSettings::default_max_age(every),
        max_bytes: SyncSettings::DEFAULT_MAX_BYTES,
        resources: vec![Resource::Customers],
        snapshot: None,
    }
}

/// Returns the samples of some metrics: their names and label names.
fn samples(scraped: &str) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
    scraped.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let series = &line[..line.rfind(' ').unwrap()];
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        (name, labels.split("\",").filter_map(|label| label.split_once('=')).map(|(label, _)| label).collect())
    })
}

/// Formats a metric as a table row: name, type and labels.
fn table_row(name: &str, kind: &str, labels: &BTreeSet<&str>) -> String {
    let labels: Vec<_> = labels.iter().filter(|&&label| label != "le").copied().collect();
    format!("{name} {kind} {labels:?}")
}

#[tokio::test]
async fn metrics_page_lists_each_type_and_labels() {
    let scraped = scrape().await;
    let mut exposed = BTreeSet::new();
    for line in scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let is_of_it = |sample: &str| match kind {
            "histogram" => sample.strip_prefix(name).is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end)),
            _ => sample == name,
        };
        let mut of_it = samples(&scraped).filter(|(sample, _)| is_of_it(sample)).peekable();
        assert!(of_it.peek().is_some(), "{name} has no samples");
        exposed.extend(of_it.map(|(_, labels)| table_row(name, kind, &labels)));
    }

    let rows = include_str!("../../docs/METRICS.md").lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            table_row(cells[1], cells[2], &cells[3].split("`, `").filter(|label| !label.is_empty()).collect())
        })
        .collect();

    let differing: Vec<_> = exposed.symmetric_difference(&documented).collect();
    assert_eq!(differing, [""; 0], "documented or exposed, but not both");
}

#[tokio::test]
async fn dashboard_and_alerts_use_existing_metrics() {
    let scraped = scrape().await;
    let exposed: BTreeSet<_> = samples(&scraped).map(|(name, _)| name).collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let queries: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() > 20, "{queries:?}");

    for text in queries.into_iter().chain([DASHBOARD, ALERTS]) {
        let strange: Vec<_> = metrics_in(text).into_iter().filter(|&name| !exposed.contains(name)).collect();
        assert_eq!(strange, [""; 0], "unknown metrics; exposed are {exposed:#?}");
    }
}

#[test]
fn each_alert_has_a_runbook_and_a_test() {
    let alerts: Value = serde_saphyr::from_str(ALERTS).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    let tested = include_str!("../../deploy/alerts.test.yml");
    assert!(rules.len() > 10);
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        for text in ["summary", "description", "runbook"] {
            let text = rule["annotations"][text].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{name}");
        }
        assert!(["page", "ticket"].map(|it| json!(it)).contains(&rule["labels"]["severity"]), "{name}");
        assert!(tested.contains(name), "{name} is not in alerts.test.yml");
    }
}

/// Parses a configuration, with placeholders for its secrets.
fn parse_config(text: &str, mounted: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    for secret in ["cursor-key", "tolt-key", "corporation-token"] {
        std::fs::write(directory.path().join(secret), "placeholder").unwrap();
    }
    std::fs::write(directory.path().join("redis-url"), "redis://:placeholder@valkey").unwrap();
    let secrets = format!("{}/", directory.path().display());
    Config::parse(&text.replace(mounted, &secrets), Path::new("gateway.toml")).unwrap()
}

fn compose_config() -> Config {
    parse_config(include_str!("../../deploy/gateway.toml"), "/run/secrets/")
}

fn kubernetes_config() -> Config {
    parse_config(include_str!("../../deploy/kubernetes/gateway.toml"), "/run/secrets/customer-gateway/")
}

#[test]
fn deployed_configurations_are_valid() {
    for config in [compose_config(), kubernetes_config()] {
        assert_eq!(config.server.listen.to_string(), "0.0.0.0:8080");
        assert!(config.paging.cursor_key.is_some() && !config.callers.is_empty());
    }
}

/// The limits are the vendors' own, because the replicas count together. Without the
/// server, they divide each limit by at least their number.
#[test]
fn replicas_together_respect_vendor_limits() {
    let [autoscaler, deployment, compose]: [Value; 3] = [
        include_str!("../../deploy/kubernetes/horizontalpodautoscaler.yaml"),
        include_str!("../../deploy/kubernetes/deployment.yaml"),
        include_str!("../../deploy/compose.yaml"),
    ]
    .map(|text| serde_saphyr::from_str(text).unwrap());
    let pods = autoscaler["spec"]["maxReplicas"].as_u64().unwrap();
    let surge = deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"].as_u64().unwrap();
    let containers = compose["services"]["gateway"]["scale"].as_u64().unwrap();
    for (config, replicas) in [(kubernetes_config(), pods + surge), (compose_config(), containers)] {
        let shared = config.shared.unwrap();
        assert!(shared.limits && shared.quotas && u64::from(shared.replicas.get()) >= replicas, "{shared:?}");
        for connection in config.connections {
            assert_eq!(connection.rate_limit, Connection::default_rate_limit(connection.kind), "{}", connection.name);
        }
    }
}

#[test]
fn image_and_manifests_name_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    for (text, named) in [
        (include_str!("../../Dockerfile"), format!("image.version=\"{version}\"")),
        (include_str!("../../deploy/compose.yaml"), format!("image: customer-gateway:{version}\n")),
        (include_str!("../../deploy/kubernetes/kustomization.yaml"), format!("newTag: {version}\n")),
    ] {
        assert!(text.contains(&named), "{named}");
    }
}
