//! Rows of an account other than the connection's (FACTS.md case 27). Such rows
//! are never served and do not affect other rows.

use serde_json::{Value, json};

use crate::support::{ACCOUNT, Reply, ScriptedVendor, corporation_page, corporation_row, ids, tolt_page, tolt_row};

/// The same row, owned by another account.
fn foreign(mut row: Value) -> Value {
    for key in ["program_id", "corporation_id"] {
        if row.get(key).is_some() {
            row[key] = json!("account_of_another");
        }
    }
    row["name"] = json!("Somebody Else");
    row
}

/// Starts a vendor with two pages, whose rows `page` returns.
async fn two_pages(kind: &'static str, page: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let first = !target.contains("starting_after=") && !target.contains("cursor=");
        let rows = page(usize::from(!first));
        Reply::json(&match kind {
            "tolt" => tolt_page(&rows, first),
            _ => corporation_page(&rows, first.then_some("second")),
        })
    })
    .await
}

fn row(kind: &str, id: &str) -> Value {
    if kind == "tolt" { tolt_row(id) } else { corporation_row(id) }
}

#[tokio::test]
async fn foreign_rows_are_dropped_from_pages() {
    for kind in ["tolt", "corporation"] {
        let vendor = two_pages(kind, move |page| match page {
            0 => vec![row(kind, "a"), foreign(row(kind, "b")), row(kind, "c")],
            _ => vec![foreign(row(kind, "d")), row(kind, "e"), foreign(row(kind, "f"))],
        })
        .await;
        let gateway = vendor.gateway(kind).await;
        for limit in [1, 2, 3, 100] {
            let walked = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap();
            assert_eq!(walked, ["odd.a", "odd.c", "odd.e"], "{kind}, limit {limit}");
        }
        let answer = gateway.get("/customers?include=raw").await;
        assert!(!answer.text.contains("Somebody Else"), "{}", answer.text);
        let page = answer.ok();
        assert_eq!((&page["page"]["total"], &page["sources"][0]["total"]), (&Value::Null, &Value::Null), "{kind}");
    }
}

#[tokio::test]
async fn page_of_foreign_rows_does_not_end_the_walk() {
    for kind in ["tolt", "corporation"] {
        let vendor = two_pages(kind, move |page| match page {
            0 => (0..100).map(|at| foreign(row(kind, &format!("x{at}")))).collect(),
            _ => vec![row(kind, "a"), row(kind, "b")],
        })
        .await;
        let gateway = vendor.gateway(kind).await;
        for limit in [1, 100] {
            let walked = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap();
            assert_eq!(walked, ["odd.a", "odd.b"], "{kind}, limit {limit}");
        }
    }
}

#[tokio::test]
async fn endless_foreign_pages_stop_at_call_budget() {
    let vendor =
        ScriptedVendor::start(|call, _| Reply::json(&tolt_page(&[foreign(tolt_row(&call.to_string()))], true))).await;
    let page = vendor.gateway("tolt").await.get("/customers").await.ok();
    assert_eq!(ids(&page), [""; 0]);
    assert_eq!((vendor.calls(), &page["sources"][0]["status"]), (20, &json!("partial")));
}

#[tokio::test]
async fn backward_walk_skips_foreign_rows() {
    let vendor = two_pages("corporation", |page| match page {
        0 => vec![corporation_row("a"), foreign(corporation_row("b"))],
        _ => vec![foreign(corporation_row("c")), corporation_row("d")],
    })
    .await;
    let gateway = vendor.gateway("corporation").await;
    let first = gateway.get("/customers?limit=1").await.ok();
    let next = first["page"]["next_cursor"].as_str().unwrap();
    let second = gateway.get(&format!("/customers?limit=1&cursor={next}")).await.ok();
    assert_eq!(ids(&second), ["odd.d"]);
    let prev = second["page"]["prev_cursor"].as_str().unwrap();
    assert_eq!(ids(&gateway.get(&format!("/customers?limit=1&cursor={prev}")).await.ok()), ["odd.a"]);
}

#[tokio::test]
async fn foreign_customer_is_not_found() {
    for kind in ["tolt", "corporation"] {
        let vendor = ScriptedVendor::replying(json!({"success": true, "data": foreign(row(kind, "a"))})).await;
        let gateway = vendor.gateway(kind).await;
        for target in ["/customers/odd.a", "/customers/odd.a?include=raw"] {
            let answer = gateway.get(target).await;
            assert_eq!(
                answer.problem_line(),
                "404 customer_not_found the connection `odd` has no customer `a`",
                "{kind} {target}"
            );
        }
    }
}

#[tokio::test]
async fn row_without_account_is_served() {
    for kind in ["tolt", "corporation"] {
        let vendor = two_pages(kind, move |_| vec![json!({"id": "a"})]).await;
        let page = vendor.gateway(kind).await.get("/customers?limit=1").await.ok();
        assert_eq!(ids(&page), ["odd.a"], "{kind}");
    }
}

#[tokio::test]
async fn foreign_transactions_are_dropped() {
    let mine = json!({"id": "txn_1", "program_id": ACCOUNT, "amount": 100, "customer_id": "cust_1"});
    let theirs = json!({"id": "txn_2", "program_id": "another", "amount": 200, "customer_id": "cust_2"});
    let body = json!({"success": true, "has_more": false, "total_count": 2, "data": [theirs, mine]});
    let gateway = ScriptedVendor::replying(body).await;
    let page = gateway.gateway("tolt").await.get("/transactions").await.ok();
    assert_eq!(ids(&page), ["odd.txn_1"]);
    assert_eq!(page["page"]["total"], Value::Null);
}
