//! The provider's keys: refreshed, rotated, unknown, and unavailable.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{
    clock::SystemClock,
    http_client::Clients,
    identity::{self, Jwks, Settings},
    telemetry::metrics::Registry,
};
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    ISSUER, KEY, Provider, START, claims, configured, keys, signer::Signer, stage_with_keys, stage_with_response,
};
use crate::support::{Gateway, Reply, sandbox, until};

const NO_KEY: &str = "401 unauthenticated no key of the identity provider matches the token";
const UNAVAILABLE: &str =
    "503 identity_unavailable the token cannot be verified, because the identity provider's keys are unavailable";
const REFRESH: Duration = Settings::DEFAULT_REFRESH;
const REST: Duration = Duration::from_secs(30);

#[tokio::test]
async fn unknown_key_id_triggers_a_fetch() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = stage_with_keys(&[&old]).await;
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    assert_eq!(stage.outcome(&old_token).await, "200");
    stage.provider().respond_with(keys(&[&old, &new]));
    // The provider is not called within half a minute of the last fetch.
    stage.gateway.clock.advance(Duration::from_secs(29));
    assert_eq!(stage.outcome(&new_token).await, NO_KEY);
    assert_eq!(stage.provider().fetches(), 1);
    stage.gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.outcome(&new_token).await, "200");
    assert_eq!(stage.outcome(&old_token).await, "200");
    assert_eq!(stage.provider().fetches(), 2);
}

#[tokio::test]
async fn unknown_key_ids_fetch_once_per_half_minute() {
    let [signer, stranger] = [Signer::es256("a"), Signer::es256("b")];
    let stage = stage_with_keys(&[&signer]).await;
    assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200");
    for fetches in 2..5 {
        stage.gateway.clock.advance(REST);
        let tokens: Vec<_> = (0..20)
            .map(|index| stranger.token_with(&json!({"alg": "ES256", "kid": format!("k{index}")}), &claims(json!({}))))
            .collect();
        for _ in 0..2 {
            let told = join_all(tokens.iter().map(|token| stage.outcome(token))).await;
            assert!(told.iter().all(|told| told == NO_KEY), "{told:?}");
        }
        assert_eq!(stage.provider().fetches(), fetches);
    }
}

#[tokio::test]
async fn jwks_fetch_is_coalesced() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = stage_with_keys(&[&old]).await;
    assert_eq!(stage.outcome(&old.token(&claims(json!({})))).await, "200");
    let gate = Arc::new(Semaphore::new(0));
    stage.provider().respond_with(keys(&[&new]).gated_by(&gate));
    stage.gateway.clock.advance(REST);
    let tokens: Vec<_> = (0..10).map(|index| new.token(&claims(json!({"jti": index})))).collect();
    let asked = join_all(tokens.iter().map(|token| stage.outcome(token)));
    let opened = async {
        until(|| stage.provider().fetches() == 2).await;
        // Other requests continue during the fetch, with the cached keys.
        assert_eq!(stage.outcome(&old.token(&claims(json!({})))).await, "200");
        gate.add_permits(1);
    };
    let (told, ()) = tokio::join!(asked, opened);
    assert!(told.iter().all(|told| told == "200"), "{told:?}");
    assert_eq!(stage.provider().fetches(), 2);
}

// FACTS.md case 272
#[tokio::test]
async fn requests_that_wait_for_keys_are_bounded() {
    const CLIENTS: usize = 3;
    const STREAMS: usize = 100;
    const WAITING: usize = 256;
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = stage_with_keys(&[&old]).await;
    let known = old.token(&claims(json!({})));
    assert_eq!(stage.outcome(&known).await, "200");
    let gate = Arc::new(Semaphore::new(0));
    stage.provider().respond_with(keys(&[&old, &new]).gated_by(&gate));
    stage.gateway.clock.advance(REST);

    let unknown = new.token(&claims(json!({})));
    let url = format!("{}/connections", stage.gateway.url);
    let rejected = AtomicUsize::new(0);
    let asked = (0..CLIENTS).flat_map(|_| {
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        (0..STREAMS).map(|_| client.get(&url).bearer_auth(&unknown)).collect::<Vec<_>>()
    });
    let asked = asked.map(async |request| {
        let answer = request.send().await.unwrap();
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
            let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let detail =
                "the token cannot be verified, because 256 requests already wait for the identity provider's keys";
            assert_eq!((&problem["code"], &problem["detail"]), (&json!("identity_unavailable"), &json!(detail)));
            rejected.fetch_add(1, Relaxed);
            return false;
        }
        assert_eq!(answer.status(), 200);
        true
    });
    let checked = async {
        until(|| rejected.load(Relaxed) == CLIENTS * STREAMS - WAITING).await;
        // Keys, verified tokens and other tokens of cached keys need no refresh.
        stage.gateway.get_as(KEY, "/customers").await.ok();
        assert_eq!(stage.outcome(&known).await, "200");
        assert_eq!(stage.outcome(&old.token(&claims(json!({"jti": 1})))).await, "200");
        gate.add_permits(1);
    };
    let (answered, ()) = tokio::join!(join_all(asked), checked);
    assert_eq!(answered.into_iter().filter(|answered| *answered).count(), WAITING);
    assert_eq!(stage.provider().fetches(), 2);
}

