//! Rows of a batch: their order, repeated ids, missing ids and merged customers.

use serde_json::{Value, json};

use super::{affiliates, mixed, pages, sources, stage, target, tax, vendor_with};
use crate::support::{Reply, ids, tolt_row};

#[tokio::test]
async fn rows_follow_request_order() {
    let stage = stage().start().await;
    for mut ids_sent in [mixed(&stage, 5), affiliates(&stage, 3), tax(&stage, 1)] {
        for _ in 0..2 {
            let body = stage.get(&target(&ids_sent)).await.ok();
            assert_eq!(ids(&body), ids_sent);
            let page = json!({
                "limit": ids_sent.len(), "has_more": false, "next_cursor": null, "prev_cursor": null,
                "total": ids_sent.len(),
            });
            assert_eq!(body["page"], page);
            ids_sent.reverse();
        }
    }
    let body = stage.get(&target(&mixed(&stage, 5))).await.ok();
    assert_eq!(sources(&body), "affiliates ok 5, tax ok 5");
}

#[tokio::test]
async fn limit_divides_the_ids_into_pages() {
    let stage = stage().start().await;
    let asked = [mixed(&stage, 2), vec!["tax.none".to_owned()], affiliates(&stage, 4).split_off(2)].concat();
    let pages = pages(&stage.gateway, &format!("{}&limit=2", target(&asked))).await;
    assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), [&asked[..4], &asked[5..]].concat());
    assert_eq!(
        pages.iter().map(sources).collect::<Vec<_>>(),
        [
            "affiliates ok null, tax ok null",
            "affiliates ok null, tax ok null",
            "affiliates ok null, tax ok null [tax.none]",
            "affiliates ok null, tax not_asked null",
        ]
    );
    assert!(pages.iter().all(|page| page["page"]["limit"] == 2));
    let body = stage.get(&format!("{}&limit=100", target(&asked))).await.ok();
    assert_eq!((&body["page"]["limit"], &body["page"]["total"]), (&json!(100), &json!(6)));
}

#[tokio::test]
async fn rows_equal_those_of_single_requests() {
    let stage = stage().start().await;
    let ids_sent = mixed(&stage, 2);
    for shape in ["", "expand=partner", "include=raw", "expand=stats"] {
        let ids_sent = if shape.starts_with("expand") { affiliates(&stage, 2) } else { ids_sent.clone() };
        let body = stage.get(&format!("{}&{shape}", target(&ids_sent))).await.ok();
        for (id, row) in ids_sent.iter().zip(body["data"].as_array().unwrap()) {
            assert_eq!(stage.get(&format!("/customers/{id}?{shape}")).await.ok(), *row, "{shape}");
        }
    }
}

#[tokio::test]
async fn repeated_id_returns_one_row() {
    let stage = stage().start().await;
    let [first, second] = [affiliates(&stage, 1).remove(0), tax(&stage, 1).remove(0)];
    let body = stage.get(&target(&[&first, &second, &first, &first])).await.ok();
    assert_eq!(ids(&body), [first, second]);
    assert_eq!((&body["page"]["limit"], &body["page"]["total"]), (&json!(2), &json!(2)));
    assert_eq!(stage.calls(), [1, 1]);
}

#[tokio::test]
async fn missing_ids_are_listed_by_source() {
    let stage = stage().start().await;
    let [first, second] = [affiliates(&stage, 1).remove(0), tax(&stage, 1).remove(0)];
    let asked = ["affiliates.z", first.as_str(), "tax.none", "affiliates.a", second.as_str()];
    let body = stage.get(&target(&asked)).await.ok();
    assert_eq!(ids(&body), [first, second]);
    assert_eq!(sources(&body), "affiliates ok 1 [affiliates.z affiliates.a], tax ok 1 [tax.none]");
    assert_eq!((&body["page"]["total"], &body["page"]["next_cursor"]), (&json!(2), &Value::Null));

    let body = stage.get(&target(&["tax.none", "tax.no%2Ebody"])).await.ok();
    assert_eq!((ids(&body), sources(&body)), (Vec::new(), "tax ok 0 [tax.none tax.no%2Ebody]".to_owned()));
}

#[tokio::test]
async fn lists_have_no_missing_ids() {
    let stage = stage().start().await;
    for target in ["/customers", "/customers?connection=tax&name=none", "/transactions?connection=affiliates"] {
        assert!(stage.get(target).await.ok()["sources"][0].get("not_found").is_none(), "{target}");
    }
}

#[tokio::test]
async fn merged_customer_is_returned_as_by_id() {
    let merged = json!({"success": true, "data": tolt_row("cust_new")});
    let vendor = vendor_with(move |id, reply| if id == "cust_old" { Reply::json(&merged) } else { reply }).await;
    let gateway = vendor.gateway("tolt").await;
    let body = gateway.get(&target(&["odd.cust_old", "odd.cust_1"])).await.ok();
    assert_eq!(ids(&body), ["odd.cust_new", "odd.cust_1"]);
    assert_eq!(body["data"][0], gateway.get("/customers/odd.cust_old").await.ok());
    assert_eq!(sources(&body), "odd ok 2");
}

#[tokio::test]
async fn ids_with_special_characters_are_found() {
    let vendor = vendor_with(|_, reply| reply).await;
    let gateway = vendor.gateway("tolt").await;
    let asked = ["odd.a b", "odd.é客", "odd.a+b,c", "odd.a.b?c#d"];
    let body = gateway.get(&target(&asked)).await.ok();
    assert_eq!(body["data"].as_array().unwrap().len(), 4);
    let mut targets: Vec<_> =
        vendor.targets().iter().map(|target| target.split('?').next().unwrap().to_owned()).collect();
    targets.sort();
    let mut single = Vec::new();
    gateway.clock.advance(std::time::Duration::from_hours(9));
    for id in ["a%20b", "%C3%A9%E5%AE%A2", "a+b,c", "a.b%3Fc%23d"] {
        gateway.get(&format!("/customers/odd.{id}")).await.ok();
        single.push(vendor.targets().last().unwrap().split('?').next().unwrap().to_owned());
    }
    single.sort();
    assert_eq!(targets, single);
}
