//! Clients that hold a connection and give nothing for it.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};

use crate::support::{Gateway, Reply, ScriptedVendor, config, tolt_page, tolt_row};

use super::{NEVER, PAGE, Raw, SHORT, Stage, comes, endless, until};

/// The client's part of an HTTP/2 connection's beginning (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// The type of a frame that ends a connection (RFC 9113, section 6.8).
const GOAWAY: u8 = 7;

/// A request's frame on a stream (RFC 9113, section 6.2; RFC 7541, 6.1 and
/// 6.2.2).
fn headers_frame(stream: u32, method: &str, target: &str, accept: &str) -> Vec<u8> {
    // `:scheme: http`, and the names of the others, are in the static table.
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

/// The types of the frames that came.
fn frame_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        types.push(*kind);
        bytes = rest.get(u32::from_be_bytes([0, *a, *b, *c]) as usize..).unwrap_or_default();
    }
    types
}

#[tokio::test]
async fn who_never_finishes_a_first_request_is_cut_off() {
    let stage = Stage::set(|config| config.server.limits.header_timeout = SHORT).await;
    let half_a_head = "GET /livez HTTP/1.1\r\nhost: gateway\r\nx-slow: ";
    for said in [b"".as_slice(), half_a_head.as_bytes(), &PREFACE[..10]] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.write(said).await;
        assert_eq!(client.read_to_the_end().await, b"", "{said:?}");
    }
    let mut client = Raw::connect(&stage.gateway).await;
    client.write(PREFACE).await;
    assert!(frame_types(&client.read_to_the_end().await).contains(&GOAWAY));
}

#[tokio::test]
async fn dribbling_does_not_gain_time() {
    let stage = Stage::set(|config| config.server.limits.header_timeout = SHORT).await;
    let mut client = Raw::connect(&stage.gateway).await;
    client.write("GET /livez HTTP/1.1\r\nx-slow: ").await;
    let (mut answers, mut requests) = client.0.into_split();
    let dribbling = tokio::spawn(async move {
        while requests.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    });
    let mut read = Vec::new();
    comes(answers.read_to_end(&mut read)).await.ok();
    assert_eq!(read, b"");
    comes(dribbling).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_not_used_again_is_closed() {
    let stage = Stage::set(|config| config.server.limits.idle_timeout = SHORT).await;
    for second in ["", "GET /livez HTTP/1.1\r\nx-slow: "] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.ask("/livez", "").await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.write(second).await;
        assert_eq!(client.read_to_the_end().await, b"", "{second:?}");
    }
    let mut client = Raw::connect(&stage.gateway).await;
    client.write([PREFACE, &headers_frame(1, "GET", "/livez", "*/*")].concat()).await;
    assert!(frame_types(&client.read_to_the_end().await).contains(&GOAWAY));
}

