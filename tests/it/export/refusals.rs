//! Errors before the first row: a problem document, with its status.

use customer_gateway::sandbox::Fault;
use insta::assert_snapshot;

use super::{CSV, NDJSON, stage};
use crate::support::caller;

#[tokio::test]
async fn unsupported_export_parameters_are_rejected() {
    let stage = stage().start().await;
    let page = stage.gateway.get("/customers?limit=10").await.ok();
    let next = page["page"]["next_cursor"].as_str().unwrap().to_owned();
    let second = stage.gateway.get(&format!("/customers?limit=10&cursor={next}")).await.ok();
    let prev = second["page"]["prev_cursor"].as_str().unwrap();
    let asked = [
        (NDJSON, "/customers?limit=10".to_owned()),
        (CSV, "/transactions?limit=10".to_owned()),
        (NDJSON, "/customers?max_calls=3".to_owned()),
        (CSV, "/customers?include=raw".to_owned()),
        (CSV, "/customers?page=2".to_owned()),
        (NDJSON, "/customers?status=active".to_owned()),
        (NDJSON, "/customers?connection=nobody".to_owned()),
        (CSV, "/transactions?connection=tax".to_owned()),
        (NDJSON, "/customers?cursor=nonsense".to_owned()),
        (NDJSON, format!("/customers?order=asc&cursor={next}")),
        (NDJSON, format!("/customers?cursor={prev}")),
    ];
    let mut lines = Vec::new();
    for (accept, target) in asked {
        let target_shown = target.replace(&next, "[next]").replace(prev, "[prev]");
        let answer = stage.gateway.get_as_type(&target, accept).await;
        lines.push(format!("{accept} {target_shown}\n    {}", answer.problem_line()));
    }
    assert_snapshot!(lines.join("\n"), @r"
    application/x-ndjson /customers?limit=10
        400 invalid_parameter [limit] an export has no pages; remove `limit`
    text/csv /transactions?limit=10
        400 invalid_parameter [limit] an export has no pages; remove `limit`
    application/x-ndjson /customers?max_calls=3
        400 invalid_parameter [max_calls] an export has no pages; remove `max_calls`
    text/csv /customers?include=raw
        400 invalid_parameter [include] CSV cannot contain the vendor's own object; remove `include=raw`, or accept `application/x-ndjson`
    text/csv /customers?page=2
        400 unknown_parameter [page] this route has no parameter `page`
    application/x-ndjson /customers?status=active
        400 unsupported_filter [status] the connection `tax` does not support `status`; name only connections that support this (`affiliates`) in `connection`, or send `Prefer: handling=lenient` to skip the others
    application/x-ndjson /customers?connection=nobody
        404 connection_not_found [connection] there is no connection `nobody`
    text/csv /transactions?connection=tax
        501 unsupported_operation the vendor of the connection `tax` does not support this operation
    application/x-ndjson /customers?cursor=nonsense
        400 invalid_cursor [cursor] the cursor was not issued by this gateway
    application/x-ndjson /customers?order=asc&cursor=[next]
        400 cursor_mismatch [cursor] the cursor belongs to a query with other connections, filters, ids or order
    application/x-ndjson /customers?cursor=[prev]
        400 invalid_parameter [cursor] the cursor leads backward; an export takes a `next_cursor` or the cursor of an export
    ");
}

#[tokio::test]
async fn export_requires_a_key() {
    let stage =
        stage().configure(|config| config.callers = vec![caller("billing", "a key", &["affiliates"])]).start().await;
    let answer = stage.gateway.get_as_type("/customers", NDJSON).await;
    assert_eq!(answer.code(401), "unauthenticated");
    let answer = stage
        .gateway
        .request(|client, url| client.get(format!("{url}/customers")).bearer_auth("a key").header("accept", CSV))
        .await;
    assert_eq!(super::Table::read(&answer.text).list().len(), 250, "only the caller's connections");
    assert_eq!(stage.calls(), [3, 0]);
}

#[tokio::test]
async fn costly_order_fails_the_export_after_one_call() {
    let stage = stage().configure(|config| config.paging.max_export_sorted_rows = 200).start().await;
    let export = async |accept| stage.gateway.get_as_type("/customers?connection=tax&order=desc", accept).await;
    assert_eq!(export(CSV).await.code(422), "order_too_expensive");
    assert_snapshot!(export(NDJSON).await.problem_line(), @"422 order_too_expensive [order] the vendor cannot sort: it has 230 rows, and the gateway sorts at most 200 (`paging.max_export_sorted_rows`); add a filter or remove `order`");
    assert_eq!(stage.calls(), [0, 2]);
    assert_eq!(stage.get("/customers?connection=tax&order=desc").await.ok()["page"]["total"], 230);
    // Without an order, the number of rows is unlimited.
    assert_eq!(stage.gateway.export("/customers").await.complete().len(), 480);
}

#[tokio::test]
async fn failure_before_the_first_row_has_its_status() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    assert_eq!(stage.gateway.get_as_type("/customers", NDJSON).await.code(502), "vendor_unauthorized");
    stage.vendors.tolt().fail_next(1, Fault::Empty);
    assert_eq!(stage.gateway.get_as_type("/customers", CSV).await.code(502), "vendor_unreadable");
}

#[tokio::test]
async fn only_if_cached_exports_cached_pages_only() {
    let stage = stage().start().await;
    let only_kept = || {
        stage.gateway.request(|client, url| {
            let request = client.get(format!("{url}/customers?connection=affiliates"));
            request.header("accept", NDJSON).header("cache-control", "only-if-cached")
        })
    };
    assert_eq!(only_kept().await.status, 504);
    let rows = stage.gateway.paged_walk("/customers?connection=affiliates").await;
    assert_eq!(super::Export::read(&only_kept().await.text).complete(), rows);
    assert_eq!(stage.calls(), [3, 0]);
}
