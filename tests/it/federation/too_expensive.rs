//! Orders that exceed the limit for rows or the call budget are rejected, with
//! the cost and the remedy.

use std::time::Duration;

use customer_gateway::sandbox::{Data, Sandbox};
use insta::{assert_json_snapshot, assert_snapshot};

use super::{cursor, page, stage, target};
use crate::support::{
    Gateway, Reply, ScriptedVendor, config, connection, corporation_page, corporation_row, ids, sandbox, sandbox_with,
};

#[tokio::test]
async fn costly_order_is_rejected_after_one_call() {
    let stage = stage(10, 2_001).configure(|config| config.paging.max_sorted_rows = 2_000).start().await;
    let refused = stage.gateway.get("/customers?connection=tax&order=desc").await;
    assert_json_snapshot!(refused.problem_snapshot(), @r#"
    {
      "code": "order_too_expensive",
      "connection": "tax",
      "detail": "the vendor cannot sort: it has 2001 rows, and the gateway sorts at most 2000 (`paging.max_sorted_rows`); add a filter or remove `order`",
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
      "title": "Sorting requires too many rows or vendor calls"
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
    let stage = stage(0, 2_001).configure(|config| config.paging.max_sorted_rows = 2_000).start().await;
    let name = stage.vendors.corporation().customers()[0].name.as_str().unwrap().to_owned();
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let native = stage.gateway.get(&format!("/customers?connection=tax&order=desc&name={name}")).await.ok();
    assert!(native["page"]["total"].as_u64().unwrap() >= 1);
    let gateway = stage.gateway.get("/customers?connection=tax&order=desc&created_gte=2099-01-01").await;
    assert_eq!(gateway.code(422), "order_too_expensive");
}

/// More calls than `max_vendor_calls` allows for other lists.
#[tokio::test]
async fn default_limits_sort_the_sandbox() {
    let stage = stage(0, 2_500).start().await;
    let page = stage.gateway.get("/customers?order=desc").await.ok();
    assert_eq!((ids(&page).len(), &page["page"]["total"], stage.total_calls()), (20, &2_500.into(), 26));
}

#[tokio::test]
async fn row_limit_is_inclusive() {
    let stage = stage(0, 301).configure(|config| config.paging.max_sorted_rows = 300).start().await;
    let refused = stage.gateway.get("/customers?connection=tax&order=desc&max_calls=20").await;
    assert_eq!(refused.code(422), "order_too_expensive");
    let id = stage.vendors.corporation().customers()[0].id.clone();
    assert!(stage.vendors.corporation().delete(&id));
    stage.gateway.clock.advance(Duration::from_hours(2));
    assert_eq!(stage.gateway.get("/customers?connection=tax&order=desc").await.ok()["page"]["total"], 300);
}

/// Vendors that do not report how many rows they have.
#[tokio::test]
async fn uncounted_rows_are_limited() {
    let vendor = |rows: usize| {
        ScriptedVendor::start(move |_, target| {
            let page = target.split_once("cursor=").map_or(0, |(_, rest)| rest.parse::<usize>().unwrap_or(0));
            let rows: Vec<_> = (0..rows).map(|number| corporation_row(&format!("cust_{page}_{number}"))).collect();
            let mut page = corporation_page(&rows, Some(&(page + 1).to_string()));
            page["data"].as_object_mut().unwrap().remove("total_customers");
            Reply::json(&page)
        })
    };
    let refuse = async |rows: usize| {
        let vendor = vendor(rows).await;
        let mut config = config(vec![vendor.connection("corporation")]);
        config.paging.max_sorted_rows = 250;
        let gateway = Gateway::start(config).await;
        let refused = gateway.get("/customers?order=desc").await;
        (refused.problem_line(), vendor.calls())
    };
    let (line, calls) = refuse(100).await;
    assert_snapshot!(line, @"422 order_too_expensive [order] the vendor cannot sort: it has more than 250 rows, the most that the gateway sorts (`paging.max_sorted_rows`); add a filter or remove `order`");
    assert_eq!(calls, 3);
    let (line, calls) = refuse(10).await;
    assert_snapshot!(line, @"422 order_too_expensive [order] the vendor cannot sort: its rows take more than 3 vendor calls, the most for sorting (`paging.max_sorted_rows`); add a filter or remove `order`");
    assert_eq!(calls, 3);
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
    stage.gateway.clock.advance(Duration::from_hours(2));
    let next = target(question, cursor(&first, "next_cursor").as_deref());
    assert_eq!(stage.gateway.get(&format!("{next}&max_calls=2")).await.code(422), "order_too_expensive");
    assert_eq!(ids(&stage.gateway.get(&next).await.ok()).len(), 60);
}

#[tokio::test]
async fn merge_needs_one_call_per_source() {
    let stage = stage(10, 10).start().await;
    let refused = stage.gateway.get("/customers?order=desc&max_calls=1").await;
    assert_snapshot!(refused.problem_line(), @"422 order_too_expensive [order] merging 2 lists takes at least 2 vendor calls, and this request may make 1; name fewer connections or values, or remove `order`");
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
