//! Serving what is kept: the cache alone, and a whole request in process.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod gateway;
#[expect(dead_code, reason = "each bench uses its part")]
mod pages;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use criterion::Criterion;
use customer_gateway::{
    cache::{CacheDirectives, CacheMetrics, Key, Lookup, PageCache, PageFetch},
    clock::SystemClock,
    directory::SourceError,
    domain::{page::RecordPage, priority::Priority},
    telemetry::metrics::Registry,
    upstream::{Budget, CallerShare, RateLimit, Reservation, Waiters, Window},
};
use gateway::{BenchGateway, KEPT};
use pages::Page;
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().unwrap();
    cache(&mut criterion, &runtime);
    request(&mut criterion, &runtime);
    criterion.final_summary();
}

fn cache(criterion: &mut Criterion, runtime: &Runtime) {
    let cache = PageCache::new(64 << 20, SystemClock::shared());
    let lookup = Lookup {
        key: Key {
            connection: "bench".parse().unwrap(),
            generation: 0,
            target: "/v1/customers?program_id=prg_YRsbPDAKhWfdqJbFACheh&order=desc&limit=100".into(),
            raw: false,
        },
        policy: KEPT,
        directives: CacheDirectives::default(),
        metrics: Arc::new(CacheMetrics::new(&Registry::default(), "bench")),
        rows: None,
    };
    let window = Window { requests: NonZeroU32::MIN, per: Duration::from_secs(1) };
    let limit = RateLimit { windows: vec![window], max_wait: Duration::ZERO };
    let budget = Budget::new(&limit, SystemClock::shared());
    let caller = CallerShare::unrestricted();
    let reservation = Arc::new(Reservation::new(budget, caller, Priority::Caller, Duration::MAX, Arc::default()));
    let page = || VendorPage(Arc::clone(&reservation));
    runtime.block_on(cache.get(lookup.clone(), page())).unwrap();
    criterion.bench_function("hit/cache", |bencher| {
        bencher.to_async(runtime).iter(|| async { cache.get(lookup.clone(), page()).await.unwrap() });
    });
}

/// Fetch of a page of 100 customers.
struct VendorPage(Arc<Reservation>);

impl PageFetch for VendorPage {
    type Error = SourceError;
    type Permission = ();

    fn reservation(&self) -> &Arc<Reservation> {
        &self.0
    }

    fn enter(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn refresh(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    async fn admit(&self, _: bool) -> Result<(), SourceError> {
        Ok(())
    }

    async fn fetch(&self, _: &Waiters) -> Result<RecordPage, SourceError> {
        Ok(Page::of("tolt", 100).read())
    }
}

fn request(criterion: &mut Criterion, runtime: &Runtime) {
    let gateway = runtime.block_on(BenchGateway::start("tolt", 1_000));
    for limit in [10, 100] {
        let target = format!("/customers?connection=bench&limit={limit}");
        // Fills the cache of pages, then of responses.
        runtime.block_on(gateway.get(&target));
        runtime.block_on(gateway.get(&target));
        criterion.bench_function(&format!("hit/request/{limit}"), |bencher| {
            bencher.to_async(runtime).iter(|| gateway.get(&target));
        });
    }
}
