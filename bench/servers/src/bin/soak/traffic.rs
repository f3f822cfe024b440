//! Requests that stand for themselves: pages, lookups, purges, and clients that
//! leave.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bench_servers::{
    client::{Client, ids},
    vendor::{Vendor, id},
};
use hyper::Method;
use tokio::task::JoinSet;

use crate::{
    monitor::Monitor,
    stage::{FORWARD, STATIC, Stage},
};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Tolerance of ages, which are whole seconds.
const TOLERANCE: Duration = Duration::from_secs(2);

pub fn spawn(tasks: &mut JoinSet<()>, stage: &Stage, monitor: &Arc<Monitor>, seeds: &mut fastrand::Rng) {
    let mut traffic = |caller, is_http2| Traffic {
        client: stage.client(caller, is_http2),
        monitor: Arc::clone(monitor),
        random: fastrand::Rng::with_seed(seeds.u64(..)),
    };
    tasks.spawn(traffic("app", true).pages());
    tasks.spawn(traffic("limited", false).pages());
    tasks.spawn(traffic("app", false).lookups());
    tasks.spawn(traffic("limited", true).lookups());
    tasks.spawn(traffic("app", false).purges());
    tasks.spawn(traffic("narrow", false).foreign());
    tasks.spawn(traffic("app", false).leave());
    tasks.spawn(traffic("batch", true).leave());
    tasks.spawn(traffic("steady", false).stale(Arc::clone(&stage.failing)));
    tasks.spawn(traffic("healthy", true).unaffected());
}

struct Traffic {
    client: Client,
    monitor: Arc<Monitor>,
    random: fastrand::Rng,
}

impl Traffic {
    async fn get(&self, kind: &str, target: &str, expected: &[&str]) -> Option<bench_servers::client::Reply> {
        self.monitor.check(kind, target, expected, self.client.get(target).await)
    }

    async fn pause(&mut self, milliseconds: u32) {
        tokio::time::sleep(MILLISECOND * self.random.u32(milliseconds / 2..=milliseconds * 3 / 2)).await;
    }

    /// Requests pages, some of them often.
    async fn pages(mut self) {
        while !self.monitor.is_stopping() {
            let list = self.random.u32(..800).min(self.random.u32(..800));
            let limit = self.random.u32(1..=100);
            let target = match self.random.u8(..4) {
                0 => format!("/customers?connection=gamma&limit={limit}"),
                _ => format!("/customers?connection=alpha&limit={limit}&partner_id=part_r{list}"),
            };
            self.get("page", &target, &[]).await;
            self.pause(70).await;
        }
    }

    /// Looks customers up by id and by email.
    async fn lookups(mut self) {
        while !self.monitor.is_stopping() {
            let (row, forward) = (self.random.u64(..STATIC), self.random.u64(..FORWARD));
            let target = match self.random.u8(..5) {
                0 => Err(format!("/customers/alpha.{}", id("static", row + 1_000))),
                1 => Ok((format!("/customers/gamma.{}", id("forward", forward)), id("forward", forward))),
                2 => {
                    let filter = format!("partner_id=part_static&email=static{row}%40dundermifflin.example");
                    Ok((format!("/customers?connection=alpha&{filter}"), id("static", row)))
                }
                _ => Ok((format!("/customers/alpha.{}", id("static", row)), id("static", row))),
            };
            match target {
                Ok((target, row)) => self.lookup(&target, &row).await,
                Err(target) => {
                    let reply = self.get("lookup of a missing id", &target, &["customer_not_found"]).await;
                    if reply.is_some_and(|reply| reply.status == 200) {
                        self.monitor.violation(&format!("{target}: a customer that does not exist"));
                    }
                }
            }
            self.pause(120).await;
        }
    }

    async fn lookup(&self, target: &str, row: &str) {
        let is_list = target.contains("email");
        let kind = if is_list { "lookup by email" } else { "lookup by id" };
        let Some(reply) = self.get(kind, target, &[]).await else { return };
        let body = reply.json();
        let is_complete = !is_list || body["page"]["next_cursor"].is_null();
        let found = if is_list { ids(&body) } else { vec![body["id"].as_str().unwrap_or_default().to_owned()] };
        let is_right = |id: &String| id.ends_with(row);
        if reply.status == 200 && (!found.iter().all(is_right) || is_complete && found.len() != 1) {
            self.monitor.violation(&format!("{target}: found {found:?}, not {row}"));
        }
    }

