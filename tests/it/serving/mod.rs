//! The gateway as a server: limits of connections and requests, shutdown,
//! configuration reload, TLS, and readiness.
//!
//! Time limits of sockets use real time. The tests set short limits and wait
//! for the effect, and assert no duration.

mod bare;
mod connections;
mod drain;
mod isolation;
mod memory;
mod overload;
mod readiness;
mod reload;
mod tls;

use std::{future::Future, sync::Arc, time::Duration};

use customer_gateway::config::Connection;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};

use crate::support::{self, Gateway, Reply, ScriptedVendor, StageBuilder, Vendors, tolt_page, tolt_row};
pub(crate) use tls::write_certificate;

/// Upper bound of every wait: far longer than any step of these tests.
const LONG: Duration = Duration::from_secs(30);
/// A time limit that a test waits for.
const SHORT: Duration = Duration::from_millis(100);

/// A page of the only connection, `odd`.
const PAGE: &str = "/customers?connection=odd";

/// A vendor whose responses are gated.
struct GatedVendor {
    vendor: ScriptedVendor,
    gate: Arc<Semaphore>,
}

impl GatedVendor {
    /// Starts a vendor with one row and a closed gate.
    async fn start() -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let page = tolt_page(&[tolt_row("cust_1")], false);
        let vendor = ScriptedVendor::start(move |_, _| Reply::json(&page).gated_by(&held)).await;
        Self { vendor, gate }
    }
}

impl Vendors for GatedVendor {
    fn connections(&self) -> Vec<Connection> {
        vec![self.vendor.connection("tolt")]
    }
}

type Stage = support::Stage<GatedVendor>;

/// Returns a stage with one row and a closed gate.
fn stage() -> StageBuilder<'static, GatedVendor> {
    StageBuilder::new(GatedVendor::start())
}

impl Stage {
    fn vendor(&self) -> &ScriptedVendor {
        &self.vendors.vendor
    }

    /// Permits `times` vendor responses.
    fn open(&self, times: usize) {
        self.vendors.gate.add_permits(times);
    }

    /// Waits until this many requests have reached the vendor.
    async fn wait_for_calls(&self, times: usize) {
        until(async || self.vendor().calls() >= times).await;
    }
}

/// Returns a stage of a vendor with endless rows of `row` bytes: 100 rows per
/// page.
fn endless_list(row: usize) -> StageBuilder<'static, ScriptedVendor> {
    StageBuilder::new(ScriptedVendor::start(move |call, _| {
        let named = |index: usize| {
            let mut row_of = tolt_row(&format!("cust_{call}_{index}"));
            row_of["name"] = Value::from("n".repeat(row));
            row_of
        };
        Reply::json(&tolt_page(&(0..100).map(named).collect::<Vec<_>>(), true))
    }))
}

/// Waits until a condition holds.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("the condition never held");
}

/// Returns the output of a future that must complete.
async fn completed<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("the future never completed")
}

/// A client that writes raw bytes, and reads slowly or not at all.
struct Raw(TcpStream);

impl Raw {
    async fn connect(gateway: &Gateway) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // A small buffer, so most of a response waits at the gateway.
        socket.set_recv_buffer_size(4096).unwrap();
        Self(socket.connect(gateway.url.trim_start_matches("http://").parse().unwrap()).await.unwrap())
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends a GET request by HTTP/1.1.
    async fn send_get(&mut self, target: &str, headers: &str) {
        self.write(format!("GET {target} HTTP/1.1\r\nhost: gateway\r\n{headers}\r\n")).await;
    }

    /// Reads the head of the next response, and the part of its body that came
    /// with it.
    async fn read_head(&mut self) -> String {
        let mut read = Vec::new();
        while !read.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            assert_ne!(completed(self.0.read_buf(&mut read)).await.unwrap(), 0, "the connection was closed");
        }
        String::from_utf8(read).unwrap()
    }

    /// Reads until the gateway closes the connection.
    async fn read_to_end(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        // A reset also ends the connection.
        completed(self.0.read_to_end(&mut read)).await.ok();
        read
    }
}