#[tokio::test]
async fn removed_key_invalidates_tokens_at_refresh() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = stage_with_keys(&[&old, &new]).await;
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    for token in [&old_token, &new_token] {
        // Cached as a verified token, and in the response cache.
        stage.gateway.get_as(token, "/customers").await.ok();
        stage.gateway.get_as(token, "/customers").await.ok();
    }
    stage.provider().respond_with(keys(&[&new]));
    stage.refresh_after(REFRESH, "ok", 2).await;
    assert_eq!(stage.outcome(&old_token).await, NO_KEY);
    assert_eq!(stage.gateway.get_as(&old_token, "/customers").await.code(401), "unauthenticated");
    assert_eq!(stage.outcome(&new_token).await, "200");
    assert_eq!(stage.provider().fetches(), 2);
}

#[tokio::test]
async fn key_replaced_under_its_id_is_fetched_once() {
    const FORGED: &str = "401 unauthenticated the token's signature is invalid";
    for [old, new] in [
        [Signer::es256("a"), Signer::es256("a")],
        // The new key has another algorithm.
        [Signer::es256("a"), Signer::eddsa("a")],
    ] {
        let stage = stage_with_keys(&[&old]).await;
        let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
        assert_eq!(stage.outcome(&old_token).await, "200");
        stage.provider().respond_with(keys(&[&new]));
        // The provider is not called within half a minute of the last fetch.
        stage.gateway.clock.advance(Duration::from_secs(29));
        assert_eq!(stage.outcome(&new_token).await.get(..3), Some("401"));
        assert_eq!(stage.provider().fetches(), 1);
        stage.gateway.clock.advance(Duration::from_secs(1));
        assert_eq!(stage.outcome(&new_token).await, "200");
        assert_eq!(stage.outcome(&old_token).await.get(..3), Some("401"));
        assert_eq!(stage.provider().fetches(), 2);
        // A forged token costs one fetch per half minute, like an unknown id.
        let forged = format!("{}AAAA", &new_token[..new_token.len() - 4]);
        for fetches in [3, 3, 3] {
            if stage.provider().fetches() == 2 {
                stage.gateway.clock.advance(REST);
            }
            assert_eq!(stage.outcome(&forged).await, FORGED);
            assert_eq!(stage.provider().fetches(), fetches);
        }
        assert_eq!(stage.outcome(&new_token).await, "200");
    }
}

#[tokio::test]
async fn forged_token_is_401_if_the_refresh_fails() {
    let [signer, stranger] = [Signer::es256("a"), Signer::es256("a")];
    let stage = stage_with_keys(&[&signer]).await;
    assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200");
    stage.provider().respond_with(Reply::text(500, "{}"));
    stage.gateway.clock.advance(REST);
    let forged = stranger.token(&claims(json!({})));
    assert_eq!(stage.outcome(&forged).await, "401 unauthenticated the token's signature is invalid");
    assert_eq!(stage.outcome(&signer.token(&claims(json!({"jti": 1})))).await, "200");
    assert_eq!(stage.provider().fetches(), 2);
}

