//! A vendor's 429 blocks the credential until the time that the vendor names
//! (FACTS.md case 29).

use std::time::Duration;

use customer_gateway::sandbox::Fault;

use super::{PAGE, TAX_PAGE};
use crate::support::{StageBuilder, connection};

/// Returns a stage without waits: a request that would wait is rejected.
fn stage() -> StageBuilder<'static> {
    super::stage().configure(|config| {
        let tolt = &config.connections[0];
        let (url, id) = (tolt.base_url.to_string(), tolt.account_id.clone());
        config.connections.push(connection("second", "tolt", &url, "sandbox-tolt-key", &id));
        config.connections.push(connection("stranger", "tolt", &url, "another-key", &id));
        for connection in &mut config.connections {
            connection.rate_limit.max_wait = Duration::ZERO;
        }
    })
}

/// A 429 from a vendor whose clock agrees with the gateway's.
fn too_many(header: &str, value: &str) -> Fault {
    let date = ("Date".to_owned(), "Sat, 01 Nov 2025 00:00:00 GMT".to_owned());
    Fault::StatusWithHeaders(429, vec![date, (header.to_owned(), value.to_owned())])
}

#[tokio::test]
async fn named_429_blocks_the_credential_until_then() {
    let hour = 3600;
    for (header, value, seconds) in [
        ("Retry-After", "60", 60),
        ("Retry-After", "Sat, 01 Nov 2025 00:01:00 GMT", 60),
        ("Retry-After", "999999999", hour),
        ("Retry-After", "18446744073709551615", hour),
        ("Retry-After", "Sat, 01 Nov 2070 00:01:00 GMT", hour),
        ("Retry-After", "Saturday, 01-Nov-25 00:01:00 GMT", 60),
        ("Retry-After", "Sat Nov  1 00:01:00 2025", 60),
        ("Retry-After", "59.5", 60),
        ("Retry-After-Ms", "59500", 60),
        ("X-RateLimit-Reset", "1761955260", 60),
        ("X-RateLimit-Reset", "1761955260000", 60),
        ("X-RateLimit-Reset", "60", 60),
        ("RateLimit-Reset", "60", 60),
        ("RateLimit", "\"default\";r=0;t=60", 60),
        ("RateLimit", "limit=100, remaining=0, reset=60", 60),
    ] {
        let stage = stage().start().await;
        stage.vendors.tolt().fail_next(1, too_many(header, value));
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_rate_limited", "{value}");
        assert_eq!(refused.header("retry-after"), seconds.to_string(), "{value}");
        assert_eq!(stage.connection_member("budget").await["blocked_for"], seconds);

        stage.advance(seconds - 1);
        let refused = stage.get(PAGE).await;
        assert_eq!(refused.code(503), "vendor_rate_limited", "{value}");
        assert_eq!(refused.header("retry-after"), "1", "{value}");
        assert_eq!(stage.tolt_calls(), 1, "{value}");

        stage.advance(1);
        stage.get(PAGE).await.ok();
        assert!(stage.connection_member("budget").await["blocked_for"].is_null());
    }
}

#[tokio::test]
async fn blocked_credential_affects_its_connections() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, too_many("Retry-After", "60"));
    stage.get(PAGE).await.code(503);

    let second = stage.get("/customers?connection=second").await;
    assert_eq!(second.code(503), "vendor_rate_limited");
    assert_eq!(second.header("retry-after"), "60");
    assert_eq!(stage.tolt_calls(), 1);
    assert_eq!(stage.get("/customers?connection=stranger").await.code(502), "vendor_unauthorized");
    stage.get(TAX_PAGE).await.ok();
}

#[tokio::test]
async fn unnamed_429_backs_off_exponentially() {
    let stage = stage().start().await;
    for stop in [1, 2, 4] {
        stage.vendors.tolt().fail_next(1, Fault::Status(429));
        let wait: u64 = stage.get(PAGE).await.header("retry-after").parse().unwrap();
        assert!((stop..=stop * 3 / 2 + 1).contains(&wait), "{wait}");
        stage.advance(wait);
    }
    stage.get(PAGE).await.ok();
    // A request succeeded, so the next block is short again.
    stage.vendors.tolt().fail_next(1, Fault::Status(429));
    let wait: u64 = stage.get(&stage.customer(0)).await.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
}

/// FACTS.md case 67
#[tokio::test]
async fn zero_wait_429_backs_off_exponentially() {
    let stage = stage().start().await;
    for stop in [1, 2, 4] {
        stage.vendors.tolt().fail_next(1, too_many("Retry-After", "0"));
        let wait: u64 = stage.get(PAGE).await.header("retry-after").parse().unwrap();
        assert!((stop..=stop * 3 / 2 + 1).contains(&wait), "{wait}");
        stage.advance(wait);
    }
    assert_eq!(stage.tolt_calls(), 3);
    stage.get(PAGE).await.ok();
}

#[tokio::test]
async fn cached_pages_are_served_while_blocked() {
    let stage = stage().start().await;
    stage.get(PAGE).await.ok();
    stage.advance(600);
    stage.vendors.tolt().fail_next(1, too_many("Retry-After", "60"));

    let detail = "ttl=-570; detail=stale-if-error";
    assert_eq!(stage.get(PAGE).await.cache_status(), format!("fwd=stale; fwd-status=429; {detail}"));
    assert_eq!(stage.get(PAGE).await.cache_status(), format!("fwd=stale; {detail}"));
    assert_eq!(stage.tolt_calls(), 2);
    stage.advance(60);
    assert_eq!(stage.get(PAGE).await.cache_status(), "fwd=stale; fwd-status=200; stored; ttl=30");
}
