//! What `/metrics` says of the cache.

use customer_gateway::sandbox::Fault;
use futures_util::future::join;

use super::{PAGE, Stage, TAX_PAGE};

/// The value of a metric, by its name and labels.
pub(super) async fn metric(stage: &Stage, name: &str) -> u64 {
    let metrics = stage.get("/metrics").await.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
}

async fn lookups(stage: &Stage, outcome: &str) -> u64 {
    metric(stage, &format!(r#"gateway_cache_lookups_total{{connection="affiliates",outcome="{outcome}"}}"#)).await
}

const ENTRIES: &str = r#"gateway_cache_entries{connection="affiliates"}"#;
const BYTES: &str = r#"gateway_cache_bytes{connection="affiliates"}"#;
const EVICTIONS: &str = r#"gateway_cache_evictions_total{connection="affiliates"}"#;

#[tokio::test]
async fn lookups_are_counted_by_outcome_and_entries_by_connection() {
    let (stage, bar) = Stage::with_a_bar().await;
    bar.close();
    let opening = async {
        bar.has_seen(1).await;
        for _ in 0..10 {
            stage.get("/livez").await.ok();
        }
        bar.open();
    };
    join(stage.get_at_once(3, PAGE), opening).await;
    stage.get(PAGE).await.ok();
    stage.get(TAX_PAGE).await.ok();
    stage.sandbox.tolt().fail_next(1, Fault::Status(401));
    stage.get(&stage.customer(0)).await.code(502);
    stage.pass(31);
    stage.get_with(PAGE, "cache-control", "only-if-cached").await.ok();

    for (outcome, count) in [("miss", 1), ("collapsed", 2), ("hit", 1), ("stale", 1), ("failed", 1)] {
        assert_eq!(lookups(&stage, outcome).await, count, "{outcome}");
    }
    assert_eq!(metric(&stage, ENTRIES).await, 1);
    assert_eq!(metric(&stage, EVICTIONS).await, 0);
    assert_eq!(metric(&stage, r#"gateway_cache_entries{connection="tax"}"#).await, 1);

    let page = stage.get(&format!("{PAGE}&limit=100")).await;
    let (bytes, length) = (metric(&stage, BYTES).await, page.text.len() as u64);
    assert!(bytes > length && bytes < 2 * length, "{bytes} {length}");
}

#[tokio::test]
async fn what_is_purged_is_counted_out() {
    let stage = Stage::set().await;
    stage.get(PAGE).await.ok();
    stage.gateway.request(|client, url| client.delete(format!("{url}/cache"))).await.ok();

    assert_eq!((metric(&stage, ENTRIES).await, metric(&stage, BYTES).await), (0, 0));
    assert_eq!(metric(&stage, EVICTIONS).await, 0);
}

#[tokio::test]
async fn the_store_stays_within_its_bytes() {
    let most = 32 << 10;
    let stage = Stage::configured(|config| config.cache.max_bytes = most).await;
    for index in 0..200 {
        stage.get(&stage.customer(index)).await.ok();
        // moka keeps house now and then, not at each write.
        let bytes = metric(&stage, BYTES).await;
        assert!(bytes < 4 * most, "{bytes}");
    }

    let evictions = metric(&stage, EVICTIONS).await;
    let entries = metric(&stage, ENTRIES).await;
    assert!(evictions > 0 && entries > 0, "{evictions} {entries}");
    assert_eq!(evictions + entries, 200);
}

#[tokio::test]
async fn the_budget_and_the_breaker_are_shown_by_connection() {
    let stage = Stage::set().await;
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="affiliates"}"#).await, 0);
    stage.sandbox.tolt().fail_next(5, Fault::Status(520));
    for index in 0..5 {
        stage.get(&stage.customer(index)).await.code(502);
    }
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="affiliates"}"#).await, 1);
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="tax"}"#).await, 0);

    let wait = vec![("Retry-After".into(), "60".into())];
    stage.sandbox.corporation().fail_next(1, Fault::StatusWithHeaders(429, wait));
    stage.get(TAX_PAGE).await.code(503);
    assert_eq!(metric(&stage, r#"gateway_budget_stopped_seconds{connection="tax"}"#).await, 60);
    assert_eq!(metric(&stage, r#"gateway_budget_waiting{connection="tax"}"#).await, 0);
    assert!(metric(&stage, r#"gateway_budget_left{connection="tax"}"#).await > 0);
}
