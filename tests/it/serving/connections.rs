//! Clients that hold a connection without using it.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};

use crate::support::{self, Gateway, Reply, ScriptedVendor, config, tolt_page, tolt_row};

use super::{LONG, PAGE, Raw, SHORT, completed, endless_list, stage, until};

/// The client's connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// Type of the frame that ends a connection (RFC 9113, section 6.8).
const GOAWAY: u8 = 7;

/// Returns a request's HEADERS frame on a stream (RFC 9113, section 6.2; RFC
/// 7541, 6.1 and 6.2.2).
fn headers_frame(stream: u32, method: &str, target: &str, accept: &str) -> Vec<u8> {
    // `:scheme: http` and the names of the other fields are in the static
    // table.
    let mut block = vec![0x86];
    let fields = [([0x02].as_slice(), method), (&[0x04], target), (&[0x01], "gateway"), (&[0x0f, 0x04], accept)];
    for (name, value) in fields {
        block.extend_from_slice(name);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend_from_slice(value.as_bytes());
    }
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    // END_STREAM and END_HEADERS.
    [&length[1..], &[0x01, 0x05], &stream.to_be_bytes(), &block].concat()
}

/// Returns the types of the received frames.
fn frame_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        types.push(*kind);
        bytes = rest.get(u32::from_be_bytes([0, *a, *b, *c]) as usize..).unwrap_or_default();
    }
    types
}

#[tokio::test]
async fn unfinished_first_request_is_closed() {
    let stage = stage().configure(|config| config.server.limits.header_timeout = SHORT).start().await;
    let half_a_head = "GET /livez HTTP/1.1\r\nhost: gateway\r\nx-slow: ";
    for said in [b"".as_slice(), half_a_head.as_bytes(), &PREFACE[..10]] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.write(said).await;
        assert_eq!(client.read_to_end().await, b"", "{said:?}");
    }
    let mut client = Raw::connect(&stage.gateway).await;
    client.write(PREFACE).await;
    assert!(frame_types(&client.read_to_end().await).contains(&GOAWAY));
}

#[tokio::test]
async fn slow_header_bytes_do_not_extend_the_timeout() {
    let stage = stage().configure(|config| config.server.limits.header_timeout = SHORT).start().await;
    let mut client = Raw::connect(&stage.gateway).await;
    client.write("GET /livez HTTP/1.1\r\nx-slow: ").await;
    let (mut answers, mut requests) = client.0.into_split();
    let dribbling = tokio::spawn(async move {
        while requests.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    });
    let mut read = Vec::new();
    completed(answers.read_to_end(&mut read)).await.ok();
    assert_eq!(read, b"");
    completed(dribbling).await.unwrap();
}

#[tokio::test]
async fn idle_connection_is_closed() {
    let stage = stage().configure(|config| config.server.limits.idle_timeout = SHORT).start().await;
    for second in ["", "GET /livez HTTP/1.1\r\nx-slow: "] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.send_get("/livez", "").await;
        assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
        client.write(second).await;
        assert_eq!(client.read_to_end().await, b"", "{second:?}");
    }
    let mut client = Raw::connect(&stage.gateway).await;
    client.write([PREFACE, &headers_frame(1, "GET", "/livez", "*/*")].concat()).await;
    assert!(frame_types(&client.read_to_end().await).contains(&GOAWAY));
}

/// Waits until other idle connections have been closed in sequence. An earlier
/// connection would have been closed before them, with time for a graceful
/// shutdown.
async fn wait_for_idle_timeouts(gateway: &Gateway) {
    for _ in 0..3 {
        let mut idle = Raw::connect(gateway).await;
        idle.send_get("/livez", "").await;
        idle.read_head().await;
        idle.read_to_end().await;
    }
}

