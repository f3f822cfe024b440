//! Vendor calls of a batch: the call budget, the concurrency, rate limits and
//! the request's time.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc, time::Duration};

use customer_gateway::upstream::{RateLimit, Window};
use tokio::sync::Semaphore;

use super::{affiliates, mixed, odd, page, pages, sources, stage, target, tax, vendor_with};
use crate::support::{Answer, Stage, StageBuilder, ids, until};

#[tokio::test]
async fn batch_continues_after_its_call_budget() {
    for max_calls in [1, 3, 7] {
        let stage = stage().start().await;
        let mut asked = mixed(&stage, 5);
        asked.extend(["tax.none".to_owned(), "affiliates.none".to_owned()]);
        let question = format!("{}&max_calls={max_calls}", target(&asked));
        let pages = pages(&stage.gateway, &question).await;

        assert_eq!(pages.len(), 12_usize.div_ceil(max_calls), "{max_calls}");
        let mut answered: Vec<_> = pages.iter().flat_map(ids).collect();
        for page in &pages {
            let positions: Vec<_> = ids(page).iter().map(|id| asked.iter().position(|it| it == id)).collect();
            assert!(positions.is_sorted(), "{positions:?}");
            let missing = page["sources"].as_array().unwrap().iter();
            let missing = missing.flat_map(|source| source["not_found"].as_array().unwrap());
            answered.extend(missing.map(|id| id.as_str().unwrap().to_owned()));
        }
        // No id is lost, and none comes twice.
        answered.sort();
        asked.sort();
        assert_eq!(answered, asked);
        assert_eq!(stage.calls(), [6, 6]);
        assert!(pages.iter().all(|page| page["page"]["prev_cursor"].is_null()));
        assert!(pages.iter().all(|page| page["page"]["total"].is_null()));
    }
}

#[tokio::test]
async fn source_total_counts_answers_of_one_page() {
    let stage = stage().start().await;
    // The first source's calls start first.
    let asked = [affiliates(&stage, 2), tax(&stage, 4)].concat();
    let pages = pages(&stage.gateway, &format!("{}&max_calls=4", target(&asked))).await;
    assert_eq!(
        pages.iter().map(sources).collect::<Vec<_>>(),
        ["affiliates ok 2, tax partial null", "affiliates not_asked null, tax ok null",]
    );
}

#[tokio::test]
async fn default_call_budget_bounds_a_batch() {
    let vendor = vendor_with(|_, reply| reply).await;
    let gateway = vendor.gateway("tolt").await;
    let first = gateway.get(&target(&odd(100))).await.ok();
    assert_eq!((ids(&first), sources(&first)), (odd(20), "odd partial null".to_owned()));
    assert_eq!(pages(&gateway, &target(&odd(100))).await.iter().flat_map(ids).collect::<BTreeSet<_>>().len(), 100);
    assert_eq!(vendor.calls(), 100);
}

#[tokio::test]
async fn at_most_eight_calls_run_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let vendor = vendor_with(move |_, reply| reply.gated_by(&held)).await;
    let gateway = vendor.gateway("tolt").await;
    let (question, ids_sent) = (target(&odd(15)), odd(15));
    let releasing = async {
        for running in [8, 12, 15] {
            until(|| vendor.calls() >= running).await;
            for _ in 0..20 {
                gateway.get("/livez").await.ok();
            }
            assert_eq!(vendor.calls(), running);
            gate.add_permits(4);
        }
        gate.add_permits(15);
    };
    let (answer, ()) = tokio::join!(gateway.get(&question), releasing);
    assert_eq!(ids(&answer.ok()), ids_sent);
}

/// Waits for a response whose calls find no slot after `calls` calls in all.
async fn without_slots(stage: &Stage, answer: impl Future<Output = Answer>, calls: u64) -> Answer {
    let waking = async {
        until(|| stage.total_calls() == calls).await;
        loop {
            stage.gateway.clock.advance(Duration::from_millis(20));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { answer = answer => answer, () = waking => unreachable!() }
}

#[tokio::test]
async fn spent_rate_limit_leaves_ids_open() {
    let stage = stage()
        .configure(|config| {
            let windows = vec![Window { requests: NonZeroU32::MIN, per: Duration::from_mins(1) }];
            config.connections[1].rate_limit = RateLimit { windows, max_wait: Duration::from_millis(10) };
        })
        .start()
        .await;
    let asked = [tax(&stage, 3), affiliates(&stage, 2)].concat();
    let question = target(&asked);
    let first = without_slots(&stage, page(&stage.gateway, &question, None), 3).await.ok();
    assert_eq!(
        (ids(&first), sources(&first)),
        ([&asked[..1], &asked[3..]].concat(), "affiliates ok 2, tax partial null".to_owned())
    );

    // No id has an answer until the vendor accepts calls again.
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let refused = page(&stage.gateway, &question, Some(cursor)).await;
    assert_eq!(refused.code(503), "vendor_rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    stage.gateway.clock.advance(Duration::from_secs(wait));
    let second = without_slots(&stage, page(&stage.gateway, &question, Some(cursor)), 4).await.ok();
    assert_eq!(
        (ids(&second), sources(&second)),
        (vec![asked[1].clone()], "affiliates not_asked null, tax partial null".to_owned())
    );
}

#[tokio::test]
async fn batch_ends_at_the_deadline() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let vendor = vendor_with(move |id, reply| if id == "cust_2" { reply.gated_by(&held) } else { reply }).await;
    let stage = StageBuilder::new(std::future::ready(vendor))
        .configure(|config| config.server.request_timeout = Duration::from_secs(1))
        .start()
        .await;
    let question = target(&odd(5));
    let first = stage.get(&question).await.ok();
    let found: Vec<_> = odd(5).into_iter().filter(|id| id != "odd.cust_2").collect();
    assert_eq!((ids(&first), sources(&first)), (found, "odd partial null".to_owned()));

    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(page(&stage.gateway, &question, Some(cursor)).await.code(504), "deadline_exceeded");
    // The call is completed and cached after its requests have ended.
    gate.add_permits(1);
    let second = page(&stage.gateway, &question, Some(cursor)).await.ok();
    assert_eq!(
        (ids(&second), &second["page"]["next_cursor"]),
        (vec!["odd.cust_2".to_owned()], &serde_json::Value::Null)
    );
    assert_eq!(stage.vendors.calls(), 5);
}
