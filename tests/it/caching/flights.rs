//! One vendor call for all who ask the same at once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use customer_gateway::{
    cache::{CacheDirectives, CacheMetrics, Key, Lookup, PageCache, PageFetch, Policy},
    clock::SystemClock,
    directory::SourceError,
    domain::page::RecordPage,
    domain::priority::Priority,
    sandbox::Fault,
    telemetry::metrics::Registry,
};
use futures_util::future::join;

use super::{Bar, PAGE, Stage};
use crate::support::Answer;

const CALLERS: usize = 20;

/// Asks many times at once, while the vendor is barred until all have asked.
async fn ask_together(stage: &Stage, bar: &Bar, target: &str) -> Vec<Answer> {
    bar.close();
    let opening = async {
        bar.has_seen(1).await;
        // The callers' requests were sent before these.
        for _ in 0..CALLERS {
            stage.get("/livez").await.ok();
        }
        bar.open();
    };
    join(stage.get_at_once(CALLERS, target), opening).await.0
}

#[tokio::test]
async fn those_who_ask_the_same_at_once_cost_one_call() {
    let (stage, _) = Stage::with_a_bar().await;
    for target in [PAGE.to_owned(), stage.customer(3), "/transactions?connection=affiliates".to_owned()] {
        let (stage, bar) = Stage::with_a_bar().await;
        let answers = ask_together(&stage, &bar, &target).await;

        assert_eq!(stage.calls(), 1, "{target}");
        let count = |status: &str| answers.iter().filter(|answer| answer.cache_status() == status).count();
        assert_eq!(count("fwd=miss; fwd-status=200; stored; ttl=30"), 1);
        assert_eq!(count("fwd=miss; fwd-status=200; stored; collapsed; ttl=30"), CALLERS - 1);
        assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    }
}

#[tokio::test]
async fn a_flight_that_fails_fails_all_who_wait_for_it_and_is_not_kept() {
    let (stage, bar) = Stage::with_a_bar().await;
    stage.sandbox.tolt().fail_next(1, Fault::Status(401));
    for answer in ask_together(&stage, &bar, PAGE).await {
        assert_eq!(answer.code(502), "vendor_unauthorized");
    }
    assert_eq!(stage.calls(), 1);

    stage.get(PAGE).await.ok();
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn who_has_looked_before_a_flight_lands_takes_what_it_brought() {
    let clock = SystemClock::shared();
    let cache = PageCache::new(1 << 20, clock);
    let lookup = Lookup {
        key: Key {
            connection: "affiliates".parse().unwrap(),
            generation: 0,
            target: "/v1/customers?".into(),
            raw: false,
        },
        policy: Policy::default(),
        directives: CacheDirectives::default(),
        priority: Priority::Caller,
        metrics: Arc::new(CacheMetrics::new(&Registry::default(), "affiliates")),
    };
    let calls = Arc::new(AtomicU32::new(0));
    let get = || cache.get(lookup.clone(), CountedFetch(Arc::clone(&calls)));

    // On this one thread both look, then the first one's flight lands, and
    // only then may the second one's begin.
    let (first, second) = join(get(), get()).await;
    assert!(Arc::ptr_eq(&first.unwrap().entry, &second.unwrap().entry));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// Fetch of an empty page that counts its calls.
struct CountedFetch(Arc<AtomicU32>);

impl PageFetch for CountedFetch {
    type Error = SourceError;

    async fn admit(&self, _: Priority) -> Result<(), SourceError> {
        Ok(())
    }

    async fn fetch(self, _: Priority) -> Result<RecordPage, SourceError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(RecordPage::default())
    }
}

#[tokio::test]
async fn what_is_fetched_for_a_request_that_forbids_storing_is_not_kept() {
    let stage = Stage::set().await;

    let answer = stage.get_with(PAGE, "cache-control", "no-store").await;
    assert_eq!(answer.cache_status(), "fwd=miss; fwd-status=200; ttl=30");
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.get_with(PAGE, "cache-control", "no-store").await.cache_status(), "hit; ttl=30");
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn a_request_that_forbids_storing_starts_no_refresh() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.pass(31);

    for _ in 0..3 {
        let answer = stage.get_with(PAGE, "cache-control", "no-store").await;
        assert_eq!(answer.cache_status(), "hit; ttl=-1; detail=stale-while-revalidate");
    }
    assert_eq!(stage.calls(), 1);
}