#[tokio::test]
async fn missing_jwks_is_503_for_tokens_but_not_keys() {
    let signer = Signer::es256("a");
    let stage = stage_with_response(Reply::text(500, "{}")).await;
    let token = signer.token(&claims(json!({})));
    let refused = stage.gateway.get_as(&token, "/customers").await;
    assert_json_snapshot!(refused.problem_snapshot(), @r#"
    {
      "code": "identity_unavailable",
      "detail": "the token cannot be verified, because the identity provider's keys are unavailable",
      "request_id": "[request id]",
      "retry_after": 30,
      "retryable": true,
      "status": 503,
      "title": "The identity provider's keys are unavailable"
    }
    "#);
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(stage.outcome(&signer.token_with(&json!({"alg": "ES256"}), &claims(json!({})))).await, UNAVAILABLE);
    stage.gateway.clock.advance(Duration::from_secs(20));
    assert_eq!(stage.gateway.get_as(&token, "/customers").await.header("retry-after"), "10");
    stage.gateway.get_as(KEY, "/customers").await.ok();
    assert_eq!(stage.gateway.get_as("cgk_wrong", "/customers").await.code(401), "unauthenticated");
    assert_eq!(stage.outcome("not.a.token").await.get(..3), Some("401"));
    assert_eq!(stage.provider().fetches(), 1);

    // The provider is called again in the background, sooner than after a
    // success.
    stage.provider().respond_with(keys(&[&signer]));
    stage.refresh_after(Duration::from_secs(10), "ok", 1).await;
    stage.wait_for_refreshes("failed", 1).await;
    assert_eq!(stage.outcome(&token).await, "200");
}

#[tokio::test]
async fn cached_keys_stay_in_use_if_refresh_fails() {
    let [signer, stranger] = [Signer::es256("a"), Signer::es256("b")];
    let stage = stage_with_keys(&[&signer]).await;
    let token = |serial: u32| signer.token(&claims(json!({"jti": serial, "exp": START + 86_400})));
    assert_eq!(stage.outcome(&token(0)).await, "200");
    // Some of the rejected responses contain a key set.
    let document = json!({"keys": [stranger.jwk]}).to_string();
    let flood = Reply::Flood {
        head: format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{document}"),
        chunk: b" ".repeat(1 << 16),
        times: 5,
    };
    let body_error = Reply::Flood {
        head: format!("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{document}"),
        chunk: Vec::new(),
        times: 0,
    };
    let moved = format!("location: {}/elsewhere\r\n", stage.provider().server.base_url);
    let mut failures = 0;
    for says in [
        Reply::text(503, &document),
        Reply::with_headers(302, &moved, document.as_bytes()),
        Reply::text(200, &(document.clone() + &" ".repeat(300_000))),
        flood,
        Reply::text(200, "<html>"),
        Reply::text(200, "{}"),
        Reply::text(200, r#"{"keys": 7}"#),
        // Sets without a usable key. FACTS.md, case 118.
        Reply::text(200, r#"{"keys": []}"#),
        Reply::text(200, r#"{"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "use": "enc"}, null]}"#),
        Reply::text(200, &"[".repeat(100_000)),
        Reply::with_headers(204, "", b""),
        body_error,
        Reply::Bytes(b"not HTTP\r\n\r\n".to_vec()),
    ] {
        stage.provider().respond_with(says);
        failures += 1;
        stage.refresh_after(REFRESH, "failed", failures).await;
        assert_eq!(stage.outcome(&token(0)).await, "200");
        assert_eq!(stage.outcome(&token(failures.try_into().unwrap())).await, "200");
        // The gateway cannot know whether the provider has this key.
        assert_eq!(stage.outcome(&stranger.token(&claims(json!({})))).await, UNAVAILABLE);
    }
    stage.wait_for_refreshes("ok", 1).await;
}

#[tokio::test]
async fn jwks_request_carries_no_credentials() {
    let signer = Signer::es256("a");
    let stage = stage_with_keys(&[&signer]).await;
    assert_eq!(stage.outcome(&signer.token(&claims(json!({})))).await, "200");
    let [head] = &stage.provider().server.heads()[..] else { panic!() };
    assert!(head.starts_with("GET /.well-known/jwks.json HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
}

#[tokio::test]
async fn jwks_provider_is_shared_by_equal_settings() {
    let served = Provider::start(keys(&[&Signer::es256("a")])).await;
    let (clock, registry) = (SystemClock::shared(), Registry::default());
    let settings = |audience: &str| Settings {
        issuer: ISSUER.to_owned(),
        audience: audience.to_owned(),
        jwks: served.jwks(),
        refresh: REFRESH,
    };
    let start = |audience: &str, previous: Option<&identity::Provider>| {
        identity::Provider::reuse_or_start(previous, settings(audience), &mut Clients::default(), &registry, &clock)
            .unwrap()
    };
    let first = start("one", None);
    until(|| served.fetches() == 1).await;
    let same = start("one", Some(&first));
    let other = start("another", Some(&same));
    until(|| served.fetches() == 2).await;
    // Each provider has a task that holds the clock.
    assert_eq!(Arc::strong_count(&clock), 3);
    drop((first, other));
    until(|| Arc::strong_count(&clock) == 2).await;
    drop(same);
    until(|| Arc::strong_count(&clock) == 1).await;
    assert_eq!(served.fetches(), 2);
}

#[tokio::test]
async fn provider_is_not_called_without_identity() {
    let sandbox = sandbox(1, 0, 0).await;
    let mut config = configured(&sandbox, Jwks::Url("http://127.0.0.1:1/".parse().unwrap()));
    config.identity = None;
    let gateway = Gateway::start(config).await;
    let token = Signer::es256("a").token(&claims(json!({})));
    assert_eq!(gateway.get_as(&token, "/customers").await.problem_line(), "401 unauthenticated the key is unknown");
    assert!(!gateway.get("/metrics").await.text.contains("jwks"));
}
