//! Examples of the OpenAPI document. Each example is a recorded response of the
//! gateway.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use customer_gateway::{
    callers::Quota,
    identity::{Jwks, Settings},
    sandbox::Fault,
};
use serde_json::{Map, Value, json};

use crate::support::{
    ACCOUNT, Answer, Reply, ScriptedVendor, Stage, StageBuilder, caller, corporation_page, corporation_row, sandbox,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/openapi/examples.json");
const KEY: &str = "key-of-billing";
/// Failure that the gateway does not retry.
const FAILURE: Fault = Fault::Status(520);

/// Returns a stage with one caller and a few rows of both vendors.
fn stage() -> StageBuilder<'static> {
    let callers = vec![caller("billing", KEY, &["affiliates", "tax"])];
    StageBuilder::new(sandbox(30, 30, 130)).configure(|config| config.callers = callers)
}

impl Stage {
    /// Sends a request of the caller, with the request id of all examples.
    async fn fetch(&self, target: &str) -> Answer {
        self.fetch_with(target, &[]).await
    }

    async fn fetch_with(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = |client: &reqwest::Client, url: &str| {
            let request = client.get(format!("{url}{target}")).bearer_auth(KEY);
            headers.iter().fold(with_request_id(request), |request, (name, value)| request.header(*name, *value))
        };
        self.gateway.request(request).await
    }
}

/// Lists Tolt's customers while Tolt has a fault.
async fn list_after(fault: Fault) -> Answer {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, fault);
    stage.fetch("/customers?connection=affiliates").await
}

/// Sets the request id of all examples.
fn with_request_id(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.header("x-request-id", "019aa8a5-6f3c-7d5e-9f10-2b1c3d4e5f60")
}

async fn problems() -> Vec<Answer> {
    let stage = stage().start().await;
    let mut problems = Vec::new();
    for target in [
        "/customers?connection=affiliates&limit=1000",
        "/customers?connection=affiliates&colour=red",
        "/customers?connection=affiliates&limit=10&limit=20",
        "/customers?connection=tax&status=active",
        "/customers?connection=tax&order=desc&max_calls=1",
        "/customers?connection=affiliates&cursor=2",
        "/customers?connection=crm",
        "/customers/affiliates.cust_nobody",
        "/customer",
        "/customers/tax.cust_1/transactions",
        "/customers?connection=affiliates&name=%E9",
    ] {
        problems.push(stage.fetch(target).await);
    }
    problems
        .push(stage.fetch_with("/customers?connection=tax&name=Acme", &[("cache-control", "only-if-cached")]).await);
    problems.push(stage.fetch(&format!("/customers?connection=tax&name={}", "n".repeat(8 << 10))).await);
    problems.push(stage.fetch_with("/customers", &[("x-long", &"n".repeat(32 << 10))]).await);
    let request = |client: &reqwest::Client, url: &str| {
        with_request_id(client.get(format!("{url}/customers")).bearer_auth(KEY).body(r#"{"limit": 10}"#))
    };
    problems.push(stage.gateway.request(request).await);
    let request = |client: &reqwest::Client, url: &str| with_request_id(client.get(format!("{url}/customers")));
    problems.push(stage.gateway.request(request).await);
    let request =
        |client: &reqwest::Client, url: &str| with_request_id(client.post(format!("{url}/customers")).bearer_auth(KEY));
    problems.push(stage.gateway.request(request).await);
    let request =
        |client: &reqwest::Client, url: &str| with_request_id(client.delete(format!("{url}/cache")).bearer_auth(KEY));
    problems.push(stage.gateway.request(request).await);
    let request = |client: &reqwest::Client, url: &str| {
        with_request_id(client.post(format!("{url}/connections/tax/sync")).bearer_auth(KEY))
    };
    problems.push(may_purge().await.gateway.request(request).await);
    let page = stage.fetch("/customers?connection=affiliates&limit=5").await.ok();
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    problems.push(stage.fetch(&format!("/customers?connection=affiliates&status=active&cursor={cursor}")).await);

    let too_many = Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), "30".to_owned())]);
    for fault in [Fault::Status(400), Fault::Status(401), FAILURE, Fault::Empty, too_many] {
        problems.push(list_after(fault).await);
    }
    problems.push(over_quota().await);
    problems.push(overloaded().await);
    problems.push(not_ready().await);
    problems.push(circuit_open().await);
    problems.push(identity_unavailable().await);
    problems.push(cursor_expired().await);
    problems.push(deadline_exceeded().await);
    stage.gateway.clock.fail();
    problems.push(stage.fetch("/customers?connection=tax&name=Nobody").await);
    problems
}

/// Returns a stage whose caller may purge.
async fn may_purge() -> Stage {
    stage().configure(|config| config.callers[0].may_purge = true).start().await
}

/// Response to the second request of a caller with a quota of one per minute.
async fn over_quota() -> Answer {
    let quota = Quota { requests: NonZeroU32::MIN, per: Duration::from_mins(1) };
    let stage = stage().configure(|config| config.callers[0].quota = Some(quota)).start().await;
    stage.fetch("/connections").await.ok();
    stage.fetch("/connections").await
}

/// Response at the limit of one concurrent request.
async fn overloaded() -> Answer {
    let stage = stage().configure(|config| config.server.max_requests = 1).start().await;
    stage.vendors.tolt().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    tokio::select! {
        answer = stage.fetch("/customers?connection=affiliates") => answer,
        answer = async {
            while stage.vendors.tolt().requests().is_empty() {
                stage.fetch("/livez").await.ok();
            }
            stage.fetch("/customers?connection=tax").await
        } => answer,
    }
}

