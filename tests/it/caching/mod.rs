//! What the gateway keeps, how it minds the vendors' budgets, and what it
//! tells its callers of both: docs/CACHING.md, with the vendor calls counted.
//!
//! Freshness, budgets, stops and breakers follow a clock that the tests move;
//! nothing here sleeps, and nothing is asserted of how long anything takes.

mod breaker;
mod budget;
mod callers;
mod directives;
mod errors;
mod flights;
mod freshness;
mod http;
mod metrics;
mod purge;
mod refusals;
mod retries;
mod shares;

use std::time::Duration;

use customer_gateway::{
    config::{Config, Connection},
    sandbox::Sandbox,
};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use crate::support::{Answer, Gateway, config, connections_to, sandbox};

/// A page of Tolt's customers: one vendor call.
const PAGE: &str = "/customers?connection=affiliates";
/// A page of the corporation vendor's.
const TAX_PAGE: &str = "/customers?connection=tax";

/// Vendors and a gateway in front of them.
struct Stage {
    sandbox: Sandbox,
    gateway: Gateway,
}

impl Stage {
    /// A stage as it is configured by default, but for budgets.
    async fn set() -> Self {
        Self::with(|_| {}).await
    }

    /// A stage whose first connection, `affiliates`, is another.
    async fn with(change: impl FnOnce(&mut Connection)) -> Self {
        Self::configured(|config| change(&mut config.connections[0])).await
    }

    /// A stage whose configuration is another.
    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let sandbox = sandbox(250, 10, 30).await;
        let mut config = config(connections_to(&sandbox));
        change(&mut config);
        Self { gateway: Gateway::start(config).await, sandbox }
    }

    /// A stage with a bar in front of Tolt.
    async fn with_a_bar() -> (Self, Bar) {
        let sandbox = sandbox(250, 10, 30).await;
        let bar = Bar::before(&sandbox.tolt().base_url()).await;
        let mut config = config(connections_to(&sandbox));
        config.connections[0].base_url = bar.url.parse().unwrap();
        (Self { gateway: Gateway::start(config).await, sandbox }, bar)
    }

    async fn get(&self, target: &str) -> Answer {
        self.gateway.get(target).await
    }

    /// Asks with a header.
    async fn get_with(&self, target: &str, name: &str, value: &str) -> Answer {
        self.gateway.request(|client, url| client.get(format!("{url}{target}")).header(name, value)).await
    }

    /// Asks so many times at once.
    async fn get_at_once(&self, times: usize, target: &str) -> Vec<Answer> {
        join_all((0..times).map(|_| self.get(target))).await
    }

    /// The target of one of Tolt's customers: a vendor call of its own.
    fn customer(&self, index: usize) -> String {
        format!("/customers/affiliates.{}", self.sandbox.tolt().customers()[index].id)
    }

    /// How many calls Tolt has seen.
    fn calls(&self) -> u64 {
        self.sandbox.tolt().calls()
    }

    /// Moves the clock on.
    fn pass(&self, seconds: u64) {
        self.gateway.clock.advance(Duration::from_secs(seconds));
    }

    /// What `GET /connections/affiliates` shows of a budget or breaker.
    async fn shows(&self, what: &str) -> serde_json::Value {
        self.get("/connections/affiliates").await.ok()[what].take()
    }

    /// Asks again until the answer is as wished, for ten seconds at most.
    async fn until(&self, target: &str, is_right: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(target).await;
                if is_right(&answer) {
                    return answer;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap()
    }
}

impl Answer {
    /// How the answer was come by.
    fn cache_status(&self) -> &str {
        self.header("cache-status").strip_prefix("customer-gateway; ").unwrap_or_default()
    }
}

/// A way to a vendor that can be barred: what is asked waits there.
struct Bar {
    url: String,
    open: watch::Sender<bool>,
    asked: watch::Receiver<usize>,
}

impl Bar {
    /// An open bar in front of a vendor.
    async fn before(base_url: &str) -> Self {
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
                tokio::spawn(pass_requests(requests, to_vendor, opened.clone(), count.clone()));
                tokio::spawn(pass_answers(from_vendor, answers));
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

    /// Resolves when so many requests have come, passed or not.
    async fn has_seen(&self, requests: usize) {
        self.asked.clone().wait_for(|asked| *asked >= requests).await.unwrap();
    }

    /// How many requests have come.
    fn requests(&self) -> usize {
        *self.asked.borrow()
    }
}

/// Passes requests on, each of which is short enough for one read.
async fn pass_requests(
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

async fn pass_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // An end of either side is an end of both.
    drop(tokio::io::copy(&mut from, &mut to).await);
}