#[tokio::test]
async fn slow_response_does_not_count_as_idle() {
    let stage = stage().configure(|config| config.server.limits.idle_timeout = SHORT).start().await;
    let mut patient = Raw::connect(&stage.gateway).await;
    patient.send_get(PAGE, "").await;
    stage.wait_for_calls(1).await;
    wait_for_idle_timeouts(&stage.gateway).await;
    stage.open(1);
    let head = patient.read_head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn slow_export_page_does_not_count_as_idle() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let vendor = ScriptedVendor::start(move |call, _| match call {
        0 => Reply::json(&tolt_page(&[tolt_row("cust_1")], true)),
        _ => Reply::json(&tolt_page(&[tolt_row("cust_2")], false)).gated_by(&held),
    })
    .await;
    let mut config = config(vec![vendor.connection("tolt")]);
    config.server.limits.idle_timeout = SHORT;
    config.server.request_timeout = SHORT;
    let gateway = Gateway::start(config).await;
    let mut export = Raw::connect(&gateway).await;
    export.send_get(PAGE, "accept: application/x-ndjson\r\n").await;
    assert!(export.read_head().await.starts_with("HTTP/1.1 200 "));
    until(async || vendor.calls() == 2).await;
    wait_for_idle_timeouts(&gateway).await;
    gate.add_permits(1);
    let rest = String::from_utf8(export.read_to_end().await).unwrap();
    assert!(rest.contains("cust_2") && rest.contains(r#""status":"complete""#), "{rest}");
}

/// An export holds its request slot until its last byte is read or its reader
/// is given up.
#[tokio::test]
async fn unread_response_is_closed_and_frees_its_slot() {
    let support::Stage { vendors: vendor, gateway } = endless_list(20_000)
        .configure(|config| {
            config.server.limits.idle_timeout = SHORT;
            config.server.max_requests = 1;
        })
        .start()
        .await;
    let export = "accept: application/x-ndjson\r\n";
    let http1 = [format!("GET {PAGE} HTTP/1.1\r\nhost: gateway\r\n{export}\r\n").into_bytes()];
    let http2 = [[PREFACE, &headers_frame(1, "GET", PAGE, "application/x-ndjson")].concat()];
    // A kept-alive connection might be closed while it is reused.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status =
        async |target: &str| client.get(format!("{}{target}", gateway.url)).send().await.unwrap().status().as_u16();
    for request in [http1, http2].concat() {
        let mut client = Raw::connect(&gateway).await;
        client.write(&request).await;
        // Until unread bytes block the response.
        let asked = vendor.calls();
        until(async || status("/connections").await == 503 && vendor.calls() > asked).await;
        until(async || status("/connections").await == 200).await;
        // Bytes sent before the close can still be read, and no more follow.
        client.read_to_end().await;
    }
}

/// Other requests on the connection do not keep an unread response open.
#[tokio::test]
async fn unread_response_closes_despite_other_streams() {
    let support::Stage { vendors: vendor, gateway } = endless_list(20_000)
        .configure(|config| {
            config.server.limits.idle_timeout = SHORT;
            config.server.max_requests = 1;
        })
        .start()
        .await;
    let mut client = Raw::connect(&gateway).await;
    client.write([PREFACE, &headers_frame(1, "GET", PAGE, "application/x-ndjson")].concat()).await;
    until(async || vendor.calls() > 0).await;
    let (mut answers, mut requests) = client.0.into_split();
    let beside = tokio::spawn(async move {
        for stream in (3_u32..).step_by(2) {
            // A HEAD response has nothing to read.
            if requests.write_all(&headers_frame(stream, "HEAD", "/livez", "*/*")).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 5).await;
        }
    });
    completed(answers.read_to_end(&mut Vec::new())).await.ok();
    completed(beside).await.unwrap();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status = async || client.get(format!("{}/connections", gateway.url)).send().await.unwrap().status();
    until(async || status().await == 200).await;
}

/// A large response holds its request slot until it is read, not only until it
/// is produced.
#[tokio::test]
async fn large_response_holds_its_slot_until_read() {
    let support::Stage { vendors: _vendor, gateway } =
        endless_list(60_000).configure(|config| config.server.max_requests = 1).start().await;
    let mut client = Raw::connect(&gateway).await;
    client.send_get(&format!("{PAGE}&limit=100"), "").await;
    let client_of_others = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status = async || client_of_others.get(format!("{}/connections", gateway.url)).send().await.unwrap().status();
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
    for _ in 0..20 {
        assert_eq!(status().await, 503);
    }
    drop(client);
    until(async || status().await == 200).await;
}

/// An open connection does not keep a replaced configuration alive.
#[tokio::test]
async fn kept_connection_holds_no_configuration() {
    let stage = stage().start().await;
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.send_get("/livez", "").await;
    kept.read_head().await;
    let served = Arc::downgrade(&stage.gateway.served());
    stage.gateway.reload(config(vec![stage.vendor().connection("tolt")])).await;
    until(async || served.strong_count() == 0).await;
    kept.send_get("/livez", "").await;
    assert!(kept.read_head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn connections_over_max_connections_wait() {
    let stage = stage()
        .configure(|config| {
            config.server.limits.max_connections = 2;
            config.server.limits.header_timeout = LONG * 2;
        })
        .start()
        .await;
    let first = Raw::connect(&stage.gateway).await;
    let mut second = Raw::connect(&stage.gateway).await;
    second.send_get("/livez", "").await;
    second.read_head().await;
    let mut third = Raw::connect(&stage.gateway).await;
    third.send_get("/livez", "").await;
    // The second connection is answered repeatedly, and the third waits.
    for _ in 0..20 {
        second.send_get("/livez", "").await;
        second.read_head().await;
    }
    let mut byte = [0];
    assert!(third.0.try_read(&mut byte).is_err(), "accepted above max_connections");
    drop(first);
    assert!(third.read_head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn request_body_is_rejected_before_it_is_sent() {
    let stage = stage().start().await;
    stage.open(1);
    for target in [PAGE, PAGE, "/livez", "/nope"] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.send_get(target, "content-length: 1000000000\r\n").await;
        // The gateway does not wait for the body either.
        let answer = String::from_utf8(client.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("content_too_large"), "{target}: {answer}");
        stage.get(PAGE).await.ok();
    }
    // A body of unknown length is not read, and its connection is closed.
    let mut client = Raw::connect(&stage.gateway).await;
    client.send_get("/livez", "transfer-encoding: chunked\r\n").await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
    client.read_to_end().await;
}

#[tokio::test]
async fn http2_connection_limits_concurrent_streams() {
    let stage = stage().start().await;
    let mut client = Raw::connect(&stage.gateway).await;
    client.write(PREFACE).await;
    let mut head = [0; 9];
    completed(client.0.read_exact(&mut head)).await.unwrap();
    let mut settings = vec![0; usize::from(head[2])];
    completed(client.0.read_exact(&mut settings)).await.unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, section 6.5.2).
    assert!(settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 100]), "{settings:?}");
}

#[test]
fn timeouts_have_documented_defaults() {
    let limits = customer_gateway::server::Limits::default();
    assert_eq!(limits.header_timeout, Duration::from_secs(10));
    assert_eq!(limits.idle_timeout, Duration::from_mins(2));
}
