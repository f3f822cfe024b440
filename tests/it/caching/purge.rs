//! `DELETE /cache`: scope, effect and permission.

use super::{Gate, PAGE, Stage, TAX_PAGE, gated_stage, stage};
use crate::support::{Answer, caller};
use futures_util::future::{join, join_all};

async fn purge(stage: &Stage, key: &str, query: &str) -> Answer {
    stage.gateway.request(|client, url| client.delete(format!("{url}/cache{query}")).bearer_auth(key)).await
}

async fn purged(stage: &Stage, query: &str) -> u64 {
    purge(stage, "", query).await.ok()["purged"].as_u64().unwrap()
}

async fn is_cached(stage: &Stage, target: &str) -> bool {
    stage.get_with(target, "cache-control", "only-if-cached").await.status == 200
}

#[tokio::test]
async fn purge_without_scope_removes_everything() {
    let stage = stage().start().await;
    let single = stage.customer(0);
    for target in [PAGE, TAX_PAGE, &single] {
        stage.get(target).await.ok();
    }

    assert_eq!(purged(&stage, "").await, 3);
    for target in [PAGE, TAX_PAGE, &single] {
        assert!(!is_cached(&stage, target).await);
    }
    assert_eq!(purged(&stage, "").await, 0);
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
}

#[tokio::test]
async fn purge_of_a_connection_keeps_the_others() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.get(TAX_PAGE).await.ok();

    assert_eq!(purged(&stage, "?connection=affiliates").await, 1);
    assert!(!is_cached(&stage, PAGE).await);
    assert!(is_cached(&stage, TAX_PAGE).await);
}

#[tokio::test]
async fn purge_of_a_customer_removes_its_pages() {
    let stage = stage().start().await;
    // Newest first: the last of the sandbox's rows is on the first page.
    let customers = stage.vendors.tolt().customers();
    let id = format!("affiliates.{}", customers.last().unwrap().id);
    let (single, other) = (format!("/customers/{id}"), stage.customer(0));
    let oldest = format!("{PAGE}&order=asc");
    // A customer of a cached page is not fetched again, so it is fetched first.
    for target in [&single, PAGE, &oldest, &other, TAX_PAGE] {
        stage.get(target).await.ok();
    }

    assert_eq!(purged(&stage, &format!("?customer={id}")).await, 2);
    assert!(!is_cached(&stage, PAGE).await && !is_cached(&stage, &single).await);
    assert!(is_cached(&stage, &oldest).await && is_cached(&stage, &other).await && is_cached(&stage, TAX_PAGE).await);
}

#[tokio::test]
async fn purge_removes_cached_404s() {
    let stage = stage().start().await;
    stage.get("/customers/affiliates.cust_nobody").await.code(404);

    assert_eq!(purged(&stage, "?customer=affiliates.cust_nobody").await, 1);
    stage.get("/customers/affiliates.cust_nobody").await.code(404);
    assert_eq!(stage.tolt_calls(), 2);
}

#[tokio::test]
async fn purge_requires_permission_and_own_connections() {
    let stage = stage()
        .configure(|config| {
            let mut janitor = caller("janitor", "janitor-key", &["tax"]);
            janitor.may_purge = true;
            config.callers = vec![caller("reader", "reader-key", &["affiliates", "tax"]), janitor];
        })
        .start()
        .await;
    stage.gateway.get_as("reader-key", PAGE).await.ok();
    stage.gateway.get_as("reader-key", TAX_PAGE).await.ok();

    assert_eq!(purge(&stage, "reader-key", "").await.code(403), "forbidden");
    assert_eq!(purge(&stage, "unknown", "").await.code(401), "unauthenticated");
    let without_key = stage.gateway.request(|client, url| client.delete(format!("{url}/cache"))).await;
    assert_eq!(without_key.code(401), "unauthenticated");

    assert_eq!(purge(&stage, "janitor-key", "?connection=affiliates").await.code(404), "connection_not_found");
    assert_eq!(purge(&stage, "janitor-key", "?customer=affiliates.cust_1").await.code(404), "customer_not_found");
    assert_eq!(purge(&stage, "janitor-key", "").await.ok()["purged"], 1);
    assert!(stage.gateway.get_as("reader-key", PAGE).await.cache_status().starts_with("hit"));
    assert!(stage.gateway.get_as("reader-key", TAX_PAGE).await.cache_status().starts_with("fwd=miss"));
}

