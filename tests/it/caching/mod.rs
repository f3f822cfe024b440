//! The cache, the vendors' budgets, and the headers that report both to
//! callers: docs/CACHING.md, with the vendor calls counted.
//!
//! Freshness, budgets, blocks and breakers follow a clock that the tests move.
//! No test sleeps or asserts a duration.

mod breaker;
mod budget;
mod callers;
mod coalescing;
mod directives;
mod errors;
mod freshness;
mod http;
mod metrics;
mod purge;
mod queue;
mod rate_limits;
mod retries;
mod rows;
mod shares;

use std::{future::ready, time::Duration};

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use crate::support::{Answer, Stage, StageBuilder, sandbox};

/// A page of Tolt's customers: one vendor call.
const PAGE: &str = "/customers?connection=affiliates";
/// A page of the corporation vendor's customers.
const TAX_PAGE: &str = "/customers?connection=tax";

/// Returns a stage with the default configuration, apart from budgets.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(250, 10, 30))
}

/// Starts a stage with a gate in front of Tolt.
async fn gated_stage() -> (Stage, Gate) {
    let sandbox = sandbox(250, 10, 30).await;
    let gate = Gate::in_front_of(&sandbox.tolt().base_url()).await;
    let url = gate.url.parse().unwrap();
    let stage = StageBuilder::new(ready(sandbox)).configure_first(|connection| connection.base_url = url);
    (stage.start().await, gate)
}

impl Stage {
    /// Sends a request with a header.
    async fn get_with(&self, target: &str, name: &str, value: &str) -> Answer {
        self.gateway.request(|client, url| client.get(format!("{url}{target}")).header(name, value)).await
    }

    /// Sends `times` concurrent requests.
    async fn get_concurrently(&self, times: usize, target: &str) -> Vec<Answer> {
        join_all((0..times).map(|_| self.get(target))).await
    }

    /// Returns the target of one of Tolt's customers: a vendor call of its own.
    fn customer(&self, index: usize) -> String {
        format!("/customers/affiliates.{}", self.vendors.tolt().customers()[index].id)
    }

    /// Advances the clock.
    fn advance(&self, seconds: u64) {
        self.gateway.clock.advance(Duration::from_secs(seconds));
    }

    /// Returns a member of `GET /connections/affiliates`: a budget or a
    /// breaker.
    async fn connection_member(&self, name: &str) -> serde_json::Value {
        self.get("/connections/affiliates").await.ok()[name].take()
    }

    /// Repeats a request until the response matches, for ten seconds at most.
    async fn until(&self, target: &str, matches: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(target).await;
                if matches(&answer) {
                    return answer;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap()
    }
}

impl Answer {
    /// Returns the gateway's entry in `Cache-Status`.
    fn cache_status(&self) -> &str {
        self.header("cache-status").strip_prefix("customer-gateway; ").unwrap_or_default()
    }
}

/// Proxy in front of a vendor. While closed, requests wait.
struct Gate {
    url: String,
    open: watch::Sender<bool>,
    asked: watch::Receiver<usize>,
}

impl Gate {
    /// Starts an open gate in front of a vendor.
    async fn in_front_of(base_url: &str) -> Self {
        let vendor = base_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, opened) = watch::channel(true);
        let (count, asked) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (requests, answers) = client.into_split();
                let (from_vendor, to_vendor) = TcpStream::connect(&vendor).await.unwrap().into_split();
                tokio::spawn(forward_requests(requests, to_vendor, opened.clone(), count.clone()));
                tokio::spawn(forward_responses(from_vendor, answers));
            }
        });
        Self { url, open, asked }
    }

    fn close(&self) {
        self.open.send_replace(false);
    }

    fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until this many requests have arrived, forwarded or not.
    async fn wait_for_requests(&self, requests: usize) {
        self.asked.clone().wait_for(|asked| *asked >= requests).await.unwrap();
    }

    /// Returns the number of requests that have arrived.
    fn requests(&self) -> usize {
        *self.asked.borrow()
    }
}

/// Forwards requests, each of which is short enough for one read.
async fn forward_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut open: watch::Receiver<bool>,
    count: watch::Sender<usize>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        count.send_modify(|count| *count += 1);
        if open.wait_for(|open| *open).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn forward_responses(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // The end of either side ends both.
    drop(tokio::io::copy(&mut from, &mut to).await);
}
