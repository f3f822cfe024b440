//! Serving what is kept: the cache alone, and a whole request in process.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

#[expect(dead_code, reason = "each bench uses its part")]
mod pages;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::body::Body;
use criterion::Criterion;
use customer_gateway::{
    api::ResponseCache,
    app::App,
    cache::{CacheDirectives, CacheMetrics, Key, Lookup, PageCache, PageFetch, Policy},
    callers::{Caller, CallerKey},
    clock::SystemClock,
    config::{Cache, Config, Connection, Paging, Server},
    directory::{Policies, SourceError},
    domain::{page::RecordPage, priority::Priority},
    identity::Claims,
    sandbox::{Options, Sandbox},
    telemetry::metrics::Registry,
    upstream::{Budget, CallerShare, Credential, RateLimit, Reservation, Waiters, Window},
    vendors::registry,
};
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use http_body_util::BodyExt;
use pages::Page;
use tokio::runtime::Runtime;
use tower::Service;

const KEY: &str = "cgk_bench";
const KEPT: Policy = Policy {
    fresh: Duration::from_hours(24),
    stale_while_revalidate: Duration::ZERO,
    stale_if_error: Duration::ZERO,
    not_found: Duration::ZERO,
};

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
    let options =
        Options { tolt_customers: 1_000, tolt_transactions: 0, corporation_customers: 0, ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let front = App::new(config(&sandbox), &SystemClock::shared()).unwrap().served().service;
    for limit in [10, 100] {
        // Fills the cache, and has the front remember the answer.
        runtime.block_on(hit(&front, limit));
        runtime.block_on(hit(&front, limit));
        criterion.bench_function(&format!("hit/request/{limit}"), |bencher| {
            bencher.to_async(runtime).iter(|| hit(&front, limit));
        });
    }
}

/// A request, to the last byte of its answer.
async fn hit(front: &ResponseCache, limit: usize) {
    let target = format!("/customers?connection=bench&limit={limit}");
    let request = Request::get(target)
        .header(HOST, "gateway")
        .header(AUTHORIZATION, format!("Bearer {KEY}"))
        .body(Body::empty())
        .unwrap();
    let response = front.clone().call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap();
}

fn config(sandbox: &Sandbox) -> Config {
    let tolt = sandbox.tolt();
    let requests = NonZeroU32::new(1_000_000).unwrap();
    let name = "bench".parse().unwrap();
    let connection = Connection {
        name,
        kind: registry::by_name("tolt").unwrap(),
        base_url: tolt.base_url().parse().unwrap(),
        credential: Credential::new(tolt.credential().into()).unwrap(),
        account_id: tolt.program_id().to_owned(),
        rate_limit: RateLimit {
            windows: vec![Window { requests, per: Duration::from_secs(1) }],
            max_wait: Duration::from_secs(5),
        },
        timeout: Connection::DEFAULT_TIMEOUT,
        policies: Policies { customers: KEPT, customer: KEPT, transactions: KEPT },
    };
    let caller = Caller {
        name: "bench".into(),
        keys: vec![CallerKey::permanent(blake3::hash(KEY.as_bytes()))],
        claims: Claims::default(),
        connections: vec![connection.name.clone()],
        may_see_raw: true,
        may_purge: false,
        quota: None,
        share: None,
    };
    Config {
        server: Server::default(),
        paging: Paging::default(),
        cache: Cache::default(),
        telemetry: None,
        connections: vec![connection],
        callers: vec![caller],
        files: Vec::new(),
        identity: None,
    }
}
