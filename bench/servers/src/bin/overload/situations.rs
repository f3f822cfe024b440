//! Overload of other kinds: one caller that floods, reloads, rate limits of the
//! vendor, cached pages and resets.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    Row,
    clients::{Client, Outcome, reset_for, send_for},
    gateway::{Gateway, Settings},
    measure,
    vendor::{Behaviour, Vendor},
};

pub const HEAD: &str = "| situation | result |\n|---|---|";

const SETTINGS: Settings = Settings { limit: 20, timeout: Duration::from_secs(2), callers: &["app"], cache: "" };
const FAST: Behaviour = Behaviour { latency: Duration::from_millis(20), pages: 1, rejects: None };

/// Returns the situations with their names.
pub fn all(binary: &Path) -> Vec<(&'static str, Row)> {
    let binary = || binary.to_owned();
    vec![
        ("fair share alone", Box::pin(fair_share(binary(), 0.0, 20))),
        ("fair share beside 50x", Box::pin(fair_share(binary(), 1_000.0, 20))),
        ("fair share alone, slow vendor", Box::pin(fair_share(binary(), 0.0, 900))),
        ("fair share beside 50x, slow vendor", Box::pin(fair_share(binary(), 1_000.0, 900))),
        ("reloads", Box::pin(reloads(binary()))),
        ("ten 429", Box::pin(ten_rate_limits(binary()))),
        ("hot pages 1.5x", Box::pin(hot_pages(binary(), 1.5))),
        ("hot pages 2x", Box::pin(hot_pages(binary(), 2.0))),
        ("resets", Box::pin(resets(binary()))),
    ]
}

struct Stage {
    vendor: Vendor,
    gateway: Gateway,
}

impl Stage {
    async fn start(binary: PathBuf, behaviour: Behaviour, settings: Settings) -> Self {
        let vendor = Vendor::start(behaviour);
        let gateway = Gateway::start(&binary, settings, vendor.port).await;
        Self { vendor, gateway }
    }

    fn client(&self, caller: usize) -> Client {
        Client::new(self.gateway.port, &self.gateway.keys[caller])
    }

    /// Sends distinct misses that wait for their answers.
    async fn misses(&self, caller: usize, name: &'static str, duration: Duration, rate: f64) -> Vec<Outcome> {
        let client = self.client(caller);
        send_for(duration, rate, |number| {
            let client = client.clone();
            async move { client.list("", format!("part_{name}{number}"), None).await }
        })
        .await
    }
}

/// A caller at half of its fair share of 20/s, beside a caller that floods.
async fn fair_share(binary: PathBuf, flood: f64, latency: u64) -> String {
    let settings = Settings { callers: &["flood", "modest"], ..SETTINGS };
    let behaviour = Behaviour { latency: Duration::from_millis(latency), ..FAST };
    let stage = Stage::start(binary, behaviour, settings).await;
    let duration = Duration::from_secs(15);
    let flooding = async { if flood > 0.0 { stage.misses(0, "flood", duration, flood).await } else { Vec::new() } };
    let modest = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stage.misses(1, "modest", duration - Duration::from_secs(3), 5.0).await
    };
    let (flooding, modest) = tokio::join!(flooding, modest);
    let beside = if flood > 0.0 { format!("beside a caller at {flood}/s") } else { "alone".to_owned() };
    format!(
        "| Caller at 5/s {beside}, vendor at {latency} ms | {} of {} requests answered, waits {}; the other caller: {} answered, {} rejected, waits {}; worst second {} |",
        measure::with_status(&modest, 200),
        modest.len(),
        waits(&modest),
        measure::with_status(&flooding, 200),
        measure::rejected(&flooding).0,
        waits(&flooding),
        measure::worst_second(&stage.vendor.calls()),
    )
}

