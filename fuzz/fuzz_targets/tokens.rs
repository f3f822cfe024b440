//! Key sets, and tokens: a text, or a header and claims on two lines, which the
//! target signs.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use customer_gateway::{
    api::ResponseCache,
    app::App,
    callers::Caller,
    clock::SharedClock,
    config::{Cache, Config, Paging, Server},
    domain::field_policy::FieldPolicy,
    identity::{Claims, Jwks, KeySet, Settings},
};
use customer_gateway_fuzz::{
    json,
    stage::{Answer, clock, paused_runtime},
};
use http::{Request, header::HOST};
use http_body_util::Empty;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A private key of Ed25519 (RFC 8410, section 10.3) and its public key.
const PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp-K06_nwoy_HU--CXqI9EdVhC";
const PUBLIC: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";
const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "customer-gateway";
/// Clock skew that is accepted, in seconds.
const LEEWAY: f64 = 60.0;

struct Stage {
    runtime: Runtime,
    service: ResponseCache,
    clock: SharedClock,
    _app: App,
}

thread_local!(static STAGE: Stage = Stage::start());

fuzz_target!(|data: &[u8]| {
    if let Ok(keys) = KeySet::parse(data) {
        assert_eq!(KeySet::parse(data).as_ref(), Ok(&keys));
    }
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), claims) = (lines.next(), lines.next()) else { return };
    STAGE.with(|stage| match claims {
        None => {
            let text = String::from_utf8_lossy(header);
            if let Some(status) = stage.status(&text) {
                assert_eq!(status, 401, "an unsigned token is accepted: {text}");
            }
        }
        Some(claims) => {
            let [header, claims] = [header, claims].map(|part| (part, BASE64_URL_SAFE_NO_PAD.encode(part)));
            let message = format!("{}.{}", header.1, claims.1);
            // A token with an unknown key id waits for the keys, so time may pass.
            let before = stage.now();
            let Some(status) = stage.status(&sign(&message)) else { return };
            let is_accepted = |now| has_known_key(header.0) && is_valid(claims.0, now);
            // A repeated name may be rejected or not (RFC 7515, section 4).
            let repeats =
                [header.0, claims.0].iter().any(|part| json::read(part).is_some_and(|it| it.repeats_a_name()));
            if !repeats && is_accepted(before) == is_accepted(stage.now()) {
                assert_eq!(status, if is_accepted(before) { 200 } else { 401 }, "{message}");
            }
        }
    });
});

impl Stage {
    fn start() -> Self {
        let runtime = paused_runtime();
        let jwks = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{PUBLIC}"}}]}}"#);
        let directory = tempfile::TempDir::new().expect("a directory").keep();
        let path = directory.join("jwks.json");
        std::fs::write(&path, &jwks).expect("a file");
        let jwks = Jwks::File { path, keys: KeySet::parse(jwks.as_bytes()).expect("a key set") };
        let identity =
            Settings { issuer: ISSUER.into(), audience: AUDIENCE.into(), jwks, refresh: Settings::DEFAULT_REFRESH };
        let caller = Caller {
            name: "app".into(),
            keys: Vec::new(),
            claims: Claims::new(BTreeMap::from([("azp".into(), "app".into())])),
            connections: BTreeSet::new(),
            fields: FieldPolicy::default(),
            may_see_raw: false,
            may_purge: false,
            quota: None,
            share: None,
        };
        let config = Config {
            server: Server::default(),
            paging: Paging::default(),
            cache: Cache::default(),
            shared: None,
            telemetry: None,
            connections: Vec::new(),
            callers: vec![caller],
            identity: Some(identity),
            files: Vec::new(),
        };
        let clock = clock();
        let app = runtime.block_on(async { App::new(config, &clock) }).expect("a gateway");
        Self { runtime, service: app.served().service, clock, _app: app }
    }

    /// Returns the time of day in epoch seconds.
    fn now(&self) -> f64 {
        self.runtime.block_on(async { self.clock.now().as_duration().as_secs_f64() })
    }

    /// Returns the status for a token. `None` if the token does not fit into a
    /// header.
    fn status(&self, token: &str) -> Option<u16> {
        let request = Request::get("/connections").header(HOST, "gateway");
        let request = request.header("authorization", format!("Bearer {token}")).body(Empty::new()).ok()?;
        let answer = self.runtime.block_on(async {
            let Ok(response) = self.service.clone().oneshot(request).await;
            Answer::read(response).await
        });
        answer.check("/connections");
        Some(answer.status).filter(|status| *status != 431)
    }
}

/// Returns a token with a valid signature.
fn sign(message: &str) -> String {
    let key = EncodingKey::from_ed_der(&BASE64_URL_SAFE_NO_PAD.decode(PRIVATE).expect("base64"));
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).expect("a signature");
    format!("{message}.{signature}")
}

/// Returns true for a header that names the key, its algorithm and no extension.
fn has_known_key(header: &[u8]) -> bool {
    let Some(header) = object(header) else { return false };
    let is_known = matches!(header.get("alg").and_then(Value::as_str), Some("EdDSA" | "Ed25519"));
    let kid = header.get("kid").is_none_or(|kid| kid.is_null() || kid == "k");
    is_known && kid && !header.contains_key("crit")
}

/// Returns true for claims that identify the caller.
fn is_valid(claims: &[u8], now: f64) -> bool {
    let Some(claims) = object(claims) else { return false };
    let contains = |name: &str, text: &str, only_text: bool| match claims.get(name) {
        Some(Value::Array(values)) => {
            values.iter().any(|value| value == text) && (!only_text || values.iter().all(Value::is_string))
        }
        Some(value) => value == text,
        None => false,
    };
    let date = |name: &str| claims.get(name).map(Value::as_f64);
    claims.get("iss").is_some_and(|issuer| issuer == ISSUER)
        && contains("aud", AUDIENCE, true)
        && contains("azp", "app", false)
        && date("exp").flatten().is_some_and(|exp| (0.0..2f64.powi(64)).contains(&exp) && now < exp + LEEWAY)
        && date("nbf").is_none_or(|nbf| nbf.is_some_and(|nbf| now + LEEWAY >= nbf))
}

fn object(json: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(json).ok()
}
