//! The provider's keys: read again, rotated, missed, and not to be had.

use std::{sync::Arc, time::Duration};

use customer_gateway::{
    clock::SystemClock,
    http_client::Clients,
    identity::{self, Jwks, Settings},
    telemetry::metrics::Registry,
};
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{ISSUER, KEY, Provider, START, Stage, claims, configured, keys, signer::Signer};
use crate::support::{Gateway, Reply, sandbox, until};

const NO_KEY: &str = "401 unauthenticated no key of the identity provider's fits the token";
const UNAVAILABLE: &str =
    "503 identity_unavailable the token cannot be verified: the identity provider's keys cannot be had";
const REFRESH: Duration = Settings::DEFAULT_REFRESH;
const REST: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_key_that_is_not_known_is_fetched_at_once() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = Stage::with(&[&old]).await;
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    assert_eq!(stage.asked(&old_token).await, "200");
    stage.provider.say(keys(&[&old, &new]));
    // Within half a minute of the last time, nobody is asked.
    stage.gateway.clock.advance(Duration::from_secs(29));
    assert_eq!(stage.asked(&new_token).await, NO_KEY);
    assert_eq!(stage.provider.fetches(), 1);
    stage.gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.asked(&new_token).await, "200");
    assert_eq!(stage.asked(&old_token).await, "200");
    assert_eq!(stage.provider.fetches(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_half_a_minute() {
    let [signer, stranger] = [Signer::es256("a"), Signer::es256("b")];
    let stage = Stage::with(&[&signer]).await;
    assert_eq!(stage.asked(&signer.token(&claims(json!({})))).await, "200");
    for fetches in 2..5 {
        stage.gateway.clock.advance(REST);
        let tokens: Vec<_> = (0..20)
            .map(|index| stranger.token_with(&json!({"alg": "ES256", "kid": format!("k{index}")}), &claims(json!({}))))
            .collect();
        for _ in 0..2 {
            let told = join_all(tokens.iter().map(|token| stage.asked(token))).await;
            assert!(told.iter().all(|told| told == NO_KEY), "{told:?}");
        }
        assert_eq!(stage.provider.fetches(), fetches);
    }
}

#[tokio::test]
async fn who_waits_for_a_key_waits_for_the_same_fetch() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = Stage::with(&[&old]).await;
    assert_eq!(stage.asked(&old.token(&claims(json!({})))).await, "200");
    let gate = Arc::new(Semaphore::new(0));
    stage.provider.say(keys(&[&new]).held_by(&gate));
    stage.gateway.clock.advance(REST);
    let tokens: Vec<_> = (0..10).map(|index| new.token(&claims(json!({"jti": index})))).collect();
    let asked = join_all(tokens.iter().map(|token| stage.asked(token)));
    let opened = async {
        until(|| stage.provider.fetches() == 2).await;
        // Others go on meanwhile, with what is at hand.
        assert_eq!(stage.asked(&old.token(&claims(json!({})))).await, "200");
        gate.add_permits(1);
    };
    let (told, ()) = tokio::join!(asked, opened);
    assert!(told.iter().all(|told| told == "200"), "{told:?}");
    assert_eq!(stage.provider.fetches(), 2);
}

#[tokio::test]
async fn a_key_that_is_taken_out_ends_its_tokens_at_the_next_refresh() {
    let [old, new] = [Signer::es256("old"), Signer::es256("new")];
    let stage = Stage::with(&[&old, &new]).await;
    let [old_token, new_token] = [&old, &new].map(|signer| signer.token(&claims(json!({}))));
    for token in [&old_token, &new_token] {
        // Remembered, and remembered in front of the router.
        stage.gateway.get_as(token, "/customers").await.ok();
        stage.gateway.get_as(token, "/customers").await.ok();
    }
    stage.provider.say(keys(&[&new]));
    stage.after(REFRESH, "ok", 2).await;
    assert_eq!(stage.asked(&old_token).await, NO_KEY);
    assert_eq!(stage.gateway.get_as(&old_token, "/customers").await.code(401), "unauthenticated");
    assert_eq!(stage.asked(&new_token).await, "200");
    // The last one too: the provider says so.
    stage.provider.say(keys(&[]));
    stage.after(REFRESH, "ok", 3).await;
    assert_eq!(stage.asked(&new_token).await, NO_KEY);
    assert_eq!(stage.provider.fetches(), 3);
}

#[tokio::test]
async fn without_any_keys_a_token_is_503_and_keys_go_on() {
    let signer = Signer::es256("a");
    let stage = Stage::saying(Reply::text(500, "{}")).await;
    let token = signer.token(&claims(json!({})));
    let refused = stage.gateway.get_as(&token, "/customers").await;
    assert_json_snapshot!(refused.told(), @r#"
    {
      "code": "identity_unavailable",
      "detail": "the token cannot be verified: the identity provider's keys cannot be had",
      "request_id": "[request id]",
      "retryable": true,
      "status": 503,
      "title": "The identity provider's keys are unavailable"
    }
    "#);
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(stage.asked(&signer.token_with(&json!({"alg": "ES256"}), &claims(json!({})))).await, UNAVAILABLE);
    stage.gateway.clock.advance(Duration::from_secs(20));
    assert_eq!(stage.gateway.get_as(&token, "/customers").await.header("retry-after"), "10");
    stage.gateway.get_as(KEY, "/customers").await.ok();
    assert_eq!(stage.gateway.get_as("cgk_wrong", "/customers").await.code(401), "unauthenticated");
    assert_eq!(stage.asked("not.a.token").await.get(..3), Some("401"));
    assert_eq!(stage.provider.fetches(), 1);

    // It is asked again by itself, sooner than after a success.
    stage.provider.say(keys(&[&signer]));
    stage.after(Duration::from_secs(10), "ok", 1).await;
    stage.read("failed", 1).await;
    assert_eq!(stage.asked(&token).await, "200");
}

#[tokio::test]
async fn the_keys_at_hand_stay_while_the_provider_fails() {
    let [signer, stranger] = [Signer::es256("a"), Signer::es256("b")];
    let stage = Stage::with(&[&signer]).await;
    let token = |serial: u32| signer.token(&claims(json!({"jti": serial, "exp": START + 86_400})));
    assert_eq!(stage.asked(&token(0)).await, "200");
    // Of what is refused, some would be a set of keys.
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
    let moved = format!("location: {}/elsewhere\r\n", stage.provider.server.base_url);
    let mut failures = 0;
    for says in [
        Reply::text(503, &document),
        Reply::with_headers(302, &moved, document.as_bytes()),
        Reply::text(200, &(document.clone() + &" ".repeat(300_000))),
        flood,
        Reply::text(200, "<html>"),
        Reply::text(200, "{}"),
        Reply::text(200, r#"{"keys": 7}"#),
        Reply::text(200, &"[".repeat(100_000)),
        Reply::with_headers(204, "", b""),
        body_error,
        Reply::Bytes(b"not HTTP\r\n\r\n".to_vec()),
    ] {
        stage.provider.say(says);
        failures += 1;
        stage.after(REFRESH, "failed", failures).await;
        assert_eq!(stage.asked(&token(0)).await, "200");
        assert_eq!(stage.asked(&token(failures.try_into().unwrap())).await, "200");
        // Whether this one is a key of the provider's nobody can say now.
        assert_eq!(stage.asked(&stranger.token(&claims(json!({})))).await, UNAVAILABLE);
    }
    stage.read("ok", 1).await;
}

#[tokio::test]
async fn keys_are_fetched_without_anybodys_secret() {
    let signer = Signer::es256("a");
    let stage = Stage::with(&[&signer]).await;
    assert_eq!(stage.asked(&signer.token(&claims(json!({})))).await, "200");
    let [head] = &stage.provider.server.heads()[..] else { panic!() };
    assert!(head.starts_with("GET /.well-known/jwks.json HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
}

#[tokio::test]
async fn keys_are_handed_on_where_the_settings_are_the_same_and_end_with_their_last_owner() {
    let served = Provider::start(keys(&[&Signer::es256("a")])).await;
    let (clock, registry) = (SystemClock::shared(), Registry::default());
    let settings = |audience: &str| Settings {
        issuer: ISSUER.to_owned(),
        audience: audience.to_owned(),
        jwks: served.jwks(),
        refresh: REFRESH,
    };
    let start = |audience: &str, previous: Option<&identity::Provider>| {
        identity::Provider::of(settings(audience), previous, &mut Clients::default(), &registry, &clock).unwrap()
    };
    let first = start("one", None);
    until(|| served.fetches() == 1).await;
    let same = start("one", Some(&first));
    let other = start("another", Some(&same));
    until(|| served.fetches() == 2).await;
    // Each has a task that holds the clock.
    assert_eq!(Arc::strong_count(&clock), 3);
    drop((first, other));
    until(|| Arc::strong_count(&clock) == 2).await;
    drop(same);
    until(|| Arc::strong_count(&clock) == 1).await;
    assert_eq!(served.fetches(), 2);
}

#[tokio::test]
async fn who_takes_no_tokens_asks_no_provider() {
    let sandbox = sandbox(1, 0, 0).await;
    let mut config = configured(&sandbox, Jwks::Url("http://127.0.0.1:1/".parse().unwrap()));
    config.identity = None;
    let gateway = Gateway::start(config).await;
    let token = Signer::es256("a").token(&claims(json!({})));
    assert_eq!(gateway.get_as(&token, "/customers").await.line(), "401 unauthenticated the key is not known here");
    assert!(!gateway.get("/metrics").await.text.contains("jwks"));
}