/// Readiness after failures of every vendor since the start.
async fn not_ready() -> Answer {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(5, FAILURE);
    stage.vendors.corporation().fail_next(5, FAILURE);
    for connection in ["affiliates", "tax"] {
        for index in 0..5 {
            stage.fetch(&format!("/customers/{connection}.cust_{index}")).await;
        }
    }
    stage.fetch("/readyz").await
}

/// Response after five vendor failures, which open the breaker.
async fn circuit_open() -> Answer {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(5, FAILURE);
    for index in 0..5 {
        stage.fetch(&format!("/customers/affiliates.cust_{index}")).await;
    }
    stage.fetch("/customers?connection=affiliates").await
}

/// Response to a token whose identity provider cannot be reached.
async fn identity_unavailable() -> Answer {
    let stage = stage()
        .configure(|config| {
            config.identity = Some(Settings {
                issuer: "https://login.example.com/".to_owned(),
                audience: "customer-gateway".to_owned(),
                jwks: Jwks::Url("http://127.0.0.1:1/jwks.json".parse().unwrap()),
                refresh: Settings::DEFAULT_REFRESH,
            });
        })
        .start()
        .await;
    // ES256, without claims or signature.
    let token = "eyJhbGciOiJFUzI1NiJ9.e30.";
    let request = |client: &reqwest::Client, url: &str| {
        with_request_id(client.get(format!("{url}/customers")).bearer_auth(token))
    };
    stage.gateway.request(request).await
}

/// Response for a cursor that the vendor refuses as expired.
async fn cursor_expired() -> Answer {
    let vendor = ScriptedVendor::start(|_, target| {
        if target.contains("cursor=") {
            Reply::text(400, r#"{"error":{"type":"CLIENT_INVALID_REQUEST_BODY","detail":"The cursor has expired"}}"#)
        } else {
            Reply::json(&corporation_page(&[corporation_row("cust_1")], Some("token")))
        }
    })
    .await;
    let stage = stage()
        .configure(|config| {
            config.connections[1].base_url = vendor.base_url.parse().unwrap();
            ACCOUNT.clone_into(&mut config.connections[1].account_id);
        })
        .start()
        .await;
    let page = stage.fetch("/customers?connection=tax&limit=1").await.ok();
    stage
        .fetch(&format!("/customers?connection=tax&limit=1&cursor={}", page["page"]["next_cursor"].as_str().unwrap()))
        .await
}

async fn deadline_exceeded() -> Answer {
    let stage = stage().configure(|config| config.server.request_timeout = Duration::from_millis(100)).start().await;
    stage.vendors.tolt().fail_next(1, Fault::Stall(Duration::from_mins(10)));
    stage.fetch("/customers?connection=affiliates").await
}

async fn answers() -> Value {
    let stage = stage().start().await;
    let mut answers = Map::new();
    for (operation, name, target) in [
        ("listCustomers", "all", "/customers?order=desc&limit=2"),
        ("listCustomers", "affiliates", "/customers?connection=affiliates&status=active&limit=1"),
        ("listCustomers", "tax", "/customers?connection=tax&limit=2&expand=shipping_address"),
        ("getCustomer", "affiliates", "/customers/affiliates.cust_shared_between_vendors?expand=partner&expand=stats"),
        ("getCustomer", "tax", "/customers/tax.cust_shared_between_vendors?expand=shipping_address&expand=exemption"),
        ("listTransactions", "affiliates", "/transactions?connection=affiliates&limit=2&expand=customer"),
        (
            "listCustomerTransactions",
            "affiliates",
            "/customers/affiliates.cust_shared_between_vendors/transactions?limit=1",
        ),
        ("explainCustomers", "all", "/explain/customers?email=jim@example.com&limit=2"),
        ("explainTransactions", "affiliates", "/explain/transactions?connection=affiliates&limit=2"),
        ("listConnections", "all", "/connections"),
        ("getConnection", "tax", "/connections/tax"),
        ("getLiveness", "alive", "/livez"),
        ("getReadiness", "ready", "/readyz"),
        (
            "listCustomers",
            "batch",
            "/customers?id=tax.cust_shared_between_vendors&id=affiliates.cust_shared_between_vendors&id=tax.cust_nobody",
        ),
    ] {
        let answer = stage.fetch(target).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text);
        let examples = answers.entry(operation).or_insert_with(|| json!({}));
        // The ports of the simulated vendors differ in each run.
        let text = answer.text.replace(&stage.vendors.tolt().base_url(), "https://api.tolt.com");
        let text = text.replace(&stage.vendors.corporation().base_url(), "https://api.prod.commenda.io/api/v1");
        let response: Value = serde_json::from_str(&text).unwrap();
        examples[name] = json!({"request": target, "response": response});
    }
    answers.into()
}

#[tokio::test]
async fn recorded_examples_match_gateway_responses() {
    let mut by_code = BTreeMap::new();
    for answer in problems().await {
        let code = answer.code(answer.status);
        assert!(by_code.insert(code.clone(), answer.json_as_sent()).is_none(), "two examples for {code}");
    }
    let answered = json!({"problems": by_code, "responses": answers().await});
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(FILE, format!("{answered:#}\n")).unwrap();
    }
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let advice = "run UPDATE_EXAMPLES=1 cargo test --test it recorded_examples, then regenerate the documents";
    assert!(recorded == answered, "{FILE} differs from the gateway's responses; {advice}");
}

#[test]
fn documented_problem_codes_have_examples() {
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PROBLEMS.md")).unwrap();
    let documented = text.lines().filter_map(|line| line.strip_prefix("### "));
    for code in documented {
        assert_eq!(recorded["problems"][code]["code"], code);
    }
}