    /// Purges connections, customers, and customers that do not exist.
    async fn purges(mut self) {
        while !self.monitor.is_stopping() {
            let target = match self.random.u8(..10) {
                0 => "/cache".to_owned(),
                1 => "/cache?connection=alpha&connection=beta".to_owned(),
                2 => "/cache?connection=gamma".to_owned(),
                3..6 => format!("/cache?customer=alpha.{}", id("static", self.random.u64(..STATIC))),
                6 => format!("/cache?customer=gamma.{}", id("forward", self.random.u64(..FORWARD))),
                _ => format!("/cache?customer=gamma.{}", id("absent", self.random.u64(..))),
            };
            let reply = self.client.send(Method::DELETE, &target, "*/*").await;
            self.monitor.check("purge", &target, &[], reply);
            self.pause(1_000).await;
        }
    }

    /// Requests connections that the caller may not use.
    async fn foreign(mut self) {
        while !self.monitor.is_stopping() {
            let target =
                ["/customers?connection=gamma", "/customers/delta.cust_static_00000001"][self.random.usize(..2)];
            let reply = self.get("foreign connection", target, &["connection_not_found", "customer_not_found"]).await;
            if reply.is_some_and(|reply| reply.status != 404) {
                self.monitor.violation(&format!("{target}: not 404 for a caller without the connection"));
            }
            self.pause(1_000).await;
        }
    }

    /// Sends requests and leaves after a short time.
    async fn leave(mut self) {
        while !self.monitor.is_stopping() {
            let target = match self.random.u8(..8) {
                0 => format!("/customers?connection=gamma&limit=10&email=absent{}%40acme.example", self.random.u32(..)),
                1 => "/customers?connection=gamma&order=desc".to_owned(),
                _ => format!("/customers?connection=alpha&partner_id=part_r{}", self.random.u32(..800)),
            };
            let patience = MILLISECOND * self.random.u32(..80);
            match tokio::time::timeout(patience, self.client.get(&target)).await {
                Ok(reply) => drop(self.monitor.check("leaving client", &target, &[], reply)),
                Err(_) => self.monitor.count("leaving client: left"),
            }
            self.pause(60).await;
        }
    }

    /// Requests pages that are never purged. A page that was served once may not
    /// fail, whatever the vendor does. Its age is at least the time since the vendor's
    /// last answer.
    async fn stale(mut self, vendor: Arc<Vendor>) {
        let mut served = [false; 5];
        while !self.monitor.is_stopping() {
            let page = self.random.usize(..served.len());
            let target = format!("/customers?connection=steady&limit=50&partner_id=part_rhot{page}");
            let sent = Instant::now();
            if let Some(reply) = self.get("stale page", &target, &[]).await {
                let since = vendor.last_answer().map_or(Duration::ZERO, |last| sent.saturating_duration_since(last));
                if reply.status == 200 && reply.age() + TOLERANCE < since {
                    let age = reply.age();
                    self.monitor.violation(&format!("{target}: age {age:?}, last vendor answer {since:?} ago"));
                }
                if served[page] && reply.status != 200 {
                    let (status, code) = (reply.status, reply.code());
                    self.monitor.violation(&format!("{target}: {status} {code} although a stale page is allowed"));
                }
                served[page] |= reply.status == 200;
            }
            self.pause(60).await;
        }
    }

    /// Requests distinct pages of the vendor without faults. Every request
    /// succeeds, whatever the other vendors and callers do.
    async fn unaffected(mut self) {
        let mut waits = Vec::new();
        while !self.monitor.is_stopping() {
            let target = format!("/customers?connection=delta&partner_id=part_r{}&limit=50", self.random.u32(..));
            let sent = Instant::now();
            if let Some(reply) = self.get("healthy vendor", &target, &[]).await
                && reply.status != 200
            {
                let (status, code) = (reply.status, reply.code());
                self.monitor.violation(&format!("{target}: {status} {code} at a healthy vendor"));
            }
            waits.push(sent.elapsed());
            self.pause(250).await;
        }
        waits.sort_unstable();
        if let Some(last) = waits.len().checked_sub(1) {
            let wait = |percent: usize| waits[last * percent / 100].as_millis();
            self.monitor.note(format!(
                "Healthy vendor (20 ms): wait p50 {} ms, p99 {} ms, longest {} ms.",
                wait(50),
                wait(99),
                wait(100)
            ));
        }
    }
}
