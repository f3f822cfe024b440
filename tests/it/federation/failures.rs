//! Failing sources: the whole request fails. With `partial=allow`, only the
//! source fails, and its rows follow after recovery.

use std::{sync::Arc, time::Duration};

use customer_gateway::sandbox::Fault;
use insta::assert_json_snapshot;
use tokio::sync::Semaphore;

use super::{all_ids, cursor, page, sources, stage, target, walk_back};
use crate::support::{
    Gateway, Reply, ScriptedVendor, config, connections_to, corporation_page, corporation_row, ids, sandbox,
};

const PARTIAL: &str = "/customers?limit=5&partial=allow";

#[tokio::test]
async fn source_failure_fails_the_request_by_default() {
    let stage = stage(4, 4).start().await;
    for target in ["/customers", "/customers?partial=deny", "/customers?order=asc"] {
        stage.vendors.corporation().fail_next(1, Fault::Empty);
        let refused = stage.gateway.get(target).await;
        assert_eq!(refused.code(502), "vendor_unreadable", "{target}");
        assert_eq!(refused.problem()["connection"], "tax", "{target}");
    }
    for other in ["yes", "ALLOW", "allow,deny"] {
        let refused = stage.gateway.get(&format!("/customers?partial={other}")).await;
        assert_eq!(
            refused.problem_line(),
            format!("400 invalid_parameter [partial] `partial` takes `allow` or `deny`, not `{other}`")
        );
    }
}

#[tokio::test]
async fn source_failing_at_first_page_is_listed_later() {
    let stage = stage(12, 12).start().await;
    stage.vendors.tolt().fail_next(1, Fault::Empty);
    let first = page(&stage.gateway, PARTIAL, None).await;
    assert_eq!(sources(&first), "affiliates failed null (vendor_unreadable), tax ok 12");
    assert_eq!(ids(&first), stage.tax()[..5]);

    let mut pages = vec![first];
    while let Some(next) = cursor(pages.last().unwrap(), "next_cursor") {
        pages.push(page(&stage.gateway, PARTIAL, Some(&next)).await);
    }
    assert_eq!(all_ids(&pages), [&stage.tax()[..5], &stage.affiliates()[..], &stage.tax()[5..]].concat());

    // The backward walk covers all rows, too.
    let back = walk_back(&stage.gateway, PARTIAL, pages.last().unwrap()).await;
    let mut all = [all_ids(&back), ids(pages.last().unwrap())].concat();
    all.sort();
    let mut rows = [stage.affiliates(), stage.tax()].concat();
    rows.sort();
    assert_eq!(all, rows);
}

#[tokio::test]
async fn source_failing_mid_walk_continues_in_place() {
    for order in ["", "&order=desc"] {
        let stage = stage(250, 30).start().await;
        let question = format!("/customers?limit=90&partial=allow{order}");
        let mut pages = vec![page(&stage.gateway, &question, None).await];
        stage.vendors.tolt().fail_next(2, Fault::Empty);
        let mut problems = 0;
        while let Some(next) = cursor(pages.last().unwrap(), "next_cursor") {
            let answer = stage.gateway.get(&target(&question, Some(&next))).await;
            if answer.status == 200 {
                pages.push(answer.json());
            } else {
                // No other source has rows for the page.
                assert_eq!((answer.code(502).as_str(), answer.header("retry-after")), ("vendor_unreadable", "1"));
                problems += 1;
            }
        }
        let failed = pages.iter().filter(|page| sources(page).contains("affiliates failed null")).count();
        assert_eq!(failed + problems, 2, "one response for each fault");
        for (connection, rows) in [("affiliates.", stage.affiliates()), ("tax.", stage.tax())] {
            let mut shown: Vec<_> = all_ids(&pages).into_iter().filter(|id| id.starts_with(connection)).collect();
            if order.is_empty() || connection == "affiliates." {
                assert_eq!(shown, rows, "{order}");
            } else {
                let mut rows = rows;
                shown.sort();
                rows.sort();
                assert_eq!(shown, rows, "{order}");
            }
        }
    }
}

#[tokio::test]
async fn failure_of_all_sources_is_a_problem() {
    let stage = stage(4, 4).start().await;
    for order in ["", "&order=asc"] {
        let question = format!("{PARTIAL}{order}");
        stage.gateway.clock.advance(Duration::from_hours(2));
        stage.vendors.tolt().fail_next(1, Fault::Empty);
        stage.vendors.corporation().fail_next(1, Fault::Status(403));
        let answer = stage.gateway.get(&question).await;
        assert_eq!((answer.code(502).as_str(), answer.header("retry-after")), ("vendor_unreadable", "1"));
        assert_eq!(ids(&page(&stage.gateway, &question, None).await).len(), 5);
    }
}

#[tokio::test]
async fn caller_errors_ignore_partial_allow() {
    let stage = stage(4, 4).start().await;
    for (target, code) in [
        ("/customers?partial=allow&status=active", "unsupported_filter"),
        ("/customers?partial=allow&cursor=x", "invalid_cursor"),
        ("/customers?partial=allow&limit=101", "invalid_parameter"),
    ] {
        assert_eq!(stage.gateway.get(target).await.code(400), code, "{target}");
    }
}

