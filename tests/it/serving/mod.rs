//! The gateway as a server: what bounds its connections and requests, how it
//! stops, how its configuration is replaced, TLS, and readiness.
//!
//! Time limits of sockets are real time: the tests set short ones and wait for
//! what comes of them, and assert nothing of how long it took.

mod connections;
mod drain;
mod overload;
mod readiness;
mod reload;
mod tls;

use std::{future::Future, sync::Arc, time::Duration};

use customer_gateway::config::Config;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};

use crate::support::{Answer, Gateway, Reply, ScriptedVendor, config, tolt_page, tolt_row};

/// Far longer than anything here takes: what has not come by then never does.
const NEVER: Duration = Duration::from_secs(30);
/// A time limit that a test waits for.
const SHORT: Duration = Duration::from_millis(100);

/// A page of the one connection, `odd`.
const PAGE: &str = "/customers?connection=odd";

/// A gateway in front of a vendor whose answers wait at a gate.
struct Stage {
    gateway: Gateway,
    vendor: ScriptedVendor,
    gate: Arc<Semaphore>,
}

impl Stage {
    /// A stage with one row and a closed gate.
    async fn set(change: impl FnOnce(&mut Config)) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let page = tolt_page(&[tolt_row("cust_1")], false);
        let vendor = ScriptedVendor::start(move |_, _| Reply::json(&page).held_by(&held)).await;
        let mut config = config(vec![vendor.connection("tolt")]);
        change(&mut config);
        Self { gateway: Gateway::start(config).await, vendor, gate }
    }

    /// Lets the vendor answer so many times.
    fn open(&self, times: usize) {
        self.gate.add_permits(times);
    }

    async fn get(&self, target: &str) -> Answer {
        self.gateway.get(target).await
    }

    /// Resolves when so many requests wait at the vendor.
    async fn is_asked(&self, times: usize) {
        until(async || self.vendor.calls() >= times).await;
    }
}

/// A gateway in front of a vendor that has rows without end, each of so many
/// bytes: 100 on a page.
async fn endless(row: usize, change: impl FnOnce(&mut Config)) -> (ScriptedVendor, Gateway) {
    let vendor = ScriptedVendor::start(move |call, _| {
        let named = |index: usize| {
            let mut row_of = tolt_row(&format!("cust_{call}_{index}"));
            row_of["name"] = Value::from("n".repeat(row));
            row_of
        };
        Reply::json(&tolt_page(&(0..100).map(named).collect::<Vec<_>>(), true))
    })
    .await;
    let mut config = config(vec![vendor.connection("tolt")]);
    change(&mut config);
    let gateway = Gateway::start(config).await;
    (vendor, gateway)
}

/// Waits until something is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NEVER, waiting).await.expect("it never was so");
}

/// What comes of something that must come.
async fn comes<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, future).await.expect("it never came")
}

/// A client that writes what it likes, and reads slowly if at all.
struct Raw(TcpStream);

impl Raw {
    async fn connect(gateway: &Gateway) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // So that little of an answer fits on its way.
        socket.set_recv_buffer_size(4096).unwrap();
        Self(socket.connect(gateway.url.trim_start_matches("http://").parse().unwrap()).await.unwrap())
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Asks for a target by HTTP/1.1.
    async fn ask(&mut self, target: &str, headers: &str) {
        self.write(format!("GET {target} HTTP/1.1\r\nhost: gateway\r\n{headers}\r\n")).await;
    }

    /// The head of the next answer, and what of its body came with it.
    async fn head(&mut self) -> String {
        let mut read = Vec::new();
        while !read.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            assert_ne!(comes(self.0.read_buf(&mut read)).await.unwrap(), 0, "cut off");
        }
        String::from_utf8(read).unwrap()
    }

    /// All that comes until the gateway cuts the connection off.
    async fn read_to_the_end(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        // A reset is an end too.
        comes(self.0.read_to_end(&mut read)).await.ok();
        read
    }
}
