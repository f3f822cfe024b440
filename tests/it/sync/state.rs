//! Stored lists as operators see them: state, requested walks, reloads and metrics.

use std::{sync::Arc, time::Duration};

use customer_gateway::{
    callers::Caller,
    config::Config,
    copies::SyncSettings,
    domain::query::Resource::{self, Customers, Transactions},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::settings;
use crate::support::{
    Answer, Gateway, Reply, SECRET, ScriptedVendor, Stage, StageBuilder, caller, config, connections_to, sandbox, until,
};

/// Returns settings that store these lists.
fn stored(resources: &[Resource]) -> SyncSettings {
    SyncSettings { resources: resources.to_vec(), ..settings() }
}

/// Returns a stage whose first connection has stored lists.
fn stage(resources: &'static [Resource]) -> StageBuilder<'static> {
    StageBuilder::new(sandbox(30, 10, 20)).configure_first(|connection| connection.sync = Some(stored(resources)))
}

/// Returns the member `sync` of the first connection.
async fn sync_of(gateway: &Gateway) -> Value {
    gateway.get("/connections/affiliates").await.ok()["sync"].clone()
}

async fn start_sync(gateway: &Gateway, key: &str, connection: &str) -> Answer {
    let path = format!("/connections/{connection}/sync");
    gateway.request(|client, url| client.post(format!("{url}{path}")).bearer_auth(key)).await
}

#[tokio::test]
async fn connection_without_lists_has_no_state() {
    let stage = stage(&[Customers]).start().await;
    let connections = stage.get("/connections").await.ok();
    assert!(connections["data"][0]["sync"]["customers"].is_object());
    assert_eq!(connections["data"][1].get("sync"), None);
    assert_eq!(stage.get("/connections/tax").await.ok().get("sync"), None);
    // A list that is not stored has no state either.
    assert_eq!(connections["data"][0]["sync"].get("transactions"), None);
}

#[tokio::test]
async fn complete_list_is_described() {
    let stage = stage(&[Customers, Transactions]).start().await;
    stage.gateway.synchronized().await;
    let is_described = async || sync_of(&stage.gateway).await["transactions"]["last_walk"].is_object();
    while !is_described().await {}
    stage.gateway.clock.advance(Duration::from_millis(90_900));
    let sync = sync_of(&stage.gateway).await;
    for (list, rows) in [("customers", 30), ("transactions", 10)] {
        let list = &sync[list];
        assert_eq!(list["state"], "complete");
        assert_eq!((&list["walking"], &list["failure"]), (&json!(false), &Value::Null));
        assert_eq!((&list["rows"], &list["age"]), (&json!(rows), &json!(90)));
        assert_eq!(list["synced_at"], "2025-11-01T00:00:00.000Z");
        assert!(list["bytes"].as_u64().unwrap() > 0);
        assert_eq!(list["last_walk"]["changes"], json!({"created": rows, "updated": 0, "deleted": 0}));
    }
    let calls = ["customers", "transactions"].map(|list| sync[list]["last_walk"]["calls"].as_u64().unwrap());
    assert_eq!(calls.iter().sum::<u64>(), stage.tolt_calls());
}

#[tokio::test]
async fn running_walk_has_no_rows_yet() {
    let never = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(200, "{}").gated_by(&never)).await;
    let mut config = config(vec![vendor.connection("tolt")]);
    config.connections[0].sync = Some(stored(&[Customers]));
    let gateway = Gateway::start(config).await;
    until(|| vendor.calls() > 0).await;
    let connection = gateway.get("/connections/odd").await.ok();
    let expected = json!({
        "state": "walking", "walking": true, "rows": 0, "bytes": 0, "synced_at": null, "age": null, "failure": null,
    });
    assert_eq!(connection["sync"]["customers"], expected);
}

#[tokio::test]
async fn failure_is_shown_without_the_credential() {
    let body = format!(r#"{{"error": {{"message": "the key {SECRET} is revoked"}}}}"#);
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(401, &body)).await;
    let mut config = config(vec![vendor.connection("tolt")]);
    config.connections[0].sync = Some(stored(&[Customers]));
    let gateway = Gateway::start(config).await;
    let list = loop {
        let list = gateway.get("/connections/odd").await.ok()["sync"]["customers"].clone();
        if list["state"] == "incomplete" {
            break list;
        }
    };
    let failure = list["failure"].as_str().unwrap();
    assert!(failure.contains("rejected the credential") && !failure.contains(SECRET), "{failure}");
    assert_eq!((list.get("last_walk"), &list["rows"]), (None, &json!(0)));
}

#[tokio::test]
async fn requested_walk_replaces_the_list() {
    let stage = stage(&[Customers]).start().await;
    stage.gateway.synchronized().await;
    stage.gateway.clock.advance(Duration::from_mins(1));
    let answer = start_sync(&stage.gateway, "", "affiliates").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    // The answer is the state before the walk.
    assert_eq!(answer.json()["customers"]["synced_at"], "2025-11-01T00:00:00.000Z");
    while sync_of(&stage.gateway).await["customers"]["synced_at"] != "2025-11-01T00:01:00.000Z" {}
}

#[tokio::test]
async fn walk_requires_the_purge_permission() {
    let callers = || {
        let other = Caller { may_purge: false, ..caller("reader", "reader", &["affiliates", "tax"]) };
        let limited = Caller { may_purge: true, ..caller("limited", "limited", &["tax"]) };
        vec![Caller { may_purge: true, ..caller("operator", "operator", &["affiliates", "tax"]) }, other, limited]
    };
    let stage = stage(&[Customers]).configure(move |config| config.callers = callers()).start().await;
    assert_eq!(start_sync(&stage.gateway, "operator", "affiliates").await.status, 202);
    assert_eq!(start_sync(&stage.gateway, "operator", "tax").await.code(409), "not_synced");
    assert_eq!(start_sync(&stage.gateway, "reader", "affiliates").await.code(403), "forbidden");
    // Without the permission, the connection's lists are not disclosed.
    assert_eq!(start_sync(&stage.gateway, "reader", "tax").await.code(403), "forbidden");
    assert_eq!(start_sync(&stage.gateway, "limited", "affiliates").await.code(404), "connection_not_found");
    assert_eq!(start_sync(&stage.gateway, "operator", "nowhere").await.code(404), "connection_not_found");
    assert_eq!(start_sync(&stage.gateway, "unknown", "affiliates").await.code(401), "unauthenticated");
}

#[tokio::test]
async fn walk_request_has_no_body() {
    let stage = stage(&[Customers]).start().await;
    let target = "/connections/affiliates/sync";
    let with_body = |client: &reqwest::Client, url: &str| client.post(format!("{url}{target}")).body("{}");
    assert_eq!(stage.gateway.request(with_body).await.code(413), "content_too_large");
    let answer = stage.get(target).await;
    assert_eq!((answer.code(405).as_str(), answer.header("allow")), ("method_not_allowed", "POST"));
}

#[tokio::test]
async fn reload_keeps_lists_of_unchanged_settings() {
    let Stage { vendors: sandbox, gateway } = stage(&[Customers]).start().await;
    gateway.synchronized().await;
    gateway.clock.advance(Duration::from_mins(1));
    let calls = sandbox.tolt().calls();
    let with = |timeout: u64, settings: Option<SyncSettings>| -> Config {
        let mut config = config(connections_to(&sandbox));
        config.connections[0].timeout = Duration::from_secs(timeout);
        config.connections[0].sync = settings;
        config
    };
    // A changed timeout makes a new source for the same account.
    let changes = gateway.reload(with(20, Some(stored(&[Customers])))).await;
    assert_eq!(changes.changed, ["affiliates".parse().unwrap()]);
    let kept = sync_of(&gateway).await["customers"].clone();
    assert_eq!((&kept["rows"], &kept["age"]), (&json!(30), &json!(60)));
    assert_eq!(sandbox.tolt().calls(), calls);

    let other = SyncSettings { every: Duration::from_mins(30), ..stored(&[Customers]) };
    gateway.reload(with(20, Some(other.clone()))).await;
    while sync_of(&gateway).await["customers"]["age"] != 0 {}

    // Another account has lists of its own.
    let mut config = with(20, Some(other));
    config.connections[0].account_id = "prg_other".to_owned();
    gateway.reload(config).await;
    while sync_of(&gateway).await["customers"]["rows"] != 0 {}

    gateway.reload(with(20, None)).await;
    assert_eq!(sync_of(&gateway).await, Value::Null);
}

#[tokio::test]
async fn metrics_show_the_state_of_a_list() {
    let Stage { vendors: sandbox, gateway } = stage(&[Customers]).start().await;
    gateway.synchronized().await;
    let lines = async || gateway.get("/metrics").await.text;
    let labels = r#"connection="affiliates",resource="customers""#;
    let walks = format!("gateway_sync_walks_total{{{labels},outcome=\"complete\"}} 1\n");
    while !lines().await.contains(&walks) {}
    gateway.clock.advance(Duration::from_secs(75));
    let text = lines().await;
    let calls = sandbox.tolt().calls();
    for line in [
        format!("gateway_sync_rows{{{labels}}} 30"),
        format!("gateway_sync_age_seconds{{{labels}}} 75"),
        format!("gateway_sync_max_age_seconds{{{labels}}} 7200"),
        format!("gateway_sync_walks_total{{{labels},outcome=\"failed\"}} 0"),
        format!("gateway_sync_changes_total{{{labels},kind=\"created\"}} 30"),
        format!("gateway_sync_changes_total{{{labels},kind=\"deleted\"}} 0"),
        format!("gateway_sync_calls_total{{{labels}}} {calls}"),
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
    let bytes = text.lines().find_map(|line| line.strip_prefix(&format!("gateway_sync_bytes{{{labels}}} ")));
    assert!(bytes.unwrap().parse::<u64>().unwrap() > 0);

    // A removed list has no values.
    gateway.reload(config(connections_to(&sandbox))).await;
    assert!(lines().await.contains(&format!("gateway_sync_max_age_seconds{{{labels}}} NaN")));
}
