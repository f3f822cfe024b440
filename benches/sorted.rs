//! Pages of a list that the gateway sorts, in process. All vendor pages are
//! cached.
//!
//! `ROWS=12500 cargo bench --bench sorted` sets the number of customers.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod gateway;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use criterion::Criterion;
use gateway::BenchGateway;
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let rows = std::env::var("ROWS").map_or(50_000, |rows| rows.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(BenchGateway::start("corporation", rows));
    // Each request differs, so no complete response is cached.
    let number = AtomicU32::new(0);
    let next = || number.fetch_add(1, Relaxed);
    let same = || format!("/customers?order=desc&limit=20&max_calls={}", 100_000 - next() % 80_000);
    let new = || format!("/customers?order=desc&limit=20&created_lte=9998-01-01T00:00:00.{:09}Z", next());
    runtime.block_on(gateway.get(&same()));
    let mut group = criterion.benchmark_group("sorted");
    group.sample_size(20);
    group.bench_function(format!("same_view/{rows}"), |bencher| {
        bencher.to_async(&runtime).iter(|| async { gateway.get(&same()).await });
    });
    group.bench_function(format!("new_view/{rows}"), |bencher| {
        bencher.to_async(&runtime).iter(|| async { gateway.get(&new()).await });
    });
    group.finish();
    criterion.final_summary();
}
