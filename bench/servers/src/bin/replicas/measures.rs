//! Measurements with any number of replicas.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bench_servers::client::{Client, ids};
use hyper::Method;
use tokio::task::JoinSet;

use crate::stage::{LIMIT, ROWS, Settings, Stage};

/// Demand of the saturating load, as a multiple of the limit.
const LOAD: u32 = 5;
/// Rows of a page of the walk.
const PAGE: usize = 10;
/// Requests of the herd.
const HERD: usize = 64;
/// Pages of the measurement of hits.
const PAGES: usize = 300;

/// Returns the used part of the limit, the largest number of calls in a second, and
/// the fraction of answered calls, under a saturating load of distinct requests.
pub async fn saturation(binary: &Path, count: usize, seconds: u64) -> String {
    let stage = Stage::start(binary, count, Settings::default()).await;
    let load = Load::start(&stage);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let start = Instant::now();
    let before = mean_calls(&stage).await;
    tokio::time::sleep_until((start + Duration::from_secs(seconds)).into()).await;
    let start = start.elapsed();
    let used = (mean_calls(&stage).await - before) / start.as_secs_f64() / f64::from(LIMIT);
    let answered = load.end().await;
    let useful = answered as f64 / stage.vendor.calls().max(1) as f64;
    let (worst, excesses) = stage.vendor.windows();
    format!("{used:.3} | {worst} of {LIMIT}{} | {useful:.3}", paused(&excesses))
}

/// Returns the vendor calls of a herd on a page that is cached nowhere.
pub async fn herd(binary: &Path, count: usize) -> String {
    let stage = Stage::start(binary, count, Settings::default()).await;
    let mut herd = JoinSet::new();
    for number in 0..HERD {
        let client = stage.clients[number % count].clone();
        herd.spawn(async move { client.get("/customers?connection=tolt&limit=100").await });
    }
    let replies = herd.join_all().await;
    let answered = replies.iter().filter(|reply| reply.as_ref().is_ok_and(|reply| reply.status == 200)).count();
    format!("{} ({answered} of {HERD} answered)", stage.vendor.calls())
}

/// Returns the vendor calls of a walk whose pages go to the replicas in turn.
pub async fn walk(binary: &Path, count: usize) -> String {
    let stage = Stage::start(binary, count, Settings::default()).await;
    let target = format!("/customers?connection=tolt&limit={PAGE}");
    let (mut next, mut seen) = (target.clone(), Vec::new());
    for client in stage.clients.iter().cycle() {
        let page = client.get(&next).await.expect("the gateway responds").json();
        seen.extend(ids(&page));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        next = format!("{target}&cursor={cursor}");
    }
    let calls = stage.vendor.calls();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len() as u64, ROWS, "the walk has every row once");
    calls.to_string()
}

/// Returns the medians of a hit in another replica's page, and of a hit in the
/// replica's own memory, in milliseconds.
pub async fn hits(binary: &Path, count: usize) -> String {
    if count < 2 {
        return "–".to_owned();
    }
    let settings = Settings { limit: 100_000, latency: Duration::ZERO, shared: "" };
    let stage = Stage::start(binary, count, settings).await;
    let (mut second, mut first) = (Vec::new(), Vec::new());
    for number in 0..PAGES {
        let target = format!("/customers?connection=tolt&limit=100&partner_id=part_r{number}");
        get(&stage.clients[0], &target).await;
        second.push(get(&stage.clients[1], &target).await);
        first.push(get(&stage.clients[1], &target).await);
    }
    assert_eq!(stage.vendor.calls(), PAGES, "each page is fetched once");
    let (second, first) = (median(&mut second), median(&mut first));
    format!("{:.2} / {:.2}", second.as_secs_f64() * 1e3, first.as_secs_f64() * 1e3)
}

