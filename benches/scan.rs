//! Search in cached pages: the filter alone, and whole requests in process.
//!
//! `ROWS=1000000 cargo bench --bench scan` sets the number of customers.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod gateway;
#[expect(dead_code, reason = "each bench uses its part")]
mod pages;

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use criterion::{Criterion, Throughput};
use customer_gateway::domain::{anchor::Direction, residual::Residual};
use gateway::BenchGateway;
use pages::Page;
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    filter(&mut criterion);
    requests(&mut criterion);
    criterion.final_summary();
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
    let rows = std::env::var("ROWS").map_or(12_500, |rows| rows.parse().unwrap());
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
