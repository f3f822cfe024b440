//! Tokens of the company's identity provider: which are taken, for whom, and
//! for how long.

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
    config::Config,
    identity::{Claims, Jwks, Settings},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use crate::support::{Gateway, Reply, ScriptedVendor, caller, config, connections_to, sandbox};
use signer::Signer;

const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "customer-gateway";
/// The key of a caller that has one.
const KEY: &str = "cgk_ops";
/// When the clock of tests starts.
const START: i64 = 1_761_955_200;

/// A gateway for tokens, and their provider.
struct Stage {
    gateway: Gateway,
    provider: Provider,
    #[expect(dead_code, reason = "held to be stopped when dropped")]
    sandbox: Sandbox,
}

/// A server with a set of keys, that says what it is told to.
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

    /// Says something else from now on.
    fn say(&self, says: Reply) {
        *self.says.lock().unwrap() = says;
    }

    fn jwks(&self) -> Jwks {
        Jwks::Url(format!("{}/.well-known/jwks.json", self.server.base_url).parse().unwrap())
    }

    fn fetches(&self) -> usize {
        self.server.calls()
    }
}

impl Stage {
    /// A gateway whose provider has these keys.
    async fn with(signers: &[&Signer]) -> Self {
        Self::saying(keys(signers)).await
    }

    /// A gateway whose provider says this.
    async fn saying(says: Reply) -> Self {
        let provider = Provider::start(says).await;
        let sandbox = sandbox(5, 5, 5).await;
        let gateway = Gateway::start(configured(&sandbox, provider.jwks())).await;
        Self { gateway, provider, sandbox }
    }

    /// What a request with a token is answered, in a line.
    async fn asked(&self, token: &str) -> String {
        let answer = self.gateway.get_as(token, "/connections").await;
        if answer.status == 200 { "200".to_owned() } else { answer.line() }
    }

    /// Moves the clock on, and waits until the keys were read so often with
    /// this outcome.
    async fn after(&self, time: Duration, outcome: &str, readings: u64) {
        self.gateway.clock.advance(time);
        self.read(outcome, readings).await;
    }

    /// Waits until the keys were read so often with this outcome.
    async fn read(&self, outcome: &str, readings: u64) {
        let sample = format!("gateway_jwks_refreshes_total{{outcome=\"{outcome}\"}} {readings}\n");
        while !self.gateway.get("/metrics").await.text.contains(&sample) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Billing and growth have tokens, operations have a key.
fn configured(sandbox: &Sandbox, jwks: Jwks) -> Config {
    let mut config = config(connections_to(sandbox));
    config.callers = vec![
        claiming("billing", &[("azp", "billing-service")], &["affiliates", "tax"]),
        claiming("growth", &[("groups", "growth"), ("tid", "t-1")], &["affiliates"]),
        caller("ops", KEY, &["affiliates", "tax"]),
    ];
    config.identity = Some(Settings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks,
        refresh: Settings::DEFAULT_REFRESH,
    });
    config
}

/// A caller without a key.
fn claiming(name: &str, claims: &[(&str, &str)], connections: &[&str]) -> Caller {
    let claims: BTreeMap<_, _> = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Caller { keys: Vec::new(), claims: Claims::new(claims), ..caller(name, "", connections) }
}

/// A set of these keys.
fn keys(signers: &[&Signer]) -> Reply {
    Reply::json(&json!({"keys": signers.iter().map(|signer| &signer.jwk).collect::<Vec<_>>()}))
}

/// The claims of billing's tokens, that end in an hour, with others in place of
/// some; null leaves one out.
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