#[tokio::test]
async fn rate_limited_source_reports_retry_after() {
    let stage = stage(4, 4).start().await;
    let refusal = Fault::StatusWithHeaders(429, vec![("retry-after".to_owned(), "120".to_owned())]);
    stage.vendors.corporation().fail_next(1, refusal);
    let page = stage.gateway.get(PARTIAL).await;
    assert_eq!(page.header("retry-after"), "120");
    let page = page.ok();
    assert_json_snapshot!(page["sources"][1]["problem"], @r#"
    {
      "code": "vendor_rate_limited",
      "detail": "the vendor's rate limit is exceeded",
      "parameter": null,
      "retry_after": 120,
      "retryable": true,
      "status": 503,
      "title": "The vendor's rate limit is exhausted",
      "type": "/problems/vendor_rate_limited"
    }
    "#);
    // The credential is blocked, and the vendor is not called.
    let calls = stage.vendors.corporation().calls();
    let next = cursor(&page, "next_cursor");
    let again = stage.gateway.get(&target(PARTIAL, next.as_deref())).await;
    assert_eq!((again.code(503).as_str(), again.header("retry-after")), ("vendor_rate_limited", "120"));
    assert_eq!(stage.vendors.corporation().calls(), calls);

    stage.gateway.clock.advance(Duration::from_mins(2));
    let back = stage.gateway.get(&target(PARTIAL, next.as_deref())).await.ok();
    assert_eq!(ids(&back), stage.tax());
}

#[tokio::test]
async fn source_beyond_the_deadline_is_skipped() {
    let never = Arc::new(Semaphore::new(0));
    let silent = ScriptedVendor::start(move |_, _| Reply::text(200, "").gated_by(&never)).await;
    let sandbox = sandbox(4, 0, 0).await;
    let mut connections = connections_to(&sandbox);
    connections[1] = silent.connection("corporation");
    connections[1].timeout = Duration::from_millis(20);
    let gateway = Gateway::start(config(connections)).await;
    for order in ["", "&order=desc"] {
        let page = page(&gateway, &format!("{PARTIAL}{order}"), None).await;
        assert_eq!(sources(&page), "affiliates ok 4, odd failed null (deadline_exceeded)");
        assert_eq!(ids(&page).len(), 4);
        assert_eq!(gateway.get(&format!("/customers?limit=5{order}")).await.code(504), "deadline_exceeded");
    }
}

#[tokio::test]
async fn cached_rows_are_served_when_sources_fail() {
    let stage = stage(4, 4).start().await;
    let whole = page(&stage.gateway, PARTIAL, None).await;
    stage.gateway.clock.advance(Duration::from_mins(10));
    stage.vendors.tolt().fail_next(1, Fault::Empty);
    stage.vendors.corporation().fail_next(1, Fault::Empty);
    let kept = page(&stage.gateway, PARTIAL, None).await;
    assert_eq!((ids(&kept), sources(&kept)), (ids(&whole), sources(&whole)));
}

/// Each page leads to the next of three pages, and the last page to the first.
#[tokio::test]
async fn source_with_a_paging_cycle_fails_for_good() {
    let circling = ScriptedVendor::start(|_, target| {
        let at: usize = target.split_once("cursor=").map_or(0, |(_, token)| token.parse().unwrap());
        let row = corporation_row(&format!("cust_{at}"));
        Reply::json(&corporation_page(&[row], Some(&(at % 3 + 1).to_string())))
    })
    .await;
    let sandbox = sandbox(4, 0, 0).await;
    let mut connections = vec![circling.connection("corporation")];
    connections.extend(connections_to(&sandbox).into_iter().take(1));
    let gateway = Gateway::start(config(connections)).await;
    for limit in [1, 3, 7] {
        let question = format!("/customers?limit={limit}&partial=allow");
        let (mut seen, mut at) = (Vec::new(), None);
        let end = loop {
            let answer = gateway.get(&target(&question, at.as_deref())).await;
            if answer.status != 200 {
                break answer;
            }
            let page = answer.json();
            seen.extend(ids(&page));
            assert!(seen.len() < 20, "the cycle is followed forever: {seen:?}");
            at = cursor(&page, "next_cursor");
        };
        assert_eq!(end.code(502), "vendor_unreadable", "limit {limit}");
        let affiliates = seen.iter().filter(|id| id.starts_with("affiliates.")).count();
        assert_eq!(affiliates, 4, "the other source is walked to its end: {seen:?}");
    }
}

#[tokio::test]
async fn uncached_source_is_omitted_if_only_if_cached() {
    let stage = stage(4, 4).start().await;
    stage.gateway.get("/customers?connection=affiliates&order=desc").await.ok();
    let kept = async |target: &str| {
        let target = target.to_owned();
        let ask = |client: &reqwest::Client, url: &str| {
            client.get(format!("{url}{target}")).header("cache-control", "only-if-cached")
        };
        stage.gateway.request(ask).await
    };
    assert_eq!(kept("/customers?order=desc").await.code(504), "not_cached");
    let page = kept("/customers?order=desc&partial=allow").await.ok();
    assert_eq!(sources(&page), "affiliates ok 4, tax failed null (not_cached)");
    assert_eq!(stage.vendors.corporation().calls(), 0);
}
