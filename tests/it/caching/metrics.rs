//! `/metrics` of the cache and of the vendor calls.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::{callers::Quota, sandbox::Fault};
use futures_util::future::join;
use insta::assert_snapshot;

use super::{PAGE, Stage, TAX_PAGE, gated_stage, stage};
use crate::support::{Answer, caller, one_call_per};

/// Returns the value of a metric, by its name and labels.
pub(super) async fn metric(stage: &Stage, name: &str) -> u64 {
    let metrics = stage.get("/metrics").await.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
}

/// Returns the nonzero counters of the calls to Tolt.
async fn vendor_call_counters(stage: &Stage) -> String {
    let metrics = stage.get("/metrics").await.text;
    let lines = metrics.lines().filter_map(|line| {
        let (name, rest) = line.split_once("{connection=\"affiliates\"")?;
        let (labels, value) = rest.split_once("} ")?;
        let is_counted = !name.ends_with("_bucket") && !name.contains("duration") && value != "0";
        let name = name.strip_prefix("gateway_vendor_").or(name.strip_prefix("gateway_budget_"))?;
        (is_counted && name != "remaining").then(|| format!("{name}{labels} {value}"))
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines.join("\n")
}

async fn lookups(stage: &Stage, outcome: &str) -> u64 {
    metric(stage, &format!(r#"gateway_cache_lookups_total{{connection="affiliates",outcome="{outcome}"}}"#)).await
}

const ENTRIES: &str = r#"gateway_cache_entries{connection="affiliates"}"#;
const BYTES: &str = r#"gateway_cache_bytes{connection="affiliates"}"#;
const EVICTIONS: &str = r#"gateway_cache_evictions_total{connection="affiliates"}"#;

#[tokio::test]
async fn lookups_are_counted_by_outcome() {
    let (stage, gate) = gated_stage().await;
    gate.close();
    let opening = async {
        gate.wait_for_requests(1).await;
        for _ in 0..10 {
            stage.get("/livez").await.ok();
        }
        gate.open();
    };
    join(stage.get_concurrently(3, PAGE), opening).await;
    stage.get(PAGE).await.ok();
    stage.get(TAX_PAGE).await.ok();
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    stage.get(&stage.customer(0)).await.code(502);
    stage.advance(31);
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
async fn request_over_quota_is_not_a_cache_hit() {
    let stage = stage()
        .configure(|config| {
            let quota = Quota { requests: NonZeroU32::new(3).unwrap(), per: Duration::from_hours(1) };
            config.callers = vec![caller("growth", "growth", &["affiliates"])];
            config.callers[0].quota = Some(quota);
        })
        .start()
        .await;
    for _ in 0..3 {
        stage.gateway.get_as("growth", PAGE).await.ok();
    }
    for _ in 0..2 {
        assert_eq!(stage.gateway.get_as("growth", PAGE).await.code(429), "quota_exceeded");
    }
    assert_eq!(lookups(&stage, "hit").await, 2);
}

#[tokio::test]
async fn hit_is_counted_once_beside_a_replaced_page() {
    const BOTH: &str = "/customers?order=desc&limit=2";
    let stage = stage().start().await;
    for _ in 0..3 {
        stage.get(BOTH).await.ok();
    }
    for (replaced, other) in [("tax", "affiliates"), ("affiliates", "tax")] {
        let hits = format!(r#"gateway_cache_lookups_total{{connection="{other}",outcome="hit"}}"#);
        let before = metric(&stage, &hits).await;
        let purge = |client: &reqwest::Client, url: &str| client.delete(format!("{url}/cache?connection={replaced}"));
        stage.gateway.request(purge).await.ok();
        stage.get(BOTH).await.ok();
        assert_eq!(metric(&stage, &hits).await, before + 1, "{other}");
        // The response cache stores a response that was a hit.
        stage.get(BOTH).await.ok();
    }
}

#[tokio::test]
async fn purged_entries_are_not_counted() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.gateway.request(|client, url| client.delete(format!("{url}/cache"))).await.ok();

    assert_eq!((metric(&stage, ENTRIES).await, metric(&stage, BYTES).await), (0, 0));
    assert_eq!(metric(&stage, EVICTIONS).await, 0);
}

#[tokio::test]
async fn cache_stays_within_max_bytes() {
    let most = 32 << 10;
    let stage = stage().configure(|config| config.cache.max_bytes = most).start().await;
    for index in 0..200 {
        stage.get(&stage.customer(index)).await.ok();
        // moka evicts periodically, not at each write.
        let bytes = metric(&stage, BYTES).await;
        assert!(bytes < 4 * most, "{bytes}");
    }

    let evictions = metric(&stage, EVICTIONS).await;
    let entries = metric(&stage, ENTRIES).await;
    assert!(evictions > 0 && entries > 0, "{evictions} {entries}");
    assert_eq!(evictions + entries, 200);
}

#[tokio::test]
async fn budget_and_breaker_are_gauges_per_connection() {
    let stage = stage().start().await;
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="affiliates"}"#).await, 0);
    stage.vendors.tolt().fail_next(5, Fault::Status(520));
    for index in 0..5 {
        stage.get(&stage.customer(index)).await.code(502);
    }
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="affiliates"}"#).await, 1);
    assert_eq!(metric(&stage, r#"gateway_breaker_open{connection="tax"}"#).await, 0);

    let wait = vec![("Retry-After".into(), "60".into())];
    stage.vendors.corporation().fail_next(1, Fault::StatusWithHeaders(429, wait));
    stage.get(TAX_PAGE).await.code(503);
    assert_eq!(metric(&stage, r#"gateway_budget_blocked_seconds{connection="tax"}"#).await, 60);
    assert_eq!(metric(&stage, r#"gateway_budget_waiting{connection="tax"}"#).await, 0);
    assert_eq!(metric(&stage, r#"gateway_budget_remaining{connection="tax"}"#).await, 0);
}

#[tokio::test]
async fn retries_are_counted_separately() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(2, Fault::Status(503));
    stage.get(PAGE).await.ok();
    assert_snapshot!(vendor_call_counters(&stage).await, @r#"
    calls_total,status="200" 1
    retries_total 2
    wait_seconds_count 3
    "#);
}

#[tokio::test]
async fn failed_call_without_retry_counts_no_retry() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    stage.get(PAGE).await.code(502);
    assert_snapshot!(vendor_call_counters(&stage).await, @r#"
    calls_total,status="401" 1
    wait_seconds_count 1
    "#);
}

#[tokio::test]
async fn budget_waits_and_refusals_are_counted() {
    let stage = stage()
        .configure_first(|connection| {
            connection.rate_limit.windows = one_call_per(Duration::from_millis(250));
            connection.rate_limit.max_wait = Duration::from_millis(250);
        })
        .start()
        .await;
    stage.get(&stage.customer(0)).await.ok();
    let others = async {
        stage.until("/metrics", |it| it.text.contains("budget_waiting{connection=\"affiliates\"} 1")).await;
        stage.get(&stage.customer(2)).await.code(503);
        stage.gateway.clock.advance(Duration::from_millis(250));
    };
    let second = stage.customer(1);
    let (answer, ()) = join(stage.get(&second), others).await;
    answer.ok();
    assert_snapshot!(vendor_call_counters(&stage).await, @r#"
    calls_total,status="200" 2
    refused_total,priority="caller" 1
    wait_seconds_count 2
    wait_seconds_sum 0.25
    "#);
}

#[tokio::test]
async fn refused_refresh_has_its_own_priority_label() {
    let stage = stage()
        .configure_first(|connection| {
            connection.rate_limit.windows = one_call_per(Duration::from_millis(250));
            connection.rate_limit.max_wait = Duration::ZERO;
        })
        .start()
        .await;
    stage.get(PAGE).await.ok();
    // The page is stale, and the next slot is beyond `max_wait`.
    stage.advance(31);
    stage.get(&stage.customer(0)).await.ok();
    stage.get(PAGE).await.ok();
    let refused = |it: &Answer| it.text.contains("{connection=\"affiliates\",priority=\"background\"} 1");
    stage.until("/metrics", refused).await;
    // The next refresh gets a permit without a measurable wait.
    stage.advance(1);
    stage.get(PAGE).await.ok();
    stage.until("/metrics", |it| it.text.contains("{connection=\"affiliates\",status=\"200\"} 3")).await;
    assert_eq!(metric(&stage, "gateway_budget_wait_seconds_count{connection=\"affiliates\"}").await, 2);
}

#[tokio::test]
async fn common_statuses_are_exposed_from_the_start() {
    let stage = stage().start().await;
    for status in ["200", "401", "403", "429", "500", "none"] {
        let series = format!("gateway_vendor_calls_total{{connection=\"affiliates\",status=\"{status}\"}}");
        assert_eq!(metric(&stage, &series).await, 0, "Prometheus sees no increase in a new series");
    }
}

#[tokio::test]
async fn process_and_build_metrics_are_exposed() {
    let stage = stage().start().await;
    let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("GATEWAY_BUILD_COMMIT"));
    let version = format!("gateway_build_info{{version=\"{version}\",commit=\"{commit}\"}}");
    assert_eq!(metric(&stage, &version).await, 1);
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        assert!(metric(&stage, name).await > 0, "{name}");
    }
    assert!(stage.get("/metrics").await.text.contains("# TYPE process_cpu_seconds_total counter\n"));
}
