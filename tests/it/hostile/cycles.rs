//! Paging that leads nowhere.

use crate::support::{Answer, Reply, ScriptedVendor, corporation_page, corporation_row, tolt_page, tolt_row};

/// A corporation vendor whose token leads where `next` says; each page holds
/// the row of its token.
async fn leading(next: impl Fn(Option<&str>) -> Option<String> + Send + Sync + 'static) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let token = target.split_once("cursor=").map(|(_, token)| token);
        let row = corporation_row(&format!("cust_{}", token.unwrap_or("start")));
        Reply::json(&corporation_page(&[row], next(token).as_deref()))
    })
    .await
}

/// Walks with every limit that makes a difference, and expects each walk to
/// end with the problem of a vendor that goes round in circles.
async fn is_noticed(vendor: &ScriptedVendor, kind: &str) {
    let gateway = vendor.gateway(kind).await;
    for limit in [1, 2, 3, 7, 100] {
        let ended: Answer = gateway.walk(&format!("/customers?limit={limit}")).await.unwrap_err();
        assert_eq!(ended.line(), "502 vendor_unreadable the vendor's paging goes round in circles", "limit {limit}");
        assert_eq!(ended.problem()["connection"], "odd");
    }
}

#[tokio::test]
async fn a_cursor_that_never_advances_is_noticed() {
    is_noticed(&leading(|_| Some("same".to_owned())).await, "corporation").await;
}

#[tokio::test]
async fn cursors_that_go_round_are_noticed() {
    for length in [2, 3] {
        let vendor = leading(move |token| {
            let at: usize = token.map_or(0, |token| token.parse().unwrap());
            Some((at % length + 1).to_string())
        })
        .await;
        is_noticed(&vendor, "corporation").await;
        assert!(vendor.calls() < 100, "{} calls", vendor.calls());
    }
}

#[tokio::test]
async fn a_cycle_far_from_the_start_is_noticed() {
    let vendor = leading(|token| {
        let at: usize = token.map_or(0, |token| token.parse().unwrap());
        Some(if at == 23 { 20 } else { at + 1 }.to_string())
    })
    .await;
    is_noticed(&vendor, "corporation").await;
}

#[tokio::test]
async fn empty_pages_that_lead_on_to_an_end_are_walked_through() {
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
async fn one_request_makes_no_more_vendor_calls_than_its_budget() {
    let vendor = leading_on_for_ever().await;
    let page = vendor.gateway("corporation").await.get("/customers?limit=5").await.ok();
    assert_eq!(vendor.calls(), 20);
    assert_eq!(page["sources"][0]["status"], "partial");
    assert!(page["page"]["next_cursor"].is_string() && page["page"]["has_more"] == true, "{page}");
}

/// A vendor with a new cursor each time, and never a row.
async fn leading_on_for_ever() -> ScriptedVendor {
    ScriptedVendor::start(|call, _| Reply::json(&corporation_page(&[], Some(&call.to_string())))).await
}

#[tokio::test]
async fn the_same_page_that_says_there_is_more_is_noticed() {
    let rows: Vec<_> = (0..5).map(|at| tolt_row(&format!("cust_{at}"))).collect();
    is_noticed(&ScriptedVendor::saying(tolt_page(&rows, true)).await, "tolt").await;
}

#[tokio::test]
async fn an_empty_page_that_says_there_is_more_is_unreadable() {
    let vendor = ScriptedVendor::saying(tolt_page(&[], true)).await;
    let ended = vendor.gateway("tolt").await.walk("/customers").await.unwrap_err();
    assert_eq!(
        ended.line(),
        "502 vendor_unreadable the vendor's answer cannot be read: it says that there are more rows, and sends none"
    );
}

#[tokio::test]
async fn a_full_page_without_has_more_leads_on_and_a_short_one_ends() {
    let vendor = ScriptedVendor::start(|_, target| {
        let from = if target.contains("starting_after=cust_99") { 100 } else { 0 };
        let rows: Vec<_> = (from..(from + 100).min(130)).map(|at| tolt_row(&format!("cust_{at}"))).collect();
        let mut page = tolt_page(&rows, true);
        page.as_object_mut().unwrap().remove("has_more");
        Reply::json(&page)
    })
    .await;
    let walked = vendor.gateway("tolt").await.walk("/customers?limit=50").await.unwrap();
    assert_eq!(walked, (0..130).map(|at| format!("odd.cust_{at}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_of_3_kib_does_not_fit_into_ours() {
    let long = "x".repeat(3 << 10);
    let vendor = leading(move |_| Some(long.clone())).await;
    let ended = vendor.gateway("corporation").await.walk("/customers?limit=1").await.unwrap_err();
    assert_eq!(ended.line(), "502 vendor_unreadable the vendor's cursor is too long to be passed on");
}

#[tokio::test]
async fn a_cursor_of_1_kib_does() {
    let long = "x".repeat(1 << 10);
    let vendor = ScriptedVendor::start(move |_, target| {
        let first = !target.contains("cursor=");
        let row = corporation_row(if first { "cust_1" } else { "cust_2" });
        Reply::json(&corporation_page(&[row], first.then_some(&long)))
    })
    .await;
    let walked = vendor.gateway("corporation").await.walk("/customers?limit=1").await.unwrap();
    assert_eq!(walked, ["odd.cust_1", "odd.cust_2"]);
}

#[tokio::test]
async fn a_cursor_is_sent_back_as_it_came() {
    let odd = "a+b/c==&d %é\"\u{1F980}";
    let vendor = leading(move |token| token.is_none().then(|| odd.to_owned())).await;
    vendor.gateway("corporation").await.walk("/customers").await.unwrap();
    let sent = url::Url::parse("http://x").unwrap().join(&vendor.targets()[1]).unwrap();
    let cursor = sent.query_pairs().find(|(name, _)| name == "cursor").unwrap().1;
    assert_eq!(cursor, odd);
}

#[tokio::test]
async fn a_cursor_that_is_no_text_is_unreadable() {
    for cursor in ["[1]", "{}", "1.5"] {
        let vendor = ScriptedVendor::start(move |_, _| {
            Reply::text(200, &format!(r#"{{"customers": [], "total_customers": 0, "cursor": {cursor}}}"#))
        })
        .await;
        assert_eq!(vendor.gateway("corporation").await.get("/customers").await.code(502), "vendor_unreadable");
    }
}

#[tokio::test]
async fn a_cursor_that_is_null_empty_or_absent_is_the_end() {
    for cursor in ["", r#", "cursor": null"#, r#", "cursor": """#] {
        let vendor =
            ScriptedVendor::start(move |_, _| Reply::text(200, &format!(r#"{{"customers": []{cursor}}}"#))).await;
        assert_eq!(vendor.gateway("corporation").await.walk("/customers").await.unwrap(), [""; 0]);
    }
}
