//! Rejected batches: ids, other parameters, cursors, access and quotas.

use std::{num::NonZeroU32, time::Duration};

use customer_gateway::callers::Quota;

use super::{affiliates, mixed, odd, page, stage, target, tax, vendor_with};
use crate::support::{caller, ids};

const KEY: &str = "key-of-billing";

#[tokio::test]
async fn batch_takes_at_most_100_ids() {
    let vendor = vendor_with(|_, reply| reply).await;
    let gateway = vendor.gateway("tolt").await;
    let hundred = odd(100);
    // Repeated ids do not count.
    for asked in [hundred.clone(), [&hundred[..], &hundred[..10]].concat()] {
        assert_eq!(gateway.get(&target(&asked)).await.ok()["page"]["limit"], 100);
    }
    let calls = vendor.calls();
    assert_eq!(
        gateway.get(&target(&odd(101))).await.problem_line(),
        "400 invalid_parameter [id] `id` takes at most 100 different ids; split the request"
    );
    assert_eq!(vendor.calls(), calls);
}

#[tokio::test]
async fn other_parameters_are_rejected_by_name() {
    let stage = stage().start().await;
    let question = target(&mixed(&stage, 1));
    let supported = stage.get("/customers?nope=1").await.problem()["supported"].take();
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    for name in supported.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        let refused = stage.get(&format!("{question}&{name}=x")).await.problem();
        if refused["detail"] == format!("`{name}` cannot be combined with `id`; remove one of the parameters") {
            assert_eq!((&refused["code"], &refused["parameter"]), (&"invalid_parameter".into(), &name.into()));
            rejected.push(name);
        } else {
            accepted.push(name);
        }
    }
    accepted.sort_unstable();
    assert_eq!(accepted, ["cursor", "expand", "fields", "id", "include", "limit", "max_calls", "partial"]);
    assert!(["connection", "order", "marks", "email"].iter().all(|name| rejected.contains(name)));
    assert_eq!(stage.get("/customers?id=").await.code(400), "invalid_parameter");
    assert_eq!(stage.get("/transactions?id=tax.a").await.code(400), "unknown_parameter");
    assert_eq!(stage.get(&format!("/explain{question}")).await.code(400), "unknown_parameter");
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn export_of_a_batch_is_rejected() {
    let stage = stage().start().await;
    for accept in ["text/csv", "application/x-ndjson"] {
        let question = target(&tax(&stage, 1));
        let request =
            |client: &reqwest::Client, url: &str| client.get(format!("{url}{question}")).header("accept", accept);
        assert_eq!(
            stage.gateway.request(request).await.problem_line(),
            "400 invalid_parameter [id] an export cannot select customers by `id`; remove `id`, or accept `application/json`"
        );
    }
}

#[tokio::test]
async fn malformed_id_is_named() {
    let stage = stage().start().await;
    let known = tax(&stage, 1).remove(0);
    for id in ["cust_1", "tax.", ".cust_1", "tax.a/b", "tax...%2Fb", "tax.%2e%2e", "Tax.cust_1"] {
        let refused = stage.get(&target(&[&known, id])).await;
        let code = stage.get(&format!("/customers/{}", id.replace('%', "%25").replace('/', "%2F"))).await.code(404);
        if code == "customer_not_found" {
            assert_eq!(
                refused.problem_line(),
                format!(
                    "404 customer_not_found [id] there is no customer `{id}`; an id has the form `<connection>.<vendor's id>`, as returned in lists"
                )
            );
        }
    }
    let refused = stage.get(&target(&[&known, "crm.cust_1"])).await;
    assert_eq!(
        refused.problem_line(),
        "404 connection_not_found [id] there is no connection `crm`, which the id `crm.cust_1` names"
    );
    assert_eq!(stage.total_calls(), 0);
}

#[tokio::test]
async fn forbidden_connection_is_unknown() {
    let callers = vec![caller("billing", KEY, &["tax"])];
    let stage = stage().configure(|config| config.callers = callers).start().await;
    let allowed = tax(&stage, 2);
    assert_eq!(ids(&stage.gateway.get_as(KEY, &target(&allowed)).await.ok()), allowed);
    let forbidden = affiliates(&stage, 1).remove(0);
    for id in [forbidden.as_str(), "crm.cust_1"] {
        let refused = stage.gateway.get_as(KEY, &target(&[&allowed[0], id])).await;
        assert_eq!(refused.code(404), "customer_not_found");
        assert!(refused.text.contains(id), "{}", refused.text);
    }
    assert_eq!(stage.get(&target(&allowed)).await.code(401), "unauthenticated");
    assert_eq!(stage.calls(), [0, 2]);
}

#[tokio::test]
async fn batch_counts_as_one_request() {
    let mut billing = caller("billing", KEY, &["affiliates", "tax"]);
    billing.quota = Some(Quota { requests: NonZeroU32::new(2).unwrap(), per: Duration::from_mins(1) });
    let stage = stage().configure(|config| config.callers = vec![billing]).start().await;
    for _ in 0..2 {
        stage.gateway.get_as(KEY, &target(&mixed(&stage, 5))).await.ok();
    }
    assert_eq!(stage.gateway.get_as(KEY, &target(&mixed(&stage, 5))).await.code(429), "quota_exceeded");
}

#[tokio::test]
async fn cursor_belongs_to_its_ids() {
    let stage = stage().start().await;
    let asked = mixed(&stage, 3);
    let question = target(&asked);
    let first = page(&stage.gateway, &format!("{question}&max_calls=1"), None).await.ok();
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let list = stage.get("/customers?limit=1").await.ok();
    let cursor_of_list = list["page"]["next_cursor"].as_str().unwrap();

    let reversed: Vec<_> = asked.iter().rev().cloned().collect();
    for (other, cursor) in
        [(target(&reversed), cursor), (target(&asked[1..]), cursor), (question.clone(), cursor_of_list)]
    {
        assert_eq!(page(&stage.gateway, &other, Some(cursor)).await.code(400), "cursor_mismatch", "{other}");
    }
    assert_eq!(stage.get(&format!("/customers?cursor={cursor}")).await.code(400), "cursor_mismatch");
    assert_eq!(page(&stage.gateway, &question, Some("2")).await.code(400), "invalid_cursor");
    // The shape and the call budget may change, and ids may be repeated.
    let question = format!("{question}&include=raw&id={}", asked[0]);
    let rest = page(&stage.gateway, &question, Some(cursor)).await.ok();
    assert_eq!([ids(&first), ids(&rest)].concat().len(), 6);
}
