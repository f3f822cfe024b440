//! Unsupported parameters, rejected or skipped by preference, and lists that a
//! vendor does not have.

use insta::assert_json_snapshot;

use super::{StageBuilder, get_preferring, sources, stage};
use crate::support::{ids, sandbox};

#[tokio::test]
async fn unsupported_filter_names_the_connection() {
    let stage = stage(15, 12).start().await;
    assert_json_snapshot!(stage.gateway.get("/customers?status=active").await.problem_snapshot(), @r#"
    {
      "code": "unsupported_filter",
      "connection": "tax",
      "detail": "the connection `tax` does not support `status`; name only connections that support this (`affiliates`) in `connection`, or send `Prefer: handling=lenient` to skip the others",
      "parameter": "status",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "supported": [
        "order",
        "created_gte",
        "created_lte",
        "name",
        "search",
        "email",
        "external_id",
        "source_platform",
        "source_platform_id",
        "certificate_type",
        "exemption_jurisdiction",
        "exemption_status",
        "expiration_status",
        "has_exemption"
      ],
      "title": "The connection does not support a parameter"
    }
    "#);
    assert_eq!(stage.total_calls(), 0, "no vendor is asked");
}

#[tokio::test]
async fn lenient_request_skips_and_reports_connection() {
    let stage = stage(150, 12).start().await;
    let active = |row: &customer_gateway::sandbox::tolt::Customer| row.status.as_str() == Some("active");
    let rows = stage.vendors.tolt().customers();
    let rows: Vec<_> =
        rows.iter().rev().filter(|row| active(row)).map(|row| format!("affiliates.{}", row.id)).collect();
    for order in ["", "&order=desc"] {
        let target = format!("/customers?status=active&limit=100{order}");
        let answer = get_preferring(&stage.gateway, "handling=lenient", &target).await;
        assert_eq!(answer.header("preference-applied"), "handling=lenient");
        let page = answer.ok();
        assert_eq!(ids(&page), rows);
        let counted = format!("affiliates ok {}, tax skipped null (unsupported_filter)", rows.len());
        assert_eq!(sources(&page), counted);
        assert_eq!(page["page"]["next_cursor"], serde_json::Value::Null, "a skipped connection has no next page");
        assert_eq!(page["page"]["prev_cursor"], serde_json::Value::Null);
    }
    assert_eq!(stage.vendors.corporation().calls(), 0);
}

#[tokio::test]
async fn prefer_header_is_parsed_as_in_rfc_7240() {
    let stage = stage(5, 5).start().await;
    for lenient in [
        "handling=lenient",
        "Handling=Lenient",
        "handling = lenient",
        "handling=\"lenient\"",
        "respond-async, handling=lenient",
        "handling=lenient; foo=bar, wait=10",
        "return=minimal,handling=lenient",
        // The first of two values counts (RFC 7240, section 2).
        "handling=lenient, handling=strict",
    ] {
        let answer = get_preferring(&stage.gateway, lenient, "/customers?status=active").await;
        assert_eq!((answer.status, answer.header("preference-applied")), (200, "handling=lenient"), "{lenient}");
    }
    for strict in ["handling=strict", "handling", "lenient", "handling=strict, handling=lenient", "x=handling=lenient"]
    {
        let answer = get_preferring(&stage.gateway, strict, "/customers?status=active").await;
        assert_eq!(answer.code(400), "unsupported_filter", "{strict}");
        assert_eq!(answer.header("preference-applied"), "", "{strict}");
    }
    let two = stage.gateway.request(|client, url| {
        let request = client.get(format!("{url}/customers?status=active"));
        request.header("prefer", "respond-async").header("prefer", "handling=lenient")
    });
    assert_eq!(two.await.status, 200, "the second of two headers");
}

#[tokio::test]
async fn lenient_request_without_sources_is_rejected() {
    let stage = stage(5, 5).start().await;
    for target in ["/customers?connection=tax&status=active", "/customers?status=active&source_platform=stripe"] {
        let answer = get_preferring(&stage.gateway, "handling=lenient", target).await;
        assert_eq!(answer.code(400), "unsupported_filter", "{target}");
    }
}

#[tokio::test]
async fn lenient_cursor_requires_a_lenient_request() {
    let stage = stage(150, 5).start().await;
    let first = get_preferring(&stage.gateway, "handling=lenient", "/customers?status=active&limit=2").await.ok();
    let next = super::target("/customers?status=active&limit=2", super::cursor(&first, "next_cursor").as_deref());
    assert_eq!(stage.gateway.get(&next).await.code(400), "unsupported_filter");
    assert_eq!(ids(&get_preferring(&stage.gateway, "handling=lenient", &next).await.ok()).len(), 2);
}

#[tokio::test]
async fn unsupported_expansion_is_treated_like_filter() {
    let stage = stage(5, 5).start().await;
    let refused = stage.gateway.get("/customers?expand=partner").await;
    assert_eq!((refused.code(400).as_str(), &refused.problem()["parameter"]), ("unsupported_filter", &"expand".into()));
    let page = get_preferring(&stage.gateway, "handling=lenient", "/customers?expand=partner").await.ok();
    assert_eq!(sources(&page), "affiliates ok 5, tax skipped null (unsupported_filter)");
}

#[tokio::test]
async fn missing_list_fails_only_for_named_connection() {
    let stage = StageBuilder::new(sandbox(15, 30, 12)).start().await;
    let page = stage.gateway.get("/transactions").await;
    assert_eq!(page.header("preference-applied"), "", "nothing was preferred");
    let page = page.ok();
    assert_eq!(sources(&page), "affiliates ok 30, tax skipped 0 (unsupported_operation)");
    assert_eq!(page["page"]["total"], 30);

    for named in ["tax", "affiliates,tax"] {
        let named_target = format!("/transactions?connection={named}");
        let refused = stage.gateway.get(&named_target).await;
        assert_eq!(refused.code(501), "unsupported_operation", "{named}");
        assert_eq!(refused.problem()["connection"], "tax");
    }
    let lenient = get_preferring(&stage.gateway, "handling=lenient", "/transactions?connection=affiliates,tax").await;
    assert_eq!(lenient.ok()["page"]["total"], 30);
}
