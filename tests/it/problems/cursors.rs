//! Invalid and foreign cursors.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::Value;

use super::{lines, stage};
use crate::support::{
    Gateway, Reply, ScriptedVendor, Stage, config, connections_to, corporation_page, corporation_row, ids,
};
use customer_gateway::domain::cursor::CursorKey;

async fn next_cursor(gateway: &Gateway, target: &str) -> String {
    gateway.get(target).await.ok()["page"]["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn garbage_cursor_is_rejected() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    assert_snapshot!(lines(&gateway, &[
        "/customers?connection=affiliates&cursor=x",
        "/customers?connection=affiliates&cursor=%F0%9F%A6%80",
        "/customers?connection=affiliates&cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "/transactions?connection=affiliates&cursor=cust_1",
        "/customers/affiliates.x/transactions?cursor=cust_1",
    ]).await, @r"
    /customers?connection=affiliates&cursor=x
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    /customers?connection=affiliates&cursor=%F0%9F%A6%80
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    /customers?connection=affiliates&cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    /transactions?connection=affiliates&cursor=cust_1
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    /customers/affiliates.x/transactions?cursor=cust_1
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    ");
    let too_long = format!("/customers?connection=affiliates&cursor={}", "A".repeat(2049));
    assert_eq!(gateway.get(&too_long).await.code(400), "invalid_cursor");
    assert_eq!(sandbox.tolt().calls(), 0, "no vendor was called");
}

#[tokio::test]
async fn altered_cursor_is_rejected() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let cursor = next_cursor(&gateway, "/customers?connection=affiliates&limit=5").await;
    for at in [0, cursor.len() / 2, cursor.len() - 2] {
        let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
        let answer = gateway.get(&format!("/customers?connection=affiliates&cursor={tampered}")).await;
        assert_eq!(answer.code(400), "invalid_cursor", "{tampered}");
    }
}

#[tokio::test]
async fn cursor_with_another_key_is_rejected() {
    let Stage { vendors: sandbox, gateway } = stage().start().await;
    let cursor = next_cursor(&gateway, "/customers?connection=affiliates&limit=5").await;
    let mut other = config(connections_to(&sandbox));
    other.paging.cursor_key = Some(CursorKey::derive(b"another"));
    let other = Gateway::start(other).await;
    let answer = other.get(&format!("/customers?connection=affiliates&cursor={cursor}")).await;
    assert_eq!(answer.code(400), "invalid_cursor");
}

#[tokio::test]
async fn cursor_is_bound_to_its_query() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let cursor = next_cursor(&gateway, "/customers?connection=affiliates&limit=5&order=asc").await;
    for (what, target) in [
        ("another filter", "/customers?connection=affiliates&order=asc&status=active"),
        ("another order", "/customers?connection=affiliates&order=desc"),
        ("no order", "/customers?connection=affiliates"),
        ("another connection", "/customers?connection=tax"),
        ("other rows", "/transactions?connection=affiliates&order=asc"),
    ] {
        let answer = gateway.get(&format!("{target}&cursor={cursor}")).await;
        assert_eq!(answer.code(400), "cursor_mismatch", "{what}");
        assert_eq!(answer.problem()["parameter"], "cursor", "{what}");
    }
}

#[tokio::test]
async fn cursor_accepts_another_limit_and_shape() {
    let Stage { vendors: _sandbox, gateway } = stage().start().await;
    let all = ids(&gateway.get("/customers?connection=affiliates&limit=30").await.ok());
    let cursor = next_cursor(&gateway, "/customers?connection=affiliates&limit=5").await;
    for rest in ["limit=7", "limit=7&expand=partner", "limit=7&include=raw"] {
        let page: Value = gateway.get(&format!("/customers?connection=affiliates&{rest}&cursor={cursor}")).await.ok();
        assert_eq!(ids(&page), all[5..12], "{rest}");
    }
}

#[tokio::test]
async fn cursor_unknown_to_the_vendor_has_expired() {
    let vendor = ScriptedVendor::start(|_, target| {
        if target.contains("cursor=") {
            Reply::text(400, r#"{"error":{"type":"CLIENT_INVALID_REQUEST_BODY","detail":"old cursor"}}"#)
        } else {
            let row = corporation_row("cust_1");
            Reply::json(&corporation_page(&[row], Some("token")))
        }
    })
    .await;
    let gateway = vendor.gateway("corporation").await;
    let cursor = next_cursor(&gateway, "/customers?limit=1").await;
    let expired = gateway.get(&format!("/customers?limit=1&cursor={cursor}")).await;
    assert_json_snapshot!(expired.problem_snapshot(), @r#"
    {
      "code": "cursor_expired",
      "connection": "odd",
      "detail": "the vendor no longer accepts this cursor's position; start again without `cursor`",
      "parameter": "cursor",
      "request_id": "[request id]",
      "retryable": false,
      "status": 400,
      "title": "The cursor has expired"
    }
    "#);
}
