//! Paging that cycles or does not advance, and the cursors of vendors.

use crate::support::{Answer, Reply, ScriptedVendor, corporation_page, corporation_row, tolt_page, tolt_row};

/// Starts a corporation vendor whose next cursor is `next` of the current one.
/// Each page contains the row of its cursor.
async fn vendor_with_cursors(next: impl Fn(Option<&str>) -> Option<String> + Send + Sync + 'static) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let token = target.split_once("cursor=").map(|(_, token)| token);
        let row = corporation_row(&format!("cust_{}", token.unwrap_or("start")));
        Reply::json(&corporation_page(&[row], next(token).as_deref()))
    })
    .await
}

/// Walks with several limits. Asserts that each walk ends with the problem for
/// cyclic paging.
async fn assert_cycle_detected(vendor: &ScriptedVendor, kind: &str) {
    let gateway = vendor.gateway(kind).await;
    for limit in [1, 2, 3, 7, 100] {
        let ended: Answer = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap_err();
        assert_eq!(ended.problem_line(), "502 vendor_unreadable the vendor's cursors form a cycle", "limit {limit}");
        assert_eq!(ended.problem()["connection"], "odd");
    }
}

#[tokio::test]
async fn repeated_cursor_is_detected() {
    assert_cycle_detected(&vendor_with_cursors(|_| Some("same".to_owned())).await, "corporation").await;
}

#[tokio::test]
async fn cursor_cycle_is_detected() {
    for length in [2, 3] {
        let vendor = vendor_with_cursors(move |token| {
            let at: usize = token.map_or(0, |token| token.parse().unwrap());
            Some((at % length + 1).to_string())
        })
        .await;
        assert_cycle_detected(&vendor, "corporation").await;
        assert!(vendor.calls() < 100, "{} calls", vendor.calls());
    }
}

#[tokio::test]
async fn late_cursor_cycle_is_detected() {
    let vendor = vendor_with_cursors(|token| {
        let at: usize = token.map_or(0, |token| token.parse().unwrap());
        Some(if at == 23 { 20 } else { at + 1 }.to_string())
    })
    .await;
    assert_cycle_detected(&vendor, "corporation").await;
}

#[tokio::test]
async fn empty_pages_before_the_end_are_skipped() {
    let vendor = ScriptedVendor::start(|_, target| {
        let at: usize = target.split_once("cursor=").map_or(0, |(_, token)| token.parse().unwrap());
        let rows = if at % 10 == 9 { vec![corporation_row(&format!("cust_{at}"))] } else { Vec::new() };
        Reply::json(&corporation_page(&rows, (at < 49).then(|| (at + 1).to_string()).as_deref()))
    })
    .await;
    let gateway = vendor.gateway("corporation").await;
    for limit in [1, 2, 100] {
        let walked = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap();
        assert_eq!(walked, ["odd.cust_9", "odd.cust_19", "odd.cust_29", "odd.cust_39", "odd.cust_49"]);
    }
}

#[tokio::test]
async fn request_stops_at_its_call_budget() {
    let vendor = vendor_with_endless_empty_pages().await;
    let page = vendor.gateway("corporation").await.get("/customers?limit=5").await.ok();
    assert_eq!(vendor.calls(), 20);
    assert_eq!(page["sources"][0]["status"], "partial");
    assert!(page["page"]["next_cursor"].is_string() && page["page"]["has_more"] == true, "{page}");
}

/// Starts a vendor that sends a new cursor with each page, and no rows.
async fn vendor_with_endless_empty_pages() -> ScriptedVendor {
    ScriptedVendor::start(|call, _| Reply::json(&corporation_page(&[], Some(&call.to_string())))).await
}

#[tokio::test]
async fn repeated_page_with_has_more_is_detected() {
    let rows: Vec<_> = (0..5).map(|at| tolt_row(&format!("cust_{at}"))).collect();
    assert_cycle_detected(&ScriptedVendor::replying(tolt_page(&rows, true)).await, "tolt").await;
}

#[tokio::test]
async fn empty_page_with_has_more_is_unreadable() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], true)).await;
    let ended = vendor.gateway("tolt").await.walk("/customers").await.unwrap_err();
    assert_eq!(
        ended.problem_line(),
        "502 vendor_unreadable the vendor's response cannot be read: a page without rows promises more rows"
    );
}

#[tokio::test]
async fn repeated_cursor_of_3_kib_is_detected() {
    let long = "x".repeat(3 << 10);
    assert_cycle_detected(&vendor_with_cursors(move |_| Some(long.clone())).await, "corporation").await;
}

#[tokio::test]
async fn cursor_is_returned_to_vendor_unchanged() {
    let odd = "a+b/c==&d %é\"\u{1F980}";
    let vendor = vendor_with_cursors(move |token| token.is_none().then(|| odd.to_owned())).await;
    vendor.gateway("corporation").await.walk("/customers").await.unwrap();
    let sent = url::Url::parse("http://x").unwrap().join(&vendor.targets()[1]).unwrap();
    let cursor = sent.query_pairs().find(|(name, _)| name == "cursor").unwrap().1;
    assert_eq!(cursor, odd);
}

#[tokio::test]
async fn non_text_cursor_is_unreadable() {
    for cursor in ["[1]", "{}", "1.5"] {
        let vendor = ScriptedVendor::start(move |_, _| {
            Reply::text(200, &format!(r#"{{"customers": [], "total_customers": 0, "cursor": {cursor}}}"#))
        })
        .await;
        assert_eq!(vendor.gateway("corporation").await.get("/customers").await.code(502), "vendor_unreadable");
    }
}

#[tokio::test]
async fn null_empty_or_absent_cursor_ends_the_list() {
    for cursor in ["", r#", "cursor": null"#, r#", "cursor": """#] {
        let vendor =
            ScriptedVendor::start(move |_, _| Reply::text(200, &format!(r#"{{"customers": []{cursor}}}"#))).await;
        assert_eq!(vendor.gateway("corporation").await.walk("/customers").await.unwrap(), [""; 0]);
    }
}
