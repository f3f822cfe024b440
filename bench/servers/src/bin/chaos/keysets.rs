//! Identity provider that returns a key set without keys.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bench_servers::{
    client::Client,
    process::{Launch, free_port},
    serve,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use serde_json::json;

use crate::{
    figures::{Effect, measure},
    stage::{MEASURED, Stage},
};

/// Time after which the gateway reads the keys again for an unknown key.
const PAUSE: Duration = Duration::from_secs(31);

/// Provider whose key set becomes `{"keys":[]}`. Tokens of the known key stay valid.
pub async fn empty(binary: PathBuf) -> Effect {
    let pair = Ed25519KeyPair::generate().expect("the system has random numbers");
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "alg": "EdDSA", "x": base64(pair.public_key())});
    let keys = json!({"keys": [jwk]}).to_string();
    let (port, fetches, is_empty) = (free_port(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counted, emptied) = (Arc::clone(&fetches), Arc::clone(&is_empty));
    tokio::spawn(serve(port, move |_| {
        counted.fetch_add(1, Relaxed);
        let body = if emptied.load(Relaxed) { r#"{"keys":[]}"#.to_owned() } else { keys.clone() };
        async move { Response::new(Full::new(Bytes::from(body))) }
    }));
    let further = format!(
        r#"
        [identity]
        issuer = "chaos"
        audience = "gateway"
        jwks = {{ url = "http://127.0.0.1:{port}/keys" }}
        [[callers]]
        name = "app"
        claims = {{ azp = "app" }}
        connections = ["a"]
        "#
    );
    let stage = Stage::start(Launch::new(&binary), &further, "127.0.0.1").await;
    // Each token is new, so no result of an earlier verification answers.
    let status = async |kid: &str, id: u32| {
        let header = base64(json!({"alg": "EdDSA", "kid": kid}).to_string());
        let claims = json!({"iss": "chaos", "aud": "gateway", "azp": "app", "exp": 4_000_000_000_u64, "jti": id});
        let message = format!("{header}.{}", base64(claims.to_string()));
        let token = format!("{message}.{}", base64(pair.sign(message.as_bytes())));
        let client = Client::new(stage.gateway.port, &token, false);
        client.get("/connections").await.map_or(0, |reply| reply.status)
    };
    let victim = stage.victim();
    let before = measure(&victim, MEASURED).await;
    let first = status("a", 1).await;
    is_empty.store(true, Relaxed);
    tokio::time::sleep(PAUSE).await;
    let unknown = status("b", 2).await;
    let during = measure(&victim, MEASURED).await;
    let later = status("a", 3).await;
    let fetches = fetches.load(Relaxed);
    Effect::new(before, during)
        .check(format!("token {first} before"), first == 200)
        .check(format!("{fetches} fetches, unknown key {unknown}"), fetches >= 2 && unknown != 200)
        .check(format!("token {later} after an empty key set"), later == 200)
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
