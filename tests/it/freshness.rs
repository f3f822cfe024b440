//! Freshness of all responses: each states whether it may be stored.

use crate::support::{StageBuilder, sandbox};

#[tokio::test]
async fn every_response_states_its_freshness() {
    let stage = StageBuilder::new(sandbox(10, 10, 10)).start().await;
    for (target, expected) in [
        ("/", "no-store"),
        ("/livez", "no-store"),
        ("/readyz", "no-store"),
        ("/metrics", "no-store"),
        ("/connections", "no-store"),
        ("/connections/tax", "no-store"),
        ("/explain/customers", "no-store"),
        ("/nowhere", "no-store"),
        ("/customers?limit=x", "no-store"),
        ("/customers", "private, max-age=30"),
        // From the response cache.
        ("/customers", "private, max-age=30"),
        ("/docs", "no-cache"),
        ("/openapi.json", "no-cache"),
        ("/problems/not_found", "public, max-age=3600"),
    ] {
        assert_eq!(stage.get(target).await.header("cache-control"), expected, "{target}");
    }
}
