//! Tokens of the company's identity provider: acceptance, callers, and
//! lifetime.

mod callers;
mod files;
mod provider;
pub(crate) mod signer;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use customer_gateway::{
    callers::Caller,
    config::{Config, Connection},
    identity::{Claims, Jwks, Settings},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::support::{self, Reply, ScriptedVendor, StageBuilder, Vendors, caller, config, connections_to, sandbox};
use signer::Signer;

const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "customer-gateway";
/// The key of a caller that has a key.
const KEY: &str = "cgk_ops";
/// Start of the tests' clock.
const START: i64 = 1_761_955_200;

type Stage = support::Stage<SandboxWithProvider>;

/// Simulated vendors, and the identity provider of the gateway's tokens.
struct SandboxWithProvider {
    sandbox: Sandbox,
    provider: Provider,
}

/// A server with a key set and a scripted response.
struct Provider {
    server: ScriptedVendor,
    says: Arc<Mutex<Reply>>,
}

impl Provider {
    async fn start(says: Reply) -> Self {
        let says = Arc::new(Mutex::new(says));
        let script = Arc::clone(&says);
        Self { server: ScriptedVendor::start(move |_, _| script.lock().unwrap().clone()).await, says }
    }

    /// Changes the response.
    fn respond_with(&self, says: Reply) {
        *self.says.lock().unwrap() = says;
    }

    fn jwks(&self) -> Jwks {
        Jwks::Url(format!("{}/.well-known/jwks.json", self.server.base_url).parse().unwrap())
    }

    fn fetches(&self) -> usize {
        self.server.calls()
    }
}

impl Vendors for SandboxWithProvider {
    fn connections(&self) -> Vec<Connection> {
        self.sandbox.connections()
    }
}

/// Starts a stage whose provider has these keys.
async fn stage_with_keys(signers: &[&Signer]) -> Stage {
    stage_with_response(keys(signers)).await
}

/// Starts a stage whose provider sends this response.
async fn stage_with_response(says: Reply) -> Stage {
    let provider = Provider::start(says).await;
    let jwks = provider.jwks();
    stage(provider, jwks).start().await
}

/// Returns a stage that accepts tokens by these keys.
fn stage(provider: Provider, jwks: Jwks) -> StageBuilder<'static, SandboxWithProvider> {
    let vendors = async { SandboxWithProvider { sandbox: sandbox(5, 5, 5).await, provider } };
    StageBuilder::new(vendors).configure(|config| accept_tokens(config, jwks))
}

impl Stage {
    fn provider(&self) -> &Provider {
        &self.vendors.provider
    }

    /// Sends a request with a token, and returns its outcome in a line.
    async fn outcome(&self, token: &str) -> String {
        let answer = self.gateway.get_as(token, "/connections").await;
        if answer.status == 200 { "200".to_owned() } else { answer.problem_line() }
    }

    /// Advances the clock, and waits for this count of key refreshes with this
    /// outcome.
    async fn refresh_after(&self, time: Duration, outcome: &str, readings: u64) {
        self.gateway.clock.advance(time);
        self.wait_for_refreshes(outcome, readings).await;
    }

    /// Waits for this count of key refreshes with this outcome.
    async fn wait_for_refreshes(&self, outcome: &str, readings: u64) {
        let sample = format!("gateway_jwks_refreshes_total{{outcome=\"{outcome}\"}} {readings}\n");
        while !self.gateway.get("/metrics").await.text.contains(&sample) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Returns a configuration where billing and growth have tokens, and operations
/// have a key.
fn configured(sandbox: &Sandbox, jwks: Jwks) -> Config {
    let mut config = config(connections_to(sandbox));
    accept_tokens(&mut config, jwks);
    config
}

/// Adds the callers, and the identity provider with these keys.
fn accept_tokens(config: &mut Config, jwks: Jwks) {
    config.callers = vec![
        caller_with_claims("billing", &[("azp", "billing-service")], &["affiliates", "tax"]),
        caller_with_claims("growth", &[("groups", "growth"), ("tid", "t-1")], &["affiliates"]),
        caller("ops", KEY, &["affiliates", "tax"]),
    ];
    config.identity = Some(Settings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks,
        refresh: Settings::DEFAULT_REFRESH,
    });
}

/// Returns a caller without a key.
fn caller_with_claims(name: &str, claims: &[(&str, &str)], connections: &[&str]) -> Caller {
    let claims: BTreeMap<_, _> = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Caller { keys: Vec::new(), claims: Claims::new(claims), ..caller(name, "", connections) }
}

/// Returns a response with these keys.
fn keys(signers: &[&Signer]) -> Reply {
    Reply::json(&json!({"keys": signers.iter().map(|signer| &signer.jwk).collect::<Vec<_>>()}))
}

/// Returns the claims of billing's tokens, which expire in an hour, with
/// overrides. Null removes a claim.
fn claims(others: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "exp": START + 3_600, "sub": "jim@example.com", "azp": "billing-service",
    });
    let Value::Object(others) = others else { panic!("{others}") };
    for (name, value) in others {
        claims[&name] = value;
        if claims[&name].is_null() {
            claims.as_object_mut().unwrap().remove(&name);
        }
    }
    claims
}
