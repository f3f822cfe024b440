//! Translation of a vendor's bytes into records.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod pages;

use criterion::{Criterion, Throughput};
use customer_gateway::domain::page::Anomalies;
use pages::Page;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("translation");
    for vendor in ["tolt", "corporation"] {
        for rows in [10, 100] {
            let page = Page::of(vendor, rows);
            assert_eq!(page.read().len(), rows);
            assert_eq!(page.read().info().anomalies, Anomalies::default());
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(format!("{vendor}/{rows}"), |bencher| bencher.iter(|| page.read()));
            assert!(page.unknown_fields().is_empty());
            let name = format!("{vendor}/{rows}/unknown fields");
            group.bench_function(name, |bencher| bencher.iter(|| page.unknown_fields()));
        }
    }
    group.finish();
    criterion.final_summary();
}