/// Returns the time of a purge that all replicas confirm, with notifications and
/// without, in milliseconds.
pub async fn purge(binary: &Path, count: usize) -> String {
    let stage = Stage::start(binary, count, Settings::default()).await;
    let mut notified = Vec::new();
    for _ in 0..9 {
        notified.push(purge_once(&stage, count).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut polled = Vec::new();
    for _ in 0..5 {
        stage.redis.command(&["client", "kill", "type", "pubsub"]);
        polled.push(purge_once(&stage, count).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let worst = |times: &[Duration]| times.iter().max().copied().unwrap_or_default().as_millis();
    format!("{} / {}", worst(&notified), worst(&polled))
}

async fn purge_once(stage: &Stage, count: usize) -> Duration {
    let start = Instant::now();
    let reply = stage.clients[0].send(Method::DELETE, "/cache", "application/json").await;
    let purged = reply.expect("the gateway responds").json();
    assert_eq!(purged["confirmed"].as_u64(), Some(count as u64), "all replicas confirm the purge: {purged}");
    start.elapsed()
}

/// Returns the largest number of requests in a second that waited for a stopped
/// server.
pub async fn stopped(binary: &Path, count: usize) -> String {
    const WAIT: Duration = Duration::from_millis(20);
    let settings = Settings { limit: 100_000, latency: Duration::ZERO, shared: "limits = false" };
    let stage = Stage::start(binary, count, settings).await;
    get(&stage.clients[0], "/customers?connection=tolt&limit=100&partner_id=part_rw").await;
    stage.redis.signal("STOP");
    let mut worst = 0;
    let mut number = 0;
    for _ in 0..5 {
        let (second, mut waited) = (Instant::now(), 0);
        while second.elapsed() < Duration::from_secs(1) {
            number += 1;
            let target = format!("/customers?connection=tolt&limit=100&partner_id=part_rs{number}");
            waited += usize::from(get(&stage.clients[0], &target).await >= WAIT);
        }
        worst = worst.max(waited);
    }
    stage.redis.signal("CONT");
    format!("{worst} of {} per second", number / 5)
}

/// A saturating load of distinct requests, spread over the replicas.
pub struct Load {
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<usize>,
}

impl Load {
    pub fn start(stage: &Stage) -> Self {
        let clients = stage.clients.clone();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            let mut requests = JoinSet::new();
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / (LIMIT * LOAD));
            for number in 0.. {
                ticks.tick().await;
                if *stopped.borrow() {
                    break;
                }
                let client = clients[number % clients.len()].clone();
                requests.spawn(async move {
                    let target = format!("/customers?connection=tolt&limit=10&partner_id=part_load{number}");
                    client.get(&target).await.is_ok_and(|reply| reply.status == 200)
                });
            }
            requests.join_all().await.into_iter().filter(|answered| *answered).count()
        });
        Self { stop, task }
    }

    /// Ends the load. Returns the number of answered requests.
    pub async fn end(self) -> usize {
        self.stop.send_replace(true);
        self.task.await.expect("the load does not panic")
    }
}

/// Describes windows above the limit that pauses of the vendor's thread may explain.
pub fn paused(excesses: &[bench_servers::vendor::Excess]) -> String {
    match excesses.iter().map(|excess| excess.pause).min() {
        Some(pause) => {
            format!(" ({} windows above, pause of the vendor's thread {} ms)", excesses.len(), pause.as_millis())
        }
        None => String::new(),
    }
}

/// Returns the mean of the number of calls within a second, because calls may come in
/// groups.
async fn mean_calls(stage: &Stage) -> f64 {
    const SAMPLES: u32 = 50;
    let mut sum = 0;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / SAMPLES);
    for _ in 0..SAMPLES {
        ticks.tick().await;
        sum += stage.vendor.calls();
    }
    sum as f64 / f64::from(SAMPLES)
}

async fn get(client: &Client, target: &str) -> Duration {
    let start = Instant::now();
    let reply = client.get(target).await.expect("the gateway responds");
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    start.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
