//! Request coalescing: one vendor call for concurrent requests of the same
//! page.

use std::{
    num::NonZeroU32,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use customer_gateway::{
    cache::{CacheDirectives, CacheMetrics, Key, Lookup, PageCache, PageFetch, Policy, Scope},
    clock::SystemClock,
    directory::SourceError,
    domain::page::RecordPage,
    domain::priority::Priority,
    sandbox::Fault,
    telemetry::metrics::Registry,
    upstream::{Budget, CallerShare, RateLimit, Reservation, Waiters, Window},
};
use futures_util::{future::join, poll};
use tokio::time::{sleep, timeout};

use super::{Gate, PAGE, Stage, gated_stage, stage};
use crate::support::Answer;

const CALLERS: usize = 20;

/// Sends concurrent requests while the vendor is gated until all are sent.
async fn get_together(stage: &Stage, gate: &Gate, target: &str) -> Vec<Answer> {
    gate.close();
    let opening = async {
        gate.wait_for_requests(1).await;
        // The callers' requests were sent before these requests.
        for _ in 0..CALLERS {
            stage.get("/livez").await.ok();
        }
        gate.open();
    };
    join(stage.get_concurrently(CALLERS, target), opening).await.0
}

#[tokio::test]
async fn concurrent_requests_share_one_call() {
    let (stage, _) = gated_stage().await;
    for target in [PAGE.to_owned(), stage.customer(3), "/transactions?connection=affiliates".to_owned()] {
        let (stage, gate) = gated_stage().await;
        let answers = get_together(&stage, &gate, &target).await;

        assert_eq!(stage.tolt_calls(), 1, "{target}");
        let count = |status: &str| answers.iter().filter(|answer| answer.cache_status() == status).count();
        assert_eq!(count("fwd=miss; fwd-status=200; stored; ttl=30"), 1);
        assert_eq!(count("fwd=miss; fwd-status=200; stored; collapsed; ttl=30"), CALLERS - 1);
        assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    }
}

#[tokio::test]
async fn failed_fetch_fails_its_waiters_uncached() {
    let (stage, gate) = gated_stage().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    for answer in get_together(&stage, &gate, PAGE).await {
        assert_eq!(answer.code(502), "vendor_unauthorized");
    }
    assert_eq!(stage.tolt_calls(), 1);

    stage.get(PAGE).await.ok();
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn late_lookup_uses_the_finished_fetch() {
    let (cache, lookup, calls) = empty_cache();
    let get = || cache.get(lookup.clone(), CountedFetch::new(&calls, Priority::Caller));

    // On a single thread, both lookups miss. The first fetch finishes before
    // the second can start.
    let (first, second) = join(get(), get()).await;
    assert!(Arc::ptr_eq(&first.unwrap().entry, &second.unwrap().entry));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn paused_export_does_not_delay_a_lookup() {
    let (cache, lookup, calls) = empty_cache();
    let get = |priority| {
        let fetch = CountedFetch { is_slow: true, ..CountedFetch::new(&calls, priority) };
        Box::pin(cache.get(lookup.clone(), fetch))
    };
    let mut export = get(Priority::Export);
    assert!(poll!(&mut export).is_pending());

    // The export is not polled meanwhile.
    let found = timeout(Duration::from_secs(10), get(Priority::Caller)).await;
    let found = found.expect("the lookup does not wait for the export").unwrap();
    assert!(Arc::ptr_eq(&found.entry, &export.await.unwrap().entry));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn dropped_lookup_does_not_end_its_fetch() {
    let (cache, lookup, calls) = empty_cache();
    let get = || {
        let fetch = CountedFetch { is_slow: true, ..CountedFetch::new(&calls, Priority::Caller) };
        Box::pin(cache.get(lookup.clone(), fetch))
    };
    let (mut first, mut second) = (get(), get());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    drop(first);

    timeout(Duration::from_secs(10), second).await.expect("the fetch continues").unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn panic_ends_one_lookup_only() {
    let (cache, lookup, calls) = empty_cache();
    let get = |panics| {
        let fetch = CountedFetch { is_slow: true, panics, ..CountedFetch::new(&calls, Priority::Caller) };
        cache.get(lookup.clone(), fetch)
    };
    let (mut first, mut second, third) = (pin!(get(true)), pin!(get(false)), get(true));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    assert_eq!(first.await.unwrap_err(), SourceError::Aborted);

    // The second lookup fetches, and the third one joins it.
    assert!(poll!(&mut second).is_pending());
    let (second, third) = join(second, third).await;
    assert!(Arc::ptr_eq(&second.unwrap().entry, &third.unwrap().entry));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn no_store_lookup_after_a_purge_fetches_again() {
    let (cache, lookup, calls) = empty_cache();
    let lookup = Lookup { directives: CacheDirectives { no_store: true, ..CacheDirectives::default() }, ..lookup };
    let get = || {
        let fetch = CountedFetch { is_slow: true, ..CountedFetch::new(&calls, Priority::Caller) };
        Box::pin(cache.get(lookup.clone(), fetch))
    };
    let (mut first, second) = (get(), get());
    assert!(poll!(&mut first).is_pending());
    cache.purge(&Scope::Customer(lookup.key.connection.clone(), "cust_1".to_owned())).await;
    let (mut third, fourth) = (get(), get());
    assert!(poll!(&mut third).is_pending());

    // The first lookup began before the purge. The others share a fetch after it.
    let (first, second, third, fourth) = futures_util::join!(first, second, third, fourth);
    let pages = [second, third, fourth].map(|found| found.unwrap().entry);
    assert!(
        pages.iter().all(|page| Arc::ptr_eq(page, &pages[0]) && !Arc::ptr_eq(page, &first.as_ref().unwrap().entry))
    );
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn lookup_after_a_panic_fetches_again() {
    let (cache, lookup, calls) = empty_cache();
    let get =
        |panics| cache.get(lookup.clone(), CountedFetch { panics, ..CountedFetch::new(&calls, Priority::Caller) });
    assert_eq!(get(true).await.unwrap_err(), SourceError::Aborted);
    get(false).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

/// Returns an empty cache, a lookup, and a count of calls.
fn empty_cache() -> (PageCache, Lookup, Arc<AtomicU32>) {
    let lookup = Lookup {
        key: Key {
            connection: "affiliates".parse().unwrap(),
            generation: 0,
            target: "/v1/customers?".into(),
            raw: false,
        },
        policy: Policy::default(),
        directives: CacheDirectives::default(),
        metrics: Arc::new(CacheMetrics::new(&Registry::default(), "affiliates")),
        rows: None,
    };
    (PageCache::new(1 << 20, SystemClock::shared()), lookup, Arc::default())
}

/// Fetch of an empty page that counts its calls.
struct CountedFetch {
    calls: Arc<AtomicU32>,
    reservation: Arc<Reservation>,
    /// True if the fetch is pending at first.
    is_slow: bool,
    /// True if the fetch panics after its call is counted.
    panics: bool,
}

impl CountedFetch {
    fn new(calls: &Arc<AtomicU32>, priority: Priority) -> Self {
        let window = Window { requests: NonZeroU32::MIN, per: Duration::from_secs(1) };
        let budget = Budget::new(&RateLimit { windows: vec![window], max_wait: Duration::ZERO }, SystemClock::shared());
        let caller = CallerShare::unrestricted();
        let reservation = Reservation::new(budget, caller, priority, Duration::MAX, Arc::default());
        Self { calls: Arc::clone(calls), reservation: Arc::new(reservation), is_slow: false, panics: false }
    }
}

impl PageFetch for CountedFetch {
    type Error = SourceError;
    type Permission = ();

    fn reservation(&self) -> &Arc<Reservation> {
        &self.reservation
    }

    fn enter(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn refresh(&self) -> Self {
        Self { calls: Arc::clone(&self.calls), reservation: Arc::clone(&self.reservation), ..*self }
    }

    async fn admit(&self, _: bool) -> Result<(), SourceError> {
        Ok(())
    }

    async fn fetch(&self, _: &Waiters) -> Result<RecordPage, SourceError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_slow {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(!self.panics, "intended panic");
        Ok(RecordPage::default())
    }
}

#[tokio::test]
async fn no_store_response_is_not_cached() {
    let stage = stage().start().await;

    let answer = stage.get_with(PAGE, "cache-control", "no-store").await;
    assert_eq!(answer.cache_status(), "fwd=miss; fwd-status=200; ttl=30");
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.get_with(PAGE, "cache-control", "no-store").await.cache_status(), "hit; ttl=30");
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn no_store_starts_no_refresh() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(31);

    for _ in 0..3 {
        let answer = stage.get_with(PAGE, "cache-control", "no-store").await;
        assert_eq!(answer.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
    }
    assert_eq!(stage.tolt_calls(), 1);
}