/// Reloads that change the limit every 400 ms between 20/s and 25/s.
async fn reloads(binary: PathBuf) -> String {
    let stage = Stage::start(binary, FAST, SETTINGS).await;
    let duration = Duration::from_secs(12);
    let start = Instant::now();
    let reloading = async {
        let mut limits = [25, 20].into_iter().cycle();
        while start.elapsed() < duration {
            stage.gateway.reload(limits.next().unwrap_or(20));
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    };
    let (outcomes, ()) = tokio::join!(stage.misses(0, "reload", duration, 200.0), reloading);
    let calls = stage.vendor.calls();
    // Queued calls follow the load for up to the longest wait.
    let during = calls.iter().filter(|call| call.arrived < start + duration).count();
    format!(
        "| Reloads every 400 ms, 20/s and 25/s in turn, load 200/s | worst second {}; {:.1} calls/s; calls useful {:.3}; {} × 504 |",
        measure::worst_second(&calls),
        during as f64 / duration.as_secs_f64(),
        measure::useful(&calls, &measure::answered(&outcomes, false)),
        measure::with_status(&outcomes, 504),
    )
}

/// The vendor answers ten concurrent calls with 429 for 150 ms.
async fn ten_rate_limits(binary: PathBuf) -> String {
    let hiccup = (Duration::from_secs(2), Duration::from_millis(2_150));
    let behaviour = Behaviour { rejects: Some(hiccup), latency: Duration::from_millis(150), ..FAST };
    let stage = Stage::start(binary, behaviour, SETTINGS).await;
    let client = stage.client(0);
    let burst = async {
        tokio::time::sleep(Duration::from_millis(1_900)).await;
        let requests = (0..10).map(|number| {
            let client = client.clone();
            tokio::spawn(async move { client.list("", format!("part_burst{number}"), None).await })
        });
        let requests: Vec<_> = requests.collect();
        for request in requests {
            drop(request.await);
        }
    };
    let (_, ()) = tokio::join!(stage.misses(0, "probe", Duration::from_secs(8), 10.0), burst);
    let calls = stage.vendor.calls();
    let rejected = calls.iter().filter(|call| call.is_rejected).count();
    let last = calls.iter().rfind(|call| call.is_rejected).map(|call| call.arrived);
    let next = last.and_then(|last| {
        calls.iter().find(|call| !call.is_rejected && call.arrived > last + Duration::from_millis(200))
    });
    let pause = last
        .zip(next)
        .map_or("none".to_owned(), |(last, next)| format!("{:.2} s", (next.arrived - last).as_secs_f64()));
    format!(
        "| Concurrent 429s of a hiccup of 150 ms, load 10/s | {rejected} calls rejected; pause before the next call {pause} |"
    )
}

/// Cached pages that are requested 100 times per second, beside distinct misses.
async fn hot_pages(binary: PathBuf, load: f64) -> String {
    let cache = "fresh = \"1s\"\nstale_while_revalidate = \"2s\"\nstale_if_error = \"1h\"";
    let stage = Stage::start(binary, FAST, Settings { cache, ..SETTINGS }).await;
    let client = stage.client(0);
    for page in 0..10 {
        client.list("", format!("part_hot{page}"), None).await;
    }
    let duration = Duration::from_secs(15);
    let hits = send_for(duration, 100.0, |number| {
        let client = client.clone();
        async move { client.list("", format!("part_hot{}", number % 10), None).await }
    });
    let (hits, misses) = tokio::join!(hits, stage.misses(0, "miss", duration, 20.0 * load));
    let calls = stage.vendor.calls();
    let refreshes = calls.iter().filter(|call| call.partner.starts_with("part_hot")).count();
    let ages = hits.iter().filter_map(|hit| Some(hit.answer.as_ref()?.age));
    format!(
        "| Ten cached pages (fresh for 1 s) at 100/s, beside misses at {load} × 20/s | {} of {} hits answered, p99 {:.0} ms; oldest page {} s; {refreshes} refreshes; misses: {} answered, waits {}; {} × 504 |",
        measure::with_status(&hits, 200),
        hits.len(),
        measure::wait(&hits, 0.99).as_secs_f64() * 1e3,
        ages.max().unwrap_or(0),
        measure::with_status(&misses, 200),
        waits(&misses),
        measure::with_status(&hits, 504) + measure::with_status(&misses, 504),
    )
}

/// Eight HTTP/2 connections that reset each request after 20 ms, beside a caller
/// at half of its fair share.
async fn resets(binary: PathBuf) -> String {
    let settings = Settings { callers: &["reset", "modest"], ..SETTINGS };
    let behaviour = Behaviour { latency: Duration::from_millis(100), ..FAST };
    let stage = Stage::start(binary, behaviour, settings).await;
    let duration = Duration::from_secs(6);
    let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let resetting = names.iter().map(|name| {
        let (port, key, name) = (stage.gateway.port, stage.gateway.keys[0].clone(), name.clone());
        tokio::spawn(async move { reset_for(duration, port, &key, &name, Duration::from_millis(20)).await })
    });
    let resetting: Vec<_> = resetting.collect();
    let modest = stage.misses(1, "modest", duration, 5.0).await;
    let mut requests = 0;
    for client in resetting {
        requests += client.await.unwrap_or(0);
    }
    let calls = stage.vendor.calls();
    let wasted = calls.iter().filter(|call| call.partner.starts_with("part_reset")).count();
    format!(
        "| Eight HTTP/2 connections that reset each request after 20 ms, for 6 s, vendor at 100 ms, beside a caller at 5/s | {requests} requests reset, {wasted} vendor calls for them; the other caller: {} of {} answered, waits {} |",
        measure::with_status(&modest, 200),
        modest.len(),
        waits(&modest),
    )
}

fn waits(outcomes: &[Outcome]) -> String {
    let wait = |percentile| measure::wait(outcomes, percentile).as_secs_f64();
    format!("{:.2} / {:.2} s", wait(0.5), wait(0.99))
}
