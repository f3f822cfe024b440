//! Tests of both vendors over their sockets.

use std::collections::HashSet;

use serde_json::Value;

use super::{Corporation, Data, Handle, Options, Sandbox, Tolt, vendor::Vendor};

mod changes;
mod corporation;
mod faults;
mod lies;
mod tolt;

/// Options with few rows and no rate limits.
fn small() -> Options {
    Options {
        tolt_customers: 230,
        tolt_transactions: 300,
        corporation_customers: 230,
        enforce_rate_limits: false,
        ..Options::default()
    }
}

/// Sends a request. Returns the status and the body.
async fn get(base: &str, path: &str, credential: &str) -> (u16, Value) {
    let response = reqwest::Client::new().get(format!("{base}{path}")).bearer_auth(credential).send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

impl<S: Vendor> Handle<S> {
    async fn get(&self, path: &str) -> (u16, Value) {
        get(&self.base_url(), path, self.credential()).await
    }
}

impl Tolt {
    /// Lists objects of the program with additional parameters.
    async fn list(&self, objects: &str, parameters: &str) -> Value {
        let program = self.program_id();
        let (status, body) = self.get(&format!("/v1/{objects}?program_id={program}{parameters}")).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

impl Corporation {
    /// Lists customers of the corporation with additional parameters. Returns the inner object.
    async fn list(&self, parameters: &str) -> Value {
        let corporation = self.corporation_id();
        let (status, body) = self.get(&format!("/customers?corporation_id={corporation}{parameters}")).await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }
}

/// Returns the ids of a page's rows.
fn ids(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn seed_determines_rows_and_shared_id() {
    let one = Data::generate(&small());
    let same = Data::generate(&small());
    let other = Data::generate(&Options { seed: 2, ..small() });

    assert_eq!(one.tolt.customers, same.tolt.customers);
    assert_eq!(one.tolt.transactions, same.tolt.transactions);
    assert_eq!(one.corporation, same.corporation);
    assert_ne!(one.tolt.customers, other.tolt.customers);

    let shared = |ids: Vec<&String>| ids.iter().filter(|id| **id == Data::SHARED_ID).count();
    assert_eq!(shared(one.tolt.customers.iter().map(|c| &c.id).collect()), 1);
    assert_eq!(shared(one.corporation.iter().map(|c| &c.id).collect()), 1);
}

#[test]
fn generated_rows_contain_anomalies() {
    let data = Data::generate(&Options::default());
    let (customers, transactions) = (&data.tolt.customers, &data.tolt.transactions);
    assert_eq!((customers.len(), transactions.len()), (10_000, 25_000));

    let distinct: HashSet<_> = customers.iter().map(|c| &c.id).collect();
    assert_eq!(distinct.len(), customers.len());
    let statuses: HashSet<_> = customers.iter().filter_map(|c| c.status.as_str()).collect();
    for status in ["lead", "trialing", "active", "canceled", "suspended", ""] {
        assert!(statuses.contains(status), "{status}");
    }
    assert!(customers.iter().any(|c| c.email.is_absent()));
    assert!(customers.iter().any(|c| c.name == super::Field::Null));
    assert!(customers.iter().any(|c| c.created_at.ends_with("+00:00")));
    assert!(customers.iter().any(|c| c.created_at.len() == 32));
    assert!(customers.windows(2).any(|pair| pair[0].created_at == pair[1].created_at));
    assert!(transactions.iter().any(|t| t.amount.is_string()));
    assert!(transactions.iter().any(|t| t.amount.as_i64() < Some(0)));

    let exempt = data.corporation.iter().filter(|c| !c.exemption_certificates.is_empty());
    assert!((700..1_000).contains(&exempt.count()));
}

#[tokio::test]
async fn other_keys_and_methods_are_rejected() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());

    let (status, body) = get(&tolt.base_url(), "/v1/customers", "another").await;
    assert_eq!(status, 401);
    assert_eq!(
        body,
        serde_json::json!({"success": false, "error": {
            "message": "Invalid API key provided", "type": "authentication_error"}})
    );
    let (status, body) = get(&corporation.base_url(), "/customers", "another").await;
    assert_eq!((status, &body["error"]["status"]), (401, &401.into()));

    for (base, path, key) in [
        (tolt.base_url(), "/v1/customers", tolt.credential()),
        (corporation.base_url(), "/customers", corporation.credential()),
    ] {
        let posted = reqwest::Client::new().post(format!("{base}{path}")).bearer_auth(key).send().await.unwrap();
        assert_eq!(posted.status(), 405);
        assert_eq!(get(&base, "/v1/partners", key).await.0, 404);
        assert_eq!(get(&base, &format!("/{path}"), key).await.0, 404);
    }
    assert_eq!(tolt.calls(), 4);
    assert_eq!(tolt.requests()[1], "/v1/customers");
}

#[tokio::test]
async fn dropping_the_sandbox_closes_connections() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let url = sandbox.tolt().base_url();
    let client = reqwest::Client::new();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);

    drop(sandbox);
    // The abort takes effect when the tasks are next polled.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(client.get(&url).send().await.is_err());
}
