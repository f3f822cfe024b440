//! Cached customers in a batch: their cost, freshness and conditional requests.

use std::time::Duration;

use super::{affiliates, mixed, sources, stage, target, tax};
use crate::support::{ids, until};

#[tokio::test]
async fn cached_customers_cost_no_call() {
    let stage = stage().start().await;
    let asked = mixed(&stage, 3);
    for id in &asked[1..3] {
        stage.get(&format!("/customers/{id}")).await.ok();
    }
    assert_eq!(stage.calls(), [1, 1]);
    let first = stage.get(&target(&asked)).await;
    assert_eq!((ids(&first.ok()), stage.calls()), (asked.clone(), [3, 3]));
    assert_eq!(first.header("cache-status"), "customer-gateway; fwd=miss; fwd-status=200; stored; ttl=30");

    // The second response is the first hit, and the third comes from the cache of
    // responses.
    for _ in 0..2 {
        let again = stage.get(&target(&asked)).await;
        assert_eq!((&again.text, again.header("cache-status")), (&first.text, "customer-gateway; hit; ttl=30"));
    }
    // A customer of a batch is cached for all other requests.
    let reversed: Vec<_> = asked.iter().rev().cloned().collect();
    assert_eq!(ids(&stage.get(&target(&reversed)).await.ok()), reversed);
    stage.get(&format!("/customers/{}", asked[5])).await.ok();
    assert_eq!(stage.calls(), [3, 3]);
}

#[tokio::test]
async fn listed_customers_cost_no_call() {
    let stage = stage().start().await;
    stage.get("/customers?limit=1&order=desc").await.ok();
    let calls = stage.calls();
    let asked = mixed(&stage, 30);
    let listed = stage.get(&target(&asked)).await;
    assert_eq!((ids(&listed.ok()), stage.calls()), (asked.clone(), calls));
    assert_eq!(listed.header("cache-status"), "customer-gateway; hit; ttl=30");
    // A page without the requested object contains no such row.
    let expanded = format!("{}&expand=shipping_address", target(&tax(&stage, 2)));
    stage.get(&expanded).await.ok();
    assert_eq!(stage.total_calls(), calls.iter().sum::<u64>() + 2);
}

#[tokio::test]
async fn cached_customers_use_no_call_budget() {
    let stage = stage().start().await;
    let asked = tax(&stage, 12);
    stage.get(&format!("{}&max_calls=11", target(&asked[..11]))).await.ok();
    let body = stage.get(&format!("{}&max_calls=1", target(&asked))).await.ok();
    assert_eq!((ids(&body), sources(&body)), (asked, "tax ok 12".to_owned()));
}

#[tokio::test]
async fn stale_customers_use_no_call_budget() {
    let stage = stage().start().await;
    let asked = tax(&stage, 12);
    stage.get(&target(&asked)).await.ok();
    stage.gateway.clock.advance(Duration::from_secs(31));
    let answer = stage.get(&format!("{}&max_calls=1", target(&asked))).await;
    assert_eq!(ids(&answer.ok()), asked);
    assert_eq!(answer.header("cache-status"), "customer-gateway; hit; ttl=-1; detail=stale-while-revalidate");
    until(|| stage.calls() == [0, 24]).await;
}

#[tokio::test]
async fn missing_ids_are_cached() {
    let stage = stage().start().await;
    let asked = ["tax.none".to_owned(), tax(&stage, 1).remove(0)];
    stage.get(&target(&asked)).await.ok();
    for _ in 0..2 {
        let again = stage.get(&target(&asked)).await;
        assert_eq!(sources(&again.ok()), "tax ok 1 [tax.none]");
        assert_eq!(again.header("cache-status"), "customer-gateway; hit; ttl=10");
    }
    assert_eq!(stage.calls(), [0, 2]);
    // The 404 has expired, and the customer is fresh.
    stage.gateway.clock.advance(Duration::from_secs(11));
    stage.get(&target(&asked)).await.ok();
    assert_eq!(stage.calls(), [0, 3]);
}

#[tokio::test]
async fn batch_has_the_age_of_its_oldest_row() {
    let stage = stage().start().await;
    let asked = mixed(&stage, 1);
    stage.get(&target(&asked[..1])).await.ok();
    stage.gateway.clock.advance(Duration::from_secs(20));
    assert_eq!(stage.get(&target(&asked)).await.header("age"), "20");
    stage.gateway.clock.advance(Duration::from_secs(5));
    let again = stage.get(&target(&asked)).await;
    assert_eq!((again.header("age"), again.header("cache-status")), ("25", "customer-gateway; hit; ttl=5"));
    assert_eq!(stage.calls(), [1, 1]);
}

#[tokio::test]
async fn unchanged_batch_is_not_modified() {
    let stage = stage().start().await;
    let target = target(&[affiliates(&stage, 2), vec!["tax.none".to_owned()]].concat());
    let tag = stage.get(&target).await.header("etag").to_owned();
    for _ in 0..3 {
        let request =
            |client: &reqwest::Client, url: &str| client.get(format!("{url}{target}")).header("if-none-match", &tag);
        let answer = stage.gateway.request(request).await;
        assert_eq!((answer.status, answer.text.as_str(), answer.header("etag")), (304, "", tag.as_str()));
    }
    assert_eq!(stage.calls(), [2, 1]);
}

#[tokio::test]
async fn only_if_cached_makes_no_call() {
    let stage = stage().start().await;
    let asked = tax(&stage, 3);
    stage.get(&target(&asked[..2])).await.ok();
    let get = |target: String| {
        stage
            .gateway
            .request(move |client, url| client.get(format!("{url}{target}")).header("cache-control", "only-if-cached"))
    };
    assert_eq!(ids(&get(target(&asked[..2])).await.ok()), asked[..2]);
    assert_eq!(get(target(&asked)).await.code(504), "not_cached");
    let partial = get(format!("{}&partial=allow", target(&asked))).await.ok();
    assert_eq!((ids(&partial), sources(&partial)), (asked[..2].to_vec(), "tax failed null".to_owned()));
    assert_eq!(stage.calls(), [0, 2]);
}
