//! A gateway in process, in front of one simulated vendor.

use std::{num::NonZeroU32, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use customer_gateway::{
    api::ResponseCache,
    app::App,
    cache::Policy,
    callers::{Caller, CallerKey},
    clock::SystemClock,
    config::{Cache, Config, Connection, Paging, Server},
    directory::Policies,
    domain::field_policy::FieldPolicy,
    identity::Claims,
    sandbox::{Options, Sandbox},
    upstream::{Credential, RateLimit, Window},
    vendors::registry,
};
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use http_body_util::BodyExt;
use tower::Service;

const KEY: &str = "cgk_bench";
/// Keeps every page fresh.
pub(crate) const KEPT: Policy = Policy {
    fresh: Duration::from_hours(24),
    stale_while_revalidate: Duration::ZERO,
    stale_if_error: Duration::ZERO,
    not_found: Duration::ZERO,
};

/// A gateway and the vendor behind it.
pub(crate) struct BenchGateway {
    front: ResponseCache,
    _sandbox: Sandbox,
}

impl BenchGateway {
    /// Starts a gateway in front of a vendor with some customers.
    pub(crate) async fn start(vendor: &str, customers: usize) -> Self {
        let mut options = Options {
            tolt_customers: 0,
            tolt_transactions: 0,
            corporation_customers: 0,
            enforce_rate_limits: false,
            ..Options::default()
        };
        match vendor {
            "tolt" => options.tolt_customers = customers,
            _ => options.corporation_customers = customers,
        }
        let sandbox = Sandbox::start(options).await.unwrap();
        let front = App::new(config(&sandbox, vendor), &SystemClock::shared()).unwrap().served().service;
        Self { front, _sandbox: sandbox }
    }

    /// Sends a request and reads the response to its end.
    pub(crate) async fn get(&self, target: &str) -> Bytes {
        let request = Request::get(target)
            .header(HOST, "gateway")
            .header(AUTHORIZATION, format!("Bearer {KEY}"))
            .body(Body::empty())
            .unwrap();
        let response = self.front.clone().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap().to_bytes()
    }
}

fn config(sandbox: &Sandbox, vendor: &str) -> Config {
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let (base_url, credential, account_id) = match vendor {
        "tolt" => (tolt.base_url(), tolt.credential(), tolt.program_id()),
        _ => (corporation.base_url(), corporation.credential(), corporation.corporation_id()),
    };
    let requests = NonZeroU32::new(1_000_000).unwrap();
    let connection = Connection {
        name: "bench".parse().unwrap(),
        kind: registry::by_name(vendor).unwrap(),
        base_url: base_url.parse().unwrap(),
        credential: Credential::new(credential.into()).unwrap(),
        account_id: account_id.to_owned(),
        rate_limit: RateLimit {
            windows: vec![Window { requests, per: Duration::from_secs(1) }],
            max_wait: Duration::from_secs(5),
        },
        timeout: Connection::DEFAULT_TIMEOUT,
        policies: Policies { customers: KEPT, customer: KEPT, transactions: KEPT },
        sync: None,
    };
    let caller = Caller {
        name: "bench".into(),
        keys: vec![CallerKey::permanent(blake3::hash(KEY.as_bytes()))],
        claims: Claims::default(),
        connections: vec![connection.name.clone()],
        fields: FieldPolicy::default(),
        may_see_raw: true,
        may_purge: false,
        quota: None,
        share: None,
    };
    Config {
        server: Server { request_timeout: Duration::from_mins(10), ..Server::default() },
        paging: Paging { max_vendor_calls: 100_000, max_sorted_rows: 10_000_000, ..Paging::default() },
        cache: Cache { max_bytes: 4 << 30 },
        shared: None,
        telemetry: None,
        connections: vec![connection],
        callers: vec![caller],
        files: Vec::new(),
        identity: None,
    }
}
