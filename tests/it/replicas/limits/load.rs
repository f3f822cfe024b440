//! A vendor that records its calls, and clients that saturate gateways.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use customer_gateway::config::Connection;
use tokio::{task::JoinSet, time::Instant};

use crate::support::{Gateway, Reply, ScriptedVendor, tolt_page, tolt_row};

/// A vendor that records the arrival of each call.
pub(super) struct Vendor {
    vendor: ScriptedVendor,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

/// Clients that send requests for different pages until they are stopped.
pub(super) struct Load {
    is_stopped: Arc<AtomicBool>,
    clients: JoinSet<Vec<String>>,
}

impl Vendor {
    pub(super) async fn start() -> Self {
        let page = tolt_page(&[tolt_row("cust_1")], false);
        Self::scripted(move |_| Reply::json(&page)).await
    }

    /// Starts a vendor whose script receives each call's index.
    pub(super) async fn scripted(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&arrivals);
        let vendor = ScriptedVendor::start(move |index, _| {
            recorded.lock().unwrap().push(Instant::now());
            script(index)
        });
        Self { vendor: vendor.await, arrivals }
    }

    pub(super) fn connection(&self) -> Connection {
        self.vendor.connection("tolt")
    }

    pub(super) fn port(&self) -> u16 {
        self.connection().base_url.authority().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Returns the arrival of each call.
    pub(super) fn arrivals(&self) -> Vec<Instant> {
        let mut arrivals = self.arrivals.lock().unwrap().clone();
        arrivals.sort_unstable();
        arrivals
    }

    /// Returns the largest number of calls in any period.
    pub(super) fn worst(&self, per: Duration) -> usize {
        let arrivals = self.arrivals();
        let count = |(index, first): (usize, &Instant)| {
            arrivals[index..].iter().take_while(|arrival| **arrival < *first + per).count()
        };
        arrivals.iter().enumerate().map(count).max().unwrap_or(0)
    }

    /// Panics if the vendor has received more calls in any period.
    pub(super) fn assert_kept(&self, requests: u32, per: Duration) {
        let worst = self.worst(per);
        assert!(worst <= requests as usize, "{worst} calls in {per:?}");
    }

    /// Returns the part of the limit that the calls use, from the first to the last.
    pub(super) fn used(&self, requests: u32, per: Duration) -> f64 {
        let arrivals = self.arrivals();
        let (first, last) = (arrivals.first().unwrap(), arrivals.last().unwrap());
        let periods = last.duration_since(*first).as_secs_f64() / per.as_secs_f64();
        let calls = u32::try_from(arrivals.len() - 1).unwrap();
        f64::from(calls) / (f64::from(requests) * periods)
    }
}

impl Load {
    /// Starts clients of each gateway.
    pub(super) fn start<'g>(gateways: impl IntoIterator<Item = &'g Gateway>, clients_each: usize) -> Self {
        Self::start_as(gateways, clients_each, "")
    }

    /// Starts clients with a caller's key.
    pub(super) fn start_as<'g>(
        gateways: impl IntoIterator<Item = &'g Gateway>,
        clients_each: usize,
        key: &'static str,
    ) -> Self {
        let (is_stopped, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut clients = JoinSet::new();
        for gateway in gateways {
            for _ in 0..clients_each {
                let (is_stopped, next, url) = (Arc::clone(&is_stopped), Arc::clone(&next), gateway.url.clone());
                clients.spawn(async move {
                    let (client, mut failed) = (reqwest::Client::new(), Vec::new());
                    while !is_stopped.load(Relaxed) {
                        let partner = next.fetch_add(1, Relaxed);
                        let url = format!("{url}/customers?connection=odd&partner_id=part_{partner}");
                        let response = client.get(url).bearer_auth(key).send().await.unwrap();
                        if response.status() != 200 {
                            failed.push(response.text().await.unwrap());
                            tokio::time::sleep(Duration::from_millis(100)).await;
                        }
                    }
                    failed
                });
            }
        }
        Self { is_stopped, clients }
    }

    /// Stops the clients. Returns the responses without rows.
    pub(super) async fn stop(self) -> Vec<String> {
        self.is_stopped.store(true, Relaxed);
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}
