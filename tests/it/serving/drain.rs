//! Shutdown: readiness fails first, and accepted requests are answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::{files::FileRead, server::Tls};
use futures_util::future::{join, join_all};

use super::{LONG, PAGE, Raw, SHORT, Stage, completed, endless_list, stage, tls, until};
use crate::support;

#[tokio::test]
async fn readiness_fails_before_requests_are_refused() {
    let stage = stage().configure(|config| config.server.limits.shutdown_delay = LONG * 2).start().await;
    stage.open(2);
    assert_eq!(stage.get("/readyz").await.status, 200);
    stage.gateway.stop();
    until(async || stage.get("/readyz").await.status == 503).await;
    let told = stage.get("/readyz").await;
    assert!(told.text.contains("the gateway is shutting down"), "{}", told.text);
    assert_eq!(stage.get("/livez").await.status, 200);
    // New connections are accepted, too.
    let mut client = Raw::connect(&stage.gateway).await;
    client.send_get(PAGE, "").await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn shutdown_waits_for_in_flight_requests() {
    let mut stage = stage().configure(|config| config.server.limits.drain_timeout = LONG * 2).start().await;
    let mut in_flight = Raw::connect(&stage.gateway).await;
    in_flight.send_get(PAGE, "").await;
    stage.wait_for_calls(1).await;
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.send_get("/livez", "").await;
    kept.read_head().await;
    let mut silent = Raw::connect(&stage.gateway).await;
    stage.gateway.stop();
    // Idle connections are closed, and delay nothing.
    assert_eq!(silent.read_to_end().await, b"");
    assert_eq!(kept.read_to_end().await, b"");
    stage.open(1);
    let head = in_flight.read_head().await.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("\r\nconnection: close\r\n"), "{head}");
    in_flight.read_to_end().await;
    completed(stage.gateway.stopped()).await;
}

#[tokio::test]
async fn kept_connection_gets_a_last_response() {
    let mut stage = stage().start().await;
    stage.open(1);
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.send_get("/livez", "").await;
    kept.read_head().await;
    stage.gateway.stop();
    kept.send_get(PAGE, "").await;
    assert!(kept.read_head().await.starts_with("HTTP/1.1 200 "));
    kept.read_to_end().await;
    completed(stage.gateway.stopped()).await;
}

#[tokio::test]
async fn drain_timeout_closes_remaining_connections() {
    let mut stage = stage().configure(|config| config.server.limits.drain_timeout = SHORT).start().await;
    let mut in_flight = Raw::connect(&stage.gateway).await;
    in_flight.send_get(PAGE, "").await;
    stage.wait_for_calls(1).await;
    stage.gateway.stop();
    completed(stage.gateway.stopped()).await;
}

/// Otherwise the end of the runtime makes a response of an aborted vendor call.
#[tokio::test]
async fn aborted_server_closes_its_connections() {
    let stage = stage().start().await;
    let mut in_flight = Raw::connect(&stage.gateway).await;
    in_flight.send_get(PAGE, "").await;
    stage.wait_for_calls(1).await;
    stage.gateway.abort();
    assert_eq!(in_flight.read_to_end().await, b"");
}

/// An interrupted export ends with a cursor for resuming it.
#[tokio::test]
async fn export_cut_off_by_shutdown_can_be_resumed() {
    let support::Stage { vendors: vendor, mut gateway } =
        endless_list(10).configure(|config| config.server.limits.drain_timeout = SHORT).start().await;
    let mut export = Raw::connect(&gateway).await;
    export.send_get(PAGE, "accept: application/x-ndjson\r\n").await;
    let stopping = async {
        until(async || vendor.calls() > 3).await;
        gateway.stop();
        completed(gateway.stopped()).await;
    };
    let (read, ()) = join(export.read_to_end(), stopping).await;
    let text = String::from_utf8(read).unwrap();
    let mark = text.lines().rfind(|line| line.contains(r#""status":"continues""#)).unwrap();
    assert!(mark.contains(r#""cursor":""#), "{mark}");
    assert!(!text.contains(r#""status":"complete""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_under_load_loses_no_accepted_request() {
    let client = || reqwest::Client::builder().no_proxy();
    stop_under_load(
        stage().start().await,
        &[
            client().build().unwrap(),
            client().pool_max_idle_per_host(0).build().unwrap(),
            client().http2_prior_knowledge().build().unwrap(),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_under_tls_load_loses_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = tls::write_certificate(directory.path());
    let [file, key] = ["tls.crt", "tls.key"].map(|name| FileRead::new(directory.path().join(name)));
    let mut stage = stage().configure(|config| config.server.tls = Some(Tls::new(file, key).unwrap())).start().await;
    stage.gateway.url = stage.gateway.url.replace("http://127.0.0.1", "https://localhost");
    let client = || {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([certificate])
    };
    stop_under_load(
        stage,
        &[
            client().http1_only().build().unwrap(),
            client().http1_only().pool_max_idle_per_host(0).build().unwrap(),
            client().build().unwrap(),
        ],
    )
    .await;
}

/// Stops a gateway under the load of these clients: every request is either
/// answered in full or never reached the gateway.
async fn stop_under_load(mut stage: Stage, clients: &[reqwest::Client]) {
    stage.open(100_000);
    let answered = Arc::new(AtomicUsize::new(0));
    let asking =
        clients.iter().flat_map(|client| (0..8).map(move |place| (client.clone(), place))).map(|(client, place)| {
            // Cache hits, misses and uncached routes.
            let url = stage.gateway.url.clone();
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                for round in 0.. {
                    let target = match round % 3 {
                        0 => PAGE.to_owned(),
                        1 => format!("/customers/odd.cust_{place}_{round}"),
                        _ => "/connections".to_owned(),
                    };
                    let asked = client.get(format!("{url}{target}")).timeout(LONG).send().await;
                    match asked {
                        Ok(answer) => {
                            let status = answer.status();
                            assert!(status != 503 && status != 500, "{status}");
                            answer.bytes().await.expect("a response was interrupted");
                            answered.fetch_add(1, Relaxed);
                        }
                        // The listener is closed.
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
    let (ended, ()) = join(completed(asking), stopping).await;
    for ended in ended {
        ended.unwrap();
    }
    tokio::time::timeout(LONG + Duration::from_secs(1), stage.gateway.stopped()).await.unwrap();
}