#[tokio::test]
async fn purge_rejects_unknown_parameters() {
    let stage = stage().start().await;
    assert_eq!(purge(&stage, "", "?customers=affiliates.cust_1").await.code(400), "unknown_parameter");
    assert_eq!(purge(&stage, "", "?connection=nowhere").await.code(404), "connection_not_found");
}

#[tokio::test]
async fn purge_discards_in_flight_fetches() {
    let (stage, gate): (Stage, Gate) = gated_stage().await;
    gate.close();
    let (before, (purged, after)) = join(stage.get(PAGE), async {
        gate.wait_for_requests(1).await;
        let purged = purged(&stage, "").await;
        let opening = async {
            gate.wait_for_requests(2).await;
            gate.open();
        };
        (purged, join(stage.get(PAGE), opening).await.0)
    })
    .await;

    before.ok();
    assert_eq!(purged, 0);
    assert_eq!(after.cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(stage.tolt_calls(), 2);
    assert!(is_cached(&stage, PAGE).await);
}

#[tokio::test]
async fn fetch_finished_after_a_purge_is_not_cached() {
    let (stage, gate) = gated_stage().await;
    gate.close();
    let purging = async {
        gate.wait_for_requests(1).await;
        purged(&stage, "?connection=affiliates").await;
        gate.open();
    };
    join(stage.get(PAGE), purging).await.0.ok();

    assert!(!is_cached(&stage, PAGE).await);
    assert_eq!(gate.requests(), 1);
}

/// Requests pages while a fetch of each is in flight and `query` is purged. Returns
/// the answers of the requests after the purge.
async fn get_around_a_purge(stage: &Stage, gate: &Gate, targets: [&str; 2], query: &str) -> Vec<Answer> {
    gate.close();
    let requested = gate.requests();
    let purging = async {
        gate.wait_for_requests(requested + targets.len()).await;
        purged(stage, query).await;
        let opening = async {
            // The requests after the purge were sent before these requests.
            for _ in 0..20 {
                stage.get("/livez").await.ok();
            }
            gate.open();
        };
        join(join_all(targets.map(|target| stage.get(target))), opening).await.0
    };
    let (before, after) = join(join_all(targets.map(|target| stage.get(target))), purging).await;
    for answer in &before {
        answer.ok();
    }
    after
}

// FACTS.md, case 130.
#[tokio::test]
async fn purge_of_nothing_changes_nothing() {
    let (stage, gate) = gated_stage().await;
    let single = stage.customer(3);
    for (query, calls) in [("?customer=affiliates.cust_none", 2), ("?connection=tax", 4)] {
        for answer in get_around_a_purge(&stage, &gate, [PAGE, &single], query).await {
            assert_eq!(answer.cache_status(), "fwd=miss; fwd-status=200; stored; collapsed; ttl=30", "{query}");
        }
        assert!(is_cached(&stage, PAGE).await && is_cached(&stage, &single).await, "{query}");
        assert_eq!(gate.requests(), calls, "{query}");
        purged(&stage, "?connection=affiliates").await;
    }
}

// FACTS.md, case 131.
#[tokio::test]
async fn purge_of_a_customer_covers_its_fetches() {
    let (stage, gate) = gated_stage().await;
    let newest = format!("affiliates.{}", stage.vendors.tolt().customers().last().unwrap().id);
    let single = stage.customer(3);
    let after = get_around_a_purge(&stage, &gate, [PAGE, &single], &format!("?customer={newest}")).await;

    // The page contains the customer, so the request after the purge fetches it again.
    assert_eq!(after[0].cache_status(), "fwd=miss; fwd-status=200; stored; ttl=30");
    assert_eq!(after[1].cache_status(), "fwd=miss; fwd-status=200; stored; collapsed; ttl=30");
    assert_eq!(gate.requests(), 3);
    assert!(is_cached(&stage, PAGE).await && is_cached(&stage, &single).await);
}

#[tokio::test]
async fn unstored_fetch_is_not_joined_after_its_purge() {
    let (stage, gate) = gated_stage().await;
    let newest = format!("affiliates.{}", stage.vendors.tolt().customers().last().unwrap().id);
    gate.close();
    let get = || stage.get_with(PAGE, "cache-control", "no-store");
    let purging = async {
        gate.wait_for_requests(1).await;
        purged(&stage, &format!("?customer={newest}")).await;
        let opening = async {
            for _ in 0..20 {
                stage.get("/livez").await.ok();
            }
            gate.open();
        };
        join(get(), opening).await.0
    };
    let (before, after) = join(get(), purging).await;
    before.ok();
    assert_eq!(after.cache_status(), "fwd=miss; fwd-status=200; ttl=30");
    assert_eq!(gate.requests(), 2);
}
