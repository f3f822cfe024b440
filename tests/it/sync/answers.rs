//! Answers from complete lists.

use super::*;
use crate::support::ids;

#[tokio::test]
async fn email_is_found_in_both_lists_without_calls() {
    let stage = synchronized(1_000, 400).await;
    let row = stage.vendors.tolt().customers()[500].clone();
    let email = row.email.as_str().unwrap().to_owned();
    let answer = stage.get(&format!("/customers?email={}", email.replace('@', "%40").replace('+', "%2B"))).await;
    let page = answer.ok();
    assert!(ids(&page).contains(&format!("affiliates.{}", row.id)), "{page}");
    assert_eq!(page["page"]["next_cursor"], Value::Null, "one request answers completely");
    assert_eq!(page["page"]["total"], ids(&page).len());
    assert_eq!(origins(&page), ["affiliates: sync", "tax: sync"]);
    assert_eq!(stage.total_calls(), 0);
    assert_eq!(answer.header("age"), "0");
    assert!(
        answer.header("cache-status").starts_with("customer-gateway; hit; ttl=7200"),
        "{}",
        answer.header("cache-status")
    );
}

#[tokio::test]
async fn merged_orders_are_those_of_the_vendors() {
    let stage = synchronized(730, 410).await;
    let plain = StageBuilder::new(sandbox(730, 0, 410)).start().await;
    for question in [
        "/customers?order=desc&limit=37",
        "/customers?order=asc&limit=100",
        "/customers?limit=90",
        "/customers?connection=affiliates&status=active&limit=50",
        "/customers?connection=affiliates&status=active&status=lead&limit=50&order=asc",
        "/customers?connection=affiliates&created_gte=2025-03-01T00:00:00Z&limit=60",
        "/customers?connection=tax&source_platform=stripe&limit=60",
    ] {
        let (synced, expected) = (stage.gateway.walk(question).await, plain.gateway.walk(question).await);
        assert_eq!(synced.unwrap(), expected.unwrap(), "{question}");
    }
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn rows_are_those_of_the_vendor() {
    let stage = synchronized(120, 110).await;
    let plain = StageBuilder::new(sandbox(120, 0, 110)).start().await;
    for question in ["/customers?limit=100", "/customers?order=desc&limit=100&fields=id,email"] {
        assert_eq!(stage.get(question).await.ok()["data"], plain.get(question).await.ok()["data"], "{question}");
    }
}

#[tokio::test]
async fn count_of_any_filter_is_exact() {
    let stage = synchronized(500, 300).await;
    let page = stage.get("/customers?limit=0&search=a").await.ok();
    let walked = stage.gateway.walk("/customers?search=a&limit=100").await.unwrap();
    assert_eq!(page["page"]["total"], walked.len());
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn customers_by_id_come_from_the_list() {
    let stage = synchronized(200, 200).await;
    let (affiliate, taxed) = (&stage.vendors.tolt().customers()[7].id, &stage.vendors.corporation().customers()[9].id);
    let batch = stage.get(&format!("/customers?id=tax.{taxed}&id=affiliates.{affiliate}")).await.ok();
    assert_eq!(ids(&batch), [format!("tax.{taxed}"), format!("affiliates.{affiliate}")]);
    let one = stage.get(&format!("/customers/tax.{taxed}")).await.ok();
    assert_eq!(one["source"]["id"], **taxed);
    assert_eq!(stage.total_calls(), 0);
    // The customer may be newer than the list.
    assert_eq!(stage.get("/customers/tax.cust_unknown").await.status, 404);
    assert_eq!(stage.calls(), [0, 1]);
}

#[tokio::test]
async fn questions_beyond_the_rows_go_to_the_vendor() {
    let stage = synchronized(50, 50).await;
    for question in
        ["connection=tax&has_exemption=true", "connection=affiliates&expand=partner", "connection=tax&include=raw"]
    {
        stage.reset_calls();
        let page = stage.get(&format!("/customers?{question}")).await.ok();
        assert!(stage.total_calls() > 0, "{question}");
        assert!(origins(&page)[0].ends_with(": vendor"), "{question}");
    }
}

#[tokio::test]
async fn export_of_a_list_makes_no_call() {
    let stage = synchronized(300, 250).await;
    let export = stage
        .gateway
        .request(|client, url| client.get(format!("{url}/customers")).header("accept", "application/x-ndjson"));
    let export = export.await;
    let rows = export.text.lines().filter(|line| line.contains("\"email\"")).count();
    assert_eq!((export.status, rows), (200, 550));
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn explanation_names_the_list_and_no_calls() {
    let stage = synchronized(300, 250).await;
    let explained = stage.get("/explain/customers?order=desc").await.ok();
    assert_eq!(origins(&explained), ["affiliates: sync", "tax: sync"]);
    assert_eq!((&explained["calls"]["min"], &explained["calls"]["max"]), (&0.into(), &0.into()), "{explained}");
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn page_is_repeated_until_the_list_changes() {
    let stage = synchronized(50, 0).await;
    let first = stage.get("/customers?limit=5").await;
    assert_eq!(stage.get("/customers?limit=5").await.header("etag"), first.header("etag"));
    let newest = stage.vendors.tolt().customers().last().unwrap().clone();
    stage.vendors.tolt().update(&newest.id, |row| row.name = "Renamed".into());
    stage.walk_again().await;
    let second = stage.get("/customers?limit=5").await;
    assert_ne!(second.header("etag"), first.header("etag"));
    assert_eq!(second.ok()["data"][0]["name"], "Renamed");
}
