//! Several values of `status` and `partner_id`, each with a vendor request of its own.

use std::collections::BTreeSet;

use customer_gateway::sandbox::{Fault, tolt};

use crate::support::{Stage, StageBuilder, sandbox};

async fn stage() -> Stage {
    StageBuilder::new(sandbox(400, 150, 30)).start().await
}

/// Returns the ids of the customers that match, newest first.
fn expected(stage: &Stage, matches: impl Fn(&tolt::Customer) -> bool) -> Vec<String> {
    let customers = stage.vendors.tolt().customers();
    let found = customers.iter().rev().filter(|customer| matches(customer));
    found.map(|customer| format!("affiliates.{}", customer.id)).collect()
}

fn is_one_of(customer: &tolt::Customer, statuses: &[&str]) -> bool {
    statuses.iter().any(|status| customer.status.as_str() == Some(*status))
}

#[tokio::test]
async fn values_are_merged_newest_first() {
    let stage = stage().await;
    let two = expected(&stage, |customer| is_one_of(customer, &["active", "canceled"]));
    assert!(two.len() > 50, "{}", two.len());
    let target = "/customers?connection=affiliates&status=active&status=canceled&status=active&limit=30";
    assert_eq!(stage.gateway.walk(target).await.unwrap(), two);
    let ascending = stage.gateway.walk(&format!("{target}&order=asc")).await.unwrap();
    assert_eq!(ascending, two.iter().rev().cloned().collect::<Vec<_>>());
    let page = stage.get(target).await.ok();
    assert_eq!((&page["page"]["total"], page["sources"].as_array().unwrap().len()), (&two.len().into(), 1));
    assert_eq!(page["sources"][0]["total"], two.len());
}

#[tokio::test]
async fn values_of_two_parameters_are_combined() {
    let stage = stage().await;
    let customers = stage.vendors.tolt().customers();
    let partners: BTreeSet<_> =
        customers.iter().filter_map(|customer| customer.partner_id.value()).filter(|id| !id.is_empty()).collect();
    let partners: Vec<_> = partners.into_iter().take(2).collect();
    let [first, second] = &partners[..] else { panic!("the sandbox has two partners") };
    let is_partner = |customer: &tolt::Customer| customer.partner_id.value().is_some_and(|id| partners.contains(&id));
    let found = expected(&stage, |customer| is_one_of(customer, &["active", "lead"]) && is_partner(customer));
    let target =
        format!("/customers?connection=affiliates&status=active&status=lead&partner_id={first}&partner_id={second}");
    assert_eq!(stage.gateway.walk(&target).await.unwrap(), found);
    let explained = stage.get(&format!("/explain{target}")).await.ok();
    assert_eq!(explained["sources"].as_array().unwrap().len(), 4, "{explained}");
    let transactions = stage.gateway.walk(&format!("/transactions?partner_id={first}&partner_id={second}")).await;
    assert!(!transactions.unwrap().is_empty());
}

#[tokio::test]
async fn unsupported_parameter_is_rejected_once() {
    let stage = stage().await;
    let query = "connection=affiliates&connection=tax&status=active&status=lead";
    assert_eq!(stage.get(&format!("/customers?{query}")).await.code(400), "unsupported_filter");
    let lenient = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}/customers?{query}")).header("prefer", "handling=lenient")
    };
    let page = stage.gateway.request(lenient).await.ok();
    let status = |index: usize| page["sources"][index]["status"].as_str().unwrap().to_owned();
    assert_eq!([status(0), status(1)], ["ok", "skipped"]);
    assert_eq!(page["sources"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn failure_of_one_value_fails_the_connection() {
    let stage = stage().await;
    let target = "/customers?connection=affiliates&connection=tax&status=active&status=lead&partial=allow";
    stage.vendors.tolt().fail_next(1, Fault::Status(400));
    let lenient =
        |client: &reqwest::Client, url: &str| client.get(format!("{url}{target}")).header("prefer", "handling=lenient");
    let page = stage.gateway.request(lenient).await;
    assert!(page.status == 200 && page.ok()["sources"][0]["status"] == "failed" || page.status >= 400, "{}", page.text);
}

#[tokio::test]
async fn too_many_values_are_rejected() {
    let stage = stage().await;
    let values = |name: &str, count: usize| (0..count).map(|n| format!("&{name}=v{n}")).collect::<Vec<_>>().concat();
    let many = format!("/customers?connection=affiliates{}{}", values("status", 8), values("partner_id", 7));
    assert_eq!(
        stage.get(&many).await.problem_line(),
        "400 invalid_parameter [partner_id] the values of `status` and `partner_id` have 56 combinations, and a list takes at most 50; name fewer values"
    );
    let expensive = format!("/customers?connection=affiliates{}", values("status", 21));
    assert_eq!(stage.get(&expensive).await.code(422), "order_too_expensive");
    assert_eq!(stage.total_calls(), 0);
}
