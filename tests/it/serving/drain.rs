//! Stopping: readiness goes first, and what was accepted is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::server::Tls;
use futures_util::future::{join, join_all};

use super::{NEVER, PAGE, Raw, SHORT, Stage, comes, endless, tls, until};

#[tokio::test]
async fn readiness_goes_first_and_requests_are_taken_for_a_while() {
    let stage = Stage::set(|config| config.server.limits.shutdown_delay = NEVER * 2).await;
    stage.open(2);
    assert_eq!(stage.get("/readyz").await.status, 200);
    stage.gateway.stop();
    until(async || stage.get("/readyz").await.status == 503).await;
    let told = stage.get("/readyz").await;
    assert!(told.text.contains("the gateway is stopping"), "{}", told.text);
    assert_eq!(stage.get("/livez").await.status, 200);
    // Also on a new connection.
    let mut client = Raw::connect(&stage.gateway).await;
    client.ask(PAGE, "").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn requests_in_flight_end_and_then_it_stops() {
    let mut stage = Stage::set(|config| config.server.limits.drain_timeout = NEVER * 2).await;
    let mut in_flight = Raw::connect(&stage.gateway).await;
    in_flight.ask(PAGE, "").await;
    stage.is_asked(1).await;
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.ask("/livez", "").await;
    kept.head().await;
    let mut silent = Raw::connect(&stage.gateway).await;
    stage.gateway.stop();
    // Whoever waits for nothing is let go, and holds nothing up.
    assert_eq!(silent.read_to_the_end().await, b"");
    assert_eq!(kept.read_to_the_end().await, b"");
    stage.open(1);
    let head = in_flight.head().await.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("\r\nconnection: close\r\n"), "{head}");
    in_flight.read_to_the_end().await;
    comes(stage.gateway.stopped()).await;
}

#[tokio::test]
async fn a_request_on_a_kept_connection_is_answered_though_the_gateway_stops() {
    let mut stage = Stage::set(|_| {}).await;
    stage.open(1);
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.ask("/livez", "").await;
    kept.head().await;
    stage.gateway.stop();
    kept.ask(PAGE, "").await;
    assert!(kept.head().await.starts_with("HTTP/1.1 200 "));
    kept.read_to_the_end().await;
    comes(stage.gateway.stopped()).await;
}

#[tokio::test]
async fn what_does_not_end_is_ended_after_the_bound() {
    let mut stage = Stage::set(|config| config.server.limits.drain_timeout = SHORT).await;
    let mut in_flight = Raw::connect(&stage.gateway).await;
    in_flight.ask(PAGE, "").await;
    stage.is_asked(1).await;
    stage.gateway.stop();
    comes(stage.gateway.stopped()).await;
}

/// An export that is cut off says where it can be gone on with.
#[tokio::test]
async fn an_export_that_does_not_end_in_time_can_be_resumed() {
    let (vendor, mut gateway) = endless(10, |config| config.server.limits.drain_timeout = SHORT).await;
    let mut export = Raw::connect(&gateway).await;
    export.ask(PAGE, "accept: application/x-ndjson\r\n").await;
    let stopping = async {
        until(async || vendor.calls() > 3).await;
        gateway.stop();
        comes(gateway.stopped()).await;
    };
    let (read, ()) = join(export.read_to_the_end(), stopping).await;
    let text = String::from_utf8(read).unwrap();
    let mark = text.lines().rfind(|line| line.contains(r#""status":"continues""#)).unwrap();
    assert!(mark.contains(r#""cursor":""#), "{mark}");
    assert!(!text.contains(r#""status":"complete""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_accepted_is_lost_under_load() {
    let client = || reqwest::Client::builder().no_proxy();
    loses_nothing(
        Stage::set(|_| {}).await,
        &[
            client().build().unwrap(),
            client().pool_max_idle_per_host(0).build().unwrap(),
            client().http2_prior_knowledge().build().unwrap(),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_accepted_is_lost_under_load_by_tls() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = tls::renew(directory.path());
    let [file, key] = ["tls.crt", "tls.key"].map(|name| directory.path().join(name));
    let mut stage = Stage::set(|config| config.server.tls = Some(Tls::load(&file, &key).unwrap())).await;
    stage.gateway.url = stage.gateway.url.replace("http://127.0.0.1", "https://localhost");
    let client = || {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([certificate])
    };
    loses_nothing(
        stage,
        &[
            client().http1_only().build().unwrap(),
            client().http1_only().pool_max_idle_per_host(0).build().unwrap(),
            client().build().unwrap(),
        ],
    )
    .await;
}

/// Stops a gateway under the load of some clients: every request is either
/// answered whole or never reached the gateway.
async fn loses_nothing(mut stage: Stage, clients: &[reqwest::Client]) {
    stage.open(100_000);
    let answered = Arc::new(AtomicUsize::new(0));
    let asking =
        clients.iter().flat_map(|client| (0..8).map(move |place| (client.clone(), place))).map(|(client, place)| {
            // Hits, misses, and what no cache has to do with.
            let url = stage.gateway.url.clone();
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                for round in 0.. {
                    let target = match round % 3 {
                        0 => PAGE.to_owned(),
                        1 => format!("/customers/odd.cust_{place}_{round}"),
                        _ => "/connections".to_owned(),
                    };
                    let asked = client.get(format!("{url}{target}")).timeout(NEVER).send().await;
                    match asked {
                        Ok(answer) => {
                            let status = answer.status();
                            assert!(status != 503 && status != 500, "{status}");
                            answer.bytes().await.expect("an answer broke off");
                            answered.fetch_add(1, Relaxed);
                        }
                        // Nobody listens any more.
                        Err(error) if error.is_connect() => return,
                        Err(error) => panic!("lost after {round} requests: {error:?}"),
                    }
                }
            })
        });
    let asking = join_all(asking.collect::<Vec<_>>());
    let stopping = async {
        until(async || answered.load(Relaxed) > 200).await;
        stage.gateway.stop();
    };
    let (ended, ()) = join(comes(asking), stopping).await;
    for ended in ended {
        ended.unwrap();
    }
    tokio::time::timeout(NEVER + Duration::from_secs(1), stage.gateway.stopped()).await.unwrap();
}
