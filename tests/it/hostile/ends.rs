//! Ends of lists that a vendor marks badly. No list ends early and is reported
//! as complete.

use serde_json::{Value, json};

use crate::support::{Gateway, Reply, ScriptedVendor, corporation_page, corporation_row, tolt_page, tolt_row};

/// Starts a Tolt of 143 customers in pages of 50. `mark` changes each envelope,
/// given whether more rows follow.
async fn tolt_in_pages(mark: impl Fn(&mut Value, bool) + Send + Sync + 'static) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let after = target.split_once("starting_after=cust_").map(|(_, rest)| rest.split('&').next().unwrap());
        let from = after.map_or(0, |id| id.parse::<usize>().unwrap() + 1);
        let to = (from + 50).min(143);
        let rows: Vec<_> = (from..to).map(|at| tolt_row(&format!("cust_{at}"))).collect();
        let mut page = tolt_page(&rows, true);
        page["total_count"] = 143.into();
        mark(&mut page, to < 143);
        Reply::json(&page)
    })
    .await
}

/// Final record of an export.
async fn final_record(gateway: &Gateway, target: &str) -> Value {
    let export = gateway
        .request(|client, url| client.get(format!("{url}{target}")).header("accept", "application/x-ndjson"))
        .await;
    let last = export.text.lines().last().unwrap().to_owned();
    serde_json::from_str::<Value>(&last).unwrap()["export"].clone()
}

#[tokio::test]
async fn missing_flag_is_proven_by_an_empty_page() {
    let vendor = tolt_in_pages(|page, _| drop(page.as_object_mut().unwrap().remove("has_more"))).await;
    let gateway = vendor.gateway("tolt").await;
    assert_eq!(gateway.walk("/customers?limit=100").await.unwrap().len(), 143);
    let end = final_record(&gateway, "/customers").await;
    assert_eq!((&end["status"], &end["count"]), (&json!("complete"), &json!(143)));
}

#[tokio::test]
async fn unreadable_flag_is_proven_by_an_empty_page() {
    for flag in [Value::Null, json!("maybe"), json!([]), json!({}), json!(7)] {
        let vendor = tolt_in_pages(move |page, _| page["has_more"] = flag.clone()).await;
        assert_eq!(vendor.gateway("tolt").await.walk("/customers?limit=100").await.unwrap().len(), 143);
    }
}

#[tokio::test]
async fn agreeing_total_proves_a_single_page() {
    let vendor = ScriptedVendor::start(|_, _| {
        let mut page = tolt_page(&[tolt_row("cust_1"), tolt_row("cust_2")], false);
        page.as_object_mut().unwrap().remove("has_more");
        page["total_count"] = 2.into();
        Reply::json(&page)
    })
    .await;
    let page = vendor.gateway("tolt").await.get("/customers").await.ok();
    assert_eq!((&page["page"]["has_more"], &page["page"]["total"]), (&json!(false), &json!(2)));
    assert_eq!(vendor.calls(), 1);
}

/// Starts a corporation of `rows` customers in pages of 100, which claims `total`.
async fn corporation_claiming(rows: usize, total: usize) -> ScriptedVendor {
    ScriptedVendor::start(move |_, target| {
        let from: usize = target.split_once("cursor=").map_or(0, |(_, token)| token.parse().unwrap());
        let to = (from + 100).min(rows);
        let page: Vec<_> = (from..to).map(|at| corporation_row(&format!("cust_{at}"))).collect();
        let cursor = (to < rows).then(|| to.to_string());
        let mut page = corporation_page(&page, cursor.as_deref());
        page["data"]["total_customers"] = total.into();
        Reply::json(&page)
    })
    .await
}

#[tokio::test]
async fn list_shorter_than_its_total_is_partial() {
    for rows in [50, 150, 200] {
        let vendor = corporation_claiming(rows, 250).await;
        let gateway = vendor.gateway("corporation").await;
        for limit in [7, 50, 100] {
            let mut target = format!("/customers?limit={limit}");
            let mut seen = 0;
            let last = loop {
                let page = gateway.get(&target).await.ok();
                seen += page["data"].as_array().unwrap().len();
                let Some(next) = page["page"]["next_cursor"].as_str() else { break page };
                assert_eq!(page["sources"][0]["status"], "ok");
                target = format!("/customers?limit={limit}&cursor={next}");
            };
            assert_eq!(seen, rows);
            let source = &last["sources"][0];
            assert_eq!((&source["status"], &last["page"]["total"]), (&json!("partial"), &Value::Null), "{limit}");
            assert_eq!(
                (&source["problem"]["code"], &source["problem"]["detail"]),
                (&json!("vendor_unreadable"), &json!(format!("the vendor ended the list after {rows} of 250 rows")))
            );
        }
        let end = final_record(&gateway, "/customers").await;
        assert_eq!((&end["status"], &end["count"]), (&json!("incomplete"), &json!(rows)));
        assert_eq!(end["problem"]["code"], "vendor_unreadable");
    }
}

#[tokio::test]
async fn sorted_list_shorter_than_its_total_is_partial() {
    let vendor = corporation_claiming(150, 180).await;
    let page = vendor.gateway("corporation").await.get("/customers?order=asc&limit=10").await.ok();
    assert_eq!((&page["sources"][0]["status"], &page["page"]["total"]), (&json!("partial"), &Value::Null));
}

#[tokio::test]
async fn list_that_agrees_with_its_total_is_ok() {
    let vendor = corporation_claiming(150, 150).await;
    let gateway = vendor.gateway("corporation").await;
    assert_eq!(gateway.walk("/customers?limit=40").await.unwrap().len(), 150);
    assert_eq!(final_record(&gateway, "/customers").await["status"], "complete");
}
