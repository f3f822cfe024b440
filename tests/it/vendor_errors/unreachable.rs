//! Vendors that cannot be reached or do not speak HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use insta::assert_snapshot;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::summarize;
use crate::support::{Answer, ClosedPort, Gateway, Reply, ScriptedVendor, config, connection};

async fn list_customers(base_url: &str) -> Answer {
    let mut connection = connection("odd", "tolt", base_url, "secret", "prg_1");
    connection.timeout = Duration::from_secs(2);
    Gateway::start(config(vec![connection])).await.get("/customers?email=jim%40example.com").await
}

#[tokio::test]
async fn closed_port_is_vendor_error() {
    let closed = ClosedPort::bind();
    assert_snapshot!(summarize(&list_customers(&closed.base_url).await), @"502 vendor_error the vendor cannot be reached: Connection refused (os error 111)");
}

#[tokio::test]
async fn unresolvable_host_is_an_error() {
    let answer = list_customers("http://vendor.invalid").await;
    // The time to fail depends on the name server.
    assert!(["vendor_error", "deadline_exceeded"].contains(&answer.code(answer.status).as_str()), "{}", answer.text);
    assert!(!answer.text.contains("jim"), "the query must not be repeated: {}", answer.text);
}

#[tokio::test]
async fn tls_to_plaintext_port_is_vendor_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.ok();
            hearing.lock().unwrap().extend(bytes);
        }
    });
    assert_snapshot!(summarize(&list_customers(&base_url).await), @"502 vendor_error the vendor cannot be reached: received corrupt message of type InvalidContentType");
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    assert!(!heard.is_empty() && !heard.contains("GET") && !heard.contains("secret"), "sent in plaintext: {heard:?}");
}

#[tokio::test]
async fn non_http_response_is_vendor_error() {
    let vendor = ScriptedVendor::start(|_, _| Reply::Bytes(b"220 smtp.example ESMTP\r\n\r\n".to_vec())).await;
    assert_snapshot!(summarize(&list_customers(&vendor.base_url).await), @"502 vendor_error the vendor cannot be reached: invalid HTTP version parsed");
}

#[tokio::test]
async fn silent_vendor_is_deadline_exceeded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = list_customers(&format!("http://{}", listener.local_addr().unwrap())).await;
    assert_snapshot!(summarize(&answer), @"504 deadline_exceeded no response within 2s");
}
