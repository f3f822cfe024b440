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

use crate::support::{Answer, Gate, Stage, StageBuilder, sandbox};

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
