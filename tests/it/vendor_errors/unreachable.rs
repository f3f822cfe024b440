//! Vendors that are not there, or not what they should be.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use insta::assert_snapshot;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::told;
use crate::support::{Answer, Gateway, Reply, ScriptedVendor, config, connection};

async fn ask(base_url: &str) -> Answer {
    let mut connection = connection("odd", "tolt", base_url, "secret", "prg_1");
    connection.timeout = Duration::from_secs(2);
    Gateway::start(config(vec![connection])).await.get("/customers?email=jim%40example.com").await
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_snapshot!(told(&ask(&base_url).await), @"502 vendor_error the vendor cannot be reached: Connection refused (os error 111)");
}

#[tokio::test]
async fn a_host_that_no_name_server_knows() {
    let answer = ask("http://vendor.invalid").await;
    // How long it takes to learn that depends on the name server.
    assert!(["vendor_error", "deadline_exceeded"].contains(&answer.code(answer.status).as_str()), "{}", answer.text);
    assert!(!answer.text.contains("jim"), "the question is not repeated: {}", answer.text);
}

#[tokio::test]
async fn tls_to_a_port_that_speaks_none() {
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
    assert_snapshot!(told(&ask(&base_url).await), @"502 vendor_error the vendor cannot be reached: received corrupt message of type InvalidContentType");
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    assert!(!heard.is_empty() && !heard.contains("GET") && !heard.contains("secret"), "sent in the clear: {heard:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    let vendor = ScriptedVendor::start(|_, _| Reply::Bytes(b"220 smtp.example ESMTP\r\n\r\n".to_vec())).await;
    assert_snapshot!(told(&ask(&vendor.base_url).await), @"502 vendor_error the vendor cannot be reached: invalid HTTP version parsed");
}

#[tokio::test]
async fn a_vendor_that_accepts_and_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = ask(&format!("http://{}", listener.local_addr().unwrap())).await;
    assert_snapshot!(told(&answer), @"504 deadline_exceeded no response within 2s");
}