/// When others have been cut off one after the other, who began before them
/// would have been, and have had the time to say goodbye.
async fn others_are_cut_off(gateway: &Gateway) {
    for _ in 0..3 {
        let mut idle = Raw::connect(gateway).await;
        idle.ask("/livez", "").await;
        idle.head().await;
        idle.read_to_the_end().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_long_in_coming_is_waited_for() {
    let stage = Stage::set(|config| config.server.limits.idle_timeout = SHORT).await;
    let mut patient = Raw::connect(&stage.gateway).await;
    patient.ask(PAGE, "").await;
    stage.is_asked(1).await;
    others_are_cut_off(&stage.gateway).await;
    stage.open(1);
    let head = patient.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn an_export_whose_next_page_is_long_in_coming_is_waited_for() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let vendor = ScriptedVendor::start(move |call, _| match call {
        0 => Reply::json(&tolt_page(&[tolt_row("cust_1")], true)),
        _ => Reply::json(&tolt_page(&[tolt_row("cust_2")], false)).held_by(&held),
    })
    .await;
    let mut config = config(vec![vendor.connection("tolt")]);
    config.server.limits.idle_timeout = SHORT;
    config.server.request_timeout = SHORT;
    let gateway = Gateway::start(config).await;
    let mut export = Raw::connect(&gateway).await;
    export.ask(PAGE, "accept: application/x-ndjson\r\n").await;
    assert!(export.head().await.starts_with("HTTP/1.1 200 "));
    until(async || vendor.calls() == 2).await;
    others_are_cut_off(&gateway).await;
    gate.add_permits(1);
    let rest = String::from_utf8(export.read_to_the_end().await).unwrap();
    assert!(rest.contains("cust_2") && rest.contains(r#""status":"complete""#), "{rest}");
}

/// An export's place is its own until its last byte, or until its reader is
/// given up.
#[tokio::test]
async fn who_does_not_read_an_answer_is_cut_off_and_gives_its_place_back() {
    let (vendor, gateway) = endless(20_000, |config| {
        config.server.limits.idle_timeout = SHORT;
        config.server.max_requests = 1;
    })
    .await;
    let export = "accept: application/x-ndjson\r\n";
    let http1 = [format!("GET {PAGE} HTTP/1.1\r\nhost: gateway\r\n{export}\r\n").into_bytes()];
    let http2 = [[PREFACE, &headers_frame(1, "GET", PAGE, "application/x-ndjson")].concat()];
    // A kept connection might be closed while it is used again.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status =
        async |target: &str| client.get(format!("{}{target}", gateway.url)).send().await.unwrap().status().as_u16();
    for request in [http1, http2].concat() {
        let mut client = Raw::connect(&gateway).await;
        client.write(&request).await;
        // Until what it has not read stands in the way.
        let asked = vendor.calls();
        until(async || status("/connections").await == 503 && vendor.calls() > asked).await;
        until(async || status("/connections").await == 200).await;
        // What came before the end is there to be read, and no more.
        client.read_to_the_end().await;
    }
}

/// What goes on beside it is no reason to hold an answer that is not read.
#[tokio::test]
async fn an_unread_answer_is_not_held_for_the_requests_beside_it() {
    let (vendor, gateway) = endless(20_000, |config| {
        config.server.limits.idle_timeout = SHORT;
        config.server.max_requests = 1;
    })
    .await;
    let mut client = Raw::connect(&gateway).await;
    client.write([PREFACE, &headers_frame(1, "GET", PAGE, "application/x-ndjson")].concat()).await;
    until(async || vendor.calls() > 0).await;
    let (mut answers, mut requests) = client.0.into_split();
    let beside = tokio::spawn(async move {
        for stream in (3_u32..).step_by(2) {
            // Its answer has nothing to read.
            if requests.write_all(&headers_frame(stream, "HEAD", "/livez", "*/*")).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 5).await;
        }
    });
    comes(answers.read_to_end(&mut Vec::new())).await.ok();
    comes(beside).await.unwrap();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status = async || client.get(format!("{}/connections", gateway.url)).send().await.unwrap().status();
    until(async || status().await == 200).await;
}

/// A place is held until a large answer has been read, and not until it has
/// been made.
#[tokio::test]
async fn a_large_page_holds_its_place_until_it_is_read() {
    let (_vendor, gateway) = endless(60_000, |config| config.server.max_requests = 1).await;
    let mut client = Raw::connect(&gateway).await;
    client.ask(&format!("{PAGE}&limit=100"), "").await;
    let client_of_others = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let status = async || client_of_others.get(format!("{}/connections", gateway.url)).send().await.unwrap().status();
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    for _ in 0..20 {
        assert_eq!(status().await, 503);
    }
    drop(client);
    until(async || status().await == 200).await;
}

/// A connection does not keep what is served no more.
#[tokio::test]
async fn a_kept_connection_holds_no_configuration() {
    let stage = Stage::set(|_| {}).await;
    let mut kept = Raw::connect(&stage.gateway).await;
    kept.ask("/livez", "").await;
    kept.head().await;
    let served = Arc::downgrade(&stage.gateway.served());
    stage.gateway.renew(config(vec![stage.vendor.connection("tolt")])).await;
    until(async || served.strong_count() == 0).await;
    kept.ask("/livez", "").await;
    assert!(kept.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn there_are_so_many_connections_and_more_wait_for_them() {
    let stage = Stage::set(|config| {
        config.server.limits.max_connections = 2;
        config.server.limits.header_timeout = NEVER * 2;
    })
    .await;
    let first = Raw::connect(&stage.gateway).await;
    let mut second = Raw::connect(&stage.gateway).await;
    second.ask("/livez", "").await;
    second.head().await;
    let mut third = Raw::connect(&stage.gateway).await;
    third.ask("/livez", "").await;
    // The second is answered again and again, and the third waits.
    for _ in 0..20 {
        second.ask("/livez", "").await;
        second.head().await;
    }
    let mut byte = [0];
    assert!(third.0.try_read(&mut byte).is_err(), "accepted though there was no place");
    drop(first);
    assert!(third.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_request_with_a_body_is_refused_before_the_body_is_sent() {
    let stage = Stage::set(|_| {}).await;
    stage.open(1);
    for target in [PAGE, PAGE, "/livez", "/nope"] {
        let mut client = Raw::connect(&stage.gateway).await;
        client.ask(target, "content-length: 1000000000\r\n").await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 413 ") && head.contains("content_too_large"), "{target}: {head}");
        // It is not waited for either.
        client.read_to_the_end().await;
        stage.get(PAGE).await.ok();
    }
    // A body of unknown length is not read, and costs its connection.
    let mut client = Raw::connect(&stage.gateway).await;
    client.ask("/livez", "transfer-encoding: chunked\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.read_to_the_end().await;
}

#[tokio::test]
async fn a_connection_by_http_2_has_so_many_requests_at_once() {
    let stage = Stage::set(|_| {}).await;
    let mut client = Raw::connect(&stage.gateway).await;
    client.write(PREFACE).await;
    let mut head = [0; 9];
    comes(client.0.read_exact(&mut head)).await.unwrap();
    let mut settings = vec![0; usize::from(head[2])];
    comes(client.0.read_exact(&mut settings)).await.unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, section 6.5.2).
    assert!(settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 100]), "{settings:?}");
}

#[test]
fn the_times_are_as_documented() {
    let limits = customer_gateway::server::Limits::default();
    assert_eq!(limits.header_timeout, Duration::from_secs(10));
    assert_eq!(limits.idle_timeout, Duration::from_mins(2));
}
