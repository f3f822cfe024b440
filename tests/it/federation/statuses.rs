//! `sources`: the outcome of each connection for a page.

use customer_gateway::sandbox::Fault;
use insta::assert_json_snapshot;

use super::{cursor, get_preferring, page, sources, stage, walk};

#[tokio::test]
async fn sequential_source_is_asked_when_reached() {
    let stage = stage(15, 12).start().await;
    let pages = walk(&stage.gateway, "/customers?limit=10").await;
    let told: Vec<_> = pages.iter().map(sources).collect();
    assert_eq!(
        told,
        ["affiliates ok 15, tax not_asked null", "affiliates ok 15, tax ok 12", "affiliates not_asked null, tax ok 12"]
    );
}

#[tokio::test]
async fn merged_sources_are_all_asked() {
    let stage = stage(15, 3).start().await;
    let pages = walk(&stage.gateway, "/customers?limit=15&order=desc").await;
    assert_eq!(sources(&pages[0]), "affiliates ok 15, tax ok 3");
}

#[tokio::test]
async fn each_source_status_has_its_shape() {
    let stage = stage(15, 12).start().await;
    stage.vendors.corporation().fail_next(1, Fault::Empty);
    let failed = page(&stage.gateway, "/customers?order=desc&limit=1&partial=allow", None).await;
    assert_json_snapshot!(failed["sources"], @r#"
    [
      {
        "connection": "affiliates",
        "fetched_at": "2025-11-01T00:00:00.000Z",
        "origin": "vendor",
        "status": "ok",
        "total": 15,
        "undecided": 0,
        "unreadable": 0,
        "vendor": "tolt"
      },
      {
        "connection": "tax",
        "fetched_at": null,
        "origin": null,
        "problem": {
          "code": "vendor_unreadable",
          "detail": "the vendor's response cannot be read: the body is truncated (line 1, column 0)",
          "parameter": null,
          "retry_after": null,
          "retryable": false,
          "status": 502,
          "title": "The vendor's response is unreadable",
          "type": "/problems/vendor_unreadable"
        },
        "status": "failed",
        "total": null,
        "undecided": 0,
        "unreadable": 0,
        "vendor": "corporation"
      }
    ]
    "#);
    let skipped = get_preferring(&stage.gateway, "handling=lenient", "/customers?status=active&limit=1").await.ok();
    assert_json_snapshot!(skipped["sources"][1], @r#"
    {
      "connection": "tax",
      "fetched_at": null,
      "origin": null,
      "problem": {
        "code": "unsupported_filter",
        "detail": "the connection `tax` does not support `status`",
        "parameter": "status",
        "retry_after": null,
        "retryable": false,
        "status": 400,
        "title": "The connection does not support a parameter",
        "type": "/problems/unsupported_filter"
      },
      "status": "skipped",
      "total": null,
      "undecided": 0,
      "unreadable": 0,
      "vendor": "corporation"
    }
    "#);
}

#[tokio::test]
async fn source_reached_without_calls_left_is_partial() {
    let stage = stage(5, 5).start().await;
    let first = page(&stage.gateway, "/customers?max_calls=1", None).await;
    assert_json_snapshot!(first["sources"][1], @r#"
    {
      "connection": "tax",
      "fetched_at": null,
      "origin": "vendor",
      "status": "partial",
      "total": null,
      "undecided": 0,
      "unreadable": 0,
      "vendor": "corporation"
    }
    "#);
    let second = page(&stage.gateway, "/customers?max_calls=1", cursor(&first, "next_cursor").as_deref()).await;
    assert_eq!(sources(&second), "affiliates not_asked null, tax ok 5");
}
