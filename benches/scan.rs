//! Search in cached pages: the filter alone, and whole requests in process.
//!
//! `ROWS=1000000 cargo bench --bench scan` sets the number of customers. With
//! `COUNT=20`, it only makes 20 requests, for callgrind.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::print_stdout, reason = "criterion measures no latency beside a load")]

mod gateway;
#[expect(dead_code, reason = "each bench uses its part")]
mod pages;

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use criterion::{Criterion, Throughput};
use customer_gateway::{
    clock::SystemClock,
    domain::{anchor::Direction, residual::Residual},
};
use gateway::BenchGateway;
use pages::Page;
use tokio::runtime::Runtime;

fn main() {
    if let Ok(count) = std::env::var("COUNT") {
        return count_instructions(count.parse().unwrap());
    }
    let mut criterion = Criterion::default().configure_from_args();
    filter(&mut criterion);
    requests(&mut criterion);
    criterion.final_summary();
    hits_beside_searches();
}

fn rows() -> usize {
    std::env::var("ROWS").map_or(12_500, |rows| rows.parse().unwrap())
}

/// Makes some searches of a cached list on one thread.
fn count_instructions(count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = runtime.block_on(BenchGateway::start("corporation", rows()));
    for number in 0..=count {
        runtime.block_on(gateway.get(&format!("/customers?email=nobody{number}")));
    }
}

/// Prints the median latency of hits alone, and beside four searches at a time.
fn hits_beside_searches() {
    const HITS: usize = 5_000;
    let runtime = Runtime::new().unwrap();
    let gateway = Arc::new(runtime.block_on(BenchGateway::start("corporation", rows())));
    let median = || {
        let gateway = Arc::clone(&gateway);
        let hits = async move {
            let clock = SystemClock::shared();
            let mut latencies = Vec::with_capacity(HITS);
            for _ in 0..HITS {
                // A client sends its next request after it has read a response.
                tokio::time::sleep(Duration::from_micros(100)).await;
                let start = clock.elapsed();
                gateway.get("/customers?limit=10").await;
                latencies.push(clock.elapsed().saturating_sub(start));
            }
            latencies.sort_unstable();
            (latencies[HITS / 2], latencies[HITS * 99 / 100])
        };
        runtime.block_on(runtime.spawn(hits)).unwrap()
    };
    runtime.block_on(gateway.get("/customers?email=nobody"));
    let alone = median();
    let searches: Vec<_> = (0..4)
        .map(|search| {
            let gateway = Arc::clone(&gateway);
            runtime.spawn(async move {
                for number in 0_u64.. {
                    gateway.get(&format!("/customers?email=nobody{search}x{number}")).await;
                }
            })
        })
        .collect();
    let beside = median();
    searches.iter().for_each(tokio::task::JoinHandle::abort);
    println!("hits, p50 and p99: alone {alone:?}, beside four searches of {} rows {beside:?}", rows());
}

/// Applies filters that match no row to a page of 100 customers.
fn filter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan/filter");
    group.throughput(Throughput::Elements(100));
    for vendor in ["tolt", "corporation"] {
        let page = Page::of(vendor, 100).read();
        let text = |text: &str| Some(text.to_owned());
        for (name, residual) in [
            ("email", Residual { email: text("holly.flax@dundermifflin.example"), ..Residual::default() }),
            ("external_id", Residual { external_id: text("holly_flax_1"), ..Residual::default() }),
            ("name", Residual { name: text("Holly Flax"), ..Residual::default() }),
            ("search", Residual { search: text("holly"), ..Residual::default() }),
        ] {
            let filter = residual.prepare();
            group.bench_function(format!("{vendor}/{name}"), |bencher| {
                bencher.iter(|| black_box(filter.find(&page, 0, Direction::Forward)));
            });
        }
    }
}

/// Searches a cached list for an email address that no customer has.
fn requests(criterion: &mut Criterion) {
    let rows = rows();
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("scan/request");
    group.throughput(Throughput::Elements(rows as u64));
    group.sample_size(10);
    for (vendor, parameter) in [("corporation", "email"), ("tolt", "search")] {
        let gateway = runtime.block_on(BenchGateway::start(vendor, rows));
        // Each request differs, so no complete response is cached.
        let number = AtomicU64::new(0);
        let target = || format!("/customers?{parameter}=nobody{}", number.fetch_add(1, Ordering::Relaxed));
        runtime.block_on(gateway.get(&target()));
        group.bench_function(format!("{parameter}/{rows}"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { gateway.get(&target()).await });
        });
    }
}
