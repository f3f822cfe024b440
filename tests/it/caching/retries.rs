//! Retries of reads, within limits (FACTS.md cases 31 and 32).

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};

use super::{PAGE, stage};
use crate::support::{ClosedPort, Gateway, config, connections_to, sandbox};

#[tokio::test]
async fn transient_failure_is_retried() {
    let failures = [408, 500, 502, 503, 504].map(Fault::Status);
    for fault in failures.into_iter().chain([Fault::Reset, Fault::SuccessFalse]) {
        let stage = stage().start().await;
        stage.vendors.tolt().fail_next(1, fault.clone());
        stage.get(PAGE).await.ok();
        assert_eq!(stage.tolt_calls(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn connection_closed_without_response_is_retried() {
    let sandbox = sandbox(3, 0, 0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let vendor = sandbox.tolt().base_url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        let (mut client, _) = listener.accept().await.unwrap();
        let mut vendor = TcpStream::connect(vendor).await.unwrap();
        tokio::io::copy_bidirectional(&mut client, &mut vendor).await
    });
    let mut config = config(connections_to(&sandbox));
    config.connections[0].base_url = url.parse().unwrap();

    Gateway::start(config).await.get(PAGE).await.ok();
}

#[tokio::test]
async fn unreachable_vendor_is_vendor_error() {
    let closed = ClosedPort::bind();
    let stage =
        stage().configure_first(|connection| connection.base_url = closed.base_url.parse().unwrap()).start().await;

    assert_eq!(stage.get(PAGE).await.code(502), "vendor_error");
}

#[tokio::test]
async fn call_has_at_most_three_attempts() {
    for fault in [Fault::Status(503), Fault::Status(408), Fault::Reset] {
        let stage = stage().start().await;
        stage.vendors.tolt().fail_next(3, fault.clone());
        assert_eq!(stage.get(PAGE).await.code(502), "vendor_error", "{fault:?}");
        assert_eq!(stage.tolt_calls(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn permanent_failure_is_not_retried() {
    let refusals = [400, 401, 403, 404, 409, 410, 422].map(Fault::Status);
    for fault in refusals.into_iter().chain([Fault::Html, Fault::Empty, Fault::Truncated]) {
        let stage = stage().start().await;
        stage.vendors.tolt().fail_next(1, fault.clone());
        let answer = stage.get(PAGE).await;
        assert!(answer.status >= 400, "{fault:?}");
        assert_eq!(stage.tolt_calls(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn retry_after_beyond_deadline_is_not_awaited() {
    let stage = stage().start().await;
    let later = vec![("Retry-After".to_owned(), "3600".to_owned())];
    stage.vendors.tolt().fail_next(1, Fault::StatusWithHeaders(503, later));

    let answer = stage.get(PAGE).await;
    assert_eq!((answer.code(502).as_str(), answer.header("retry-after")), ("vendor_error", "3600"));
    assert_eq!(stage.tolt_calls(), 1);
}

#[tokio::test]
async fn vendor_timeout_is_not_retried() {
    let stage = stage().configure_first(|connection| connection.timeout = Duration::from_millis(300)).start().await;
    stage.vendors.tolt().fail_next(1, Fault::Stall(Duration::from_mins(1)));

    assert_eq!(stage.get(PAGE).await.code(504), "deadline_exceeded");
    assert_eq!(stage.tolt_calls(), 1);
}

#[tokio::test]
async fn retry_budget_bounds_retries() {
    let stage = stage().start().await;
    // The breaker ignores this status. The retry budget allows a fifth of the
    // calls, and ten at first.
    stage.vendors.tolt().fail_next(1_000, Fault::Status(408));
    let callers = 40;
    let targets: Vec<_> = (0..callers).map(|index| stage.customer(index)).collect();
    for answer in join_all(targets.iter().map(|target| stage.get(target))).await {
        assert_eq!(answer.code(502), "vendor_error");
    }

    let calls = stage.tolt_calls();
    assert!((callers as u64..=callers as u64 * 6 / 5 + 10).contains(&calls), "{calls}");
}
