//! Orders that exceed the call budget are rejected, with the cost and the
//! remedy.

use customer_gateway::sandbox::{Data, Sandbox};
use insta::{assert_json_snapshot, assert_snapshot};

use super::{cursor, page, stage, target};
use crate::support::{Gateway, config, connection, sandbox, sandbox_with};

#[tokio::test]
async fn costly_order_is_rejected_after_one_call() {
    let stage = stage(10, 2_001).start().await;
    let refused = stage.gateway.get("/customers?connection=tax&order=desc").await;
    assert_json_snapshot!(refused.problem_snapshot(), @r#"
    {
      "code": "order_too_expensive",
      "connection": "tax",
      "detail": "the vendor cannot sort: its 2001 rows take 21 vendor calls, and this request may make 20; add a filter or remove `order`",
      "parameter": "order",
      "request_id": "[request id]",
      "retryable": false,
      "status": 422,
      "supported": [
        "name",
        "search",
        "source_platform",
        "source_platform_id",
        "certificate_type",
        "exemption_jurisdiction",
        "exemption_status",
        "expiration_status",
        "has_exemption"
      ],
      "title": "Sorting requires too many vendor calls"
    }
    "#);
    assert_eq!(stage.vendors.corporation().calls(), 1);
    for target in ["/customers?order=asc", "/customers?order=asc&partial=allow", "/customers?order=asc&email=a@b.c"] {
        assert_eq!(stage.gateway.get(target).await.code(422), "order_too_expensive", "{target}");
    }
    assert_eq!(stage.vendors.corporation().calls(), 1, "the first page is cached");
}

#[tokio::test]
async fn native_filter_makes_sort_affordable() {
    let stage = stage(0, 2_001).start().await;
    let name = stage.vendors.corporation().customers()[0].name.as_str().unwrap().to_owned();
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let native = stage.gateway.get(&format!("/customers?connection=tax&order=desc&name={name}")).await.ok();
    assert!(native["page"]["total"].as_u64().unwrap() >= 1);
    let gateway = stage.gateway.get("/customers?connection=tax&order=desc&created_gte=2099-01-01").await;
    assert_eq!(gateway.code(422), "order_too_expensive");
}

#[tokio::test]
async fn order_at_the_budget_is_served() {
    let stage = stage(0, 300).start().await;
    let asked =
        async |calls| stage.gateway.get(&format!("/customers?connection=tax&order=desc&max_calls={calls}")).await;
    assert_eq!(asked(2).await.code(422), "order_too_expensive");
    assert_eq!(asked(3).await.ok()["page"]["total"], 300);
}

#[tokio::test]
async fn walk_continues_after_too_low_a_budget() {
    let stage = stage(150, 250).start().await;
    let question = "/customers?order=desc&limit=60";
    let first = page(&stage.gateway, question, None).await;
    stage.gateway.clock.advance(std::time::Duration::from_hours(2));
    let next = target(question, cursor(&first, "next_cursor").as_deref());
    assert_eq!(stage.gateway.get(&format!("{next}&max_calls=2")).await.code(422), "order_too_expensive");
    assert_eq!(crate::support::ids(&stage.gateway.get(&next).await.ok()).len(), 60);
}

#[tokio::test]
async fn merge_needs_one_call_per_source() {
    let stage = stage(10, 10).start().await;
    let refused = stage.gateway.get("/customers?order=desc&max_calls=1").await;
    assert_snapshot!(refused.problem_line(), @"422 order_too_expensive [order] merging 2 connections takes at least 2 vendor calls, and this request may make 1; name fewer connections or remove `order`");
    assert_eq!(stage.total_calls(), 0, "no vendor is asked");
    assert_eq!(stage.gateway.get("/customers?order=desc&max_calls=2").await.status, 200);
    assert_eq!(stage.gateway.get("/customers?connection=tax&order=desc&max_calls=1").await.status, 200);
}

/// Two sources that are affordable one by one, but not together.
#[tokio::test]
async fn order_cost_is_the_sum_over_sources() {
    let vendors = [sandbox(0, 0, 250).await, sandbox(0, 0, 250).await];
    let vendor = |sandbox: &Sandbox, name: &str| {
        let vendor = sandbox.corporation();
        connection(name, "corporation", &vendor.base_url(), vendor.credential(), vendor.corporation_id())
    };
    let connections = vec![vendor(&vendors[0], "tax"), vendor(&vendors[1], "tax-eu")];
    let gateway = Gateway::start(config(connections)).await;
    let refused = gateway.get("/customers?order=desc&max_calls=5").await;
    let line = refused.problem_line().replace("`tax-eu`", "`tax`");
    assert_snapshot!(line, @"422 order_too_expensive [order] the vendor cannot sort: its 250 rows take 3 vendor calls, and this request may make 5 for all its connections; add a filter or remove `order`");
}

#[tokio::test]
async fn merge_of_more_sources_than_calls_is_rejected() {
    let one = sandbox_with(Data::default()).await;
    let tolt = one.tolt();
    let named =
        |number| connection(&format!("c{number}"), "tolt", &tolt.base_url(), tolt.credential(), tolt.program_id());
    let gateway = Gateway::start(config((0..21).map(named).collect())).await;
    assert_eq!(gateway.get("/customers?order=desc").await.code(422), "order_too_expensive");
    assert_eq!(gateway.get("/customers").await.status, 200, "a sequential list is affordable");
    assert_eq!(tolt.calls(), 20);
}
