//! Failing connections in a batch, by default and with `partial=allow`.

use customer_gateway::sandbox::Fault;
use serde_json::Value;

use super::{affiliates, mixed, odd, page, sources, stage, target, tax, vendor_with};
use crate::support::{Reply, ids};

#[tokio::test]
async fn failed_connection_fails_the_batch() {
    let stage = stage().start().await;
    for partial in ["", "&partial=deny"] {
        stage.vendors.corporation().fail_next(1, Fault::Empty);
        let answer = stage.get(&format!("{}{partial}", target(&mixed(&stage, 2)))).await;
        assert_eq!(answer.code(502), "vendor_unreadable");
        assert_eq!(answer.problem()["connection"], "tax");
    }
    // The answered ids are cached.
    stage.get(&target(&affiliates(&stage, 2))).await.ok();
    assert_eq!(stage.calls()[0], 2);
}

#[tokio::test]
async fn failed_connection_stays_open_with_partial() {
    let stage = stage().start().await;
    let asked = mixed(&stage, 3);
    let question = format!("{}&partial=allow", target(&asked));
    stage.vendors.corporation().fail_next(3, Fault::Empty);
    let answer = page(&stage.gateway, &question, None).await;
    let first = answer.ok();
    assert_eq!((ids(&first), sources(&first)), (affiliates(&stage, 3), "affiliates ok 3, tax failed null".to_owned()));
    assert_eq!(first["sources"][1]["problem"]["code"], "vendor_unreadable");
    assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("1", "no-store"));

    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let second = page(&stage.gateway, &question, Some(cursor)).await.ok();
    assert_eq!((ids(&second), &second["page"]["next_cursor"]), (tax(&stage, 3), &Value::Null));
    assert_eq!(sources(&second), "affiliates not_asked null, tax ok 3");
}

#[tokio::test]
async fn batch_without_answers_is_a_problem() {
    let stage = stage().start().await;
    let question = format!("{}&partial=allow", target(&mixed(&stage, 2)));
    stage.vendors.tolt().fail_next(2, Fault::Empty);
    stage.vendors.corporation().fail_next(2, Fault::Empty);
    let answer = stage.get(&question).await;
    assert_eq!((answer.code(502).as_str(), answer.header("retry-after")), ("vendor_unreadable", "1"));
    assert_eq!(ids(&stage.get(&question).await.ok()), mixed(&stage, 2));
}

#[tokio::test]
async fn first_failure_ends_the_calls_to_a_source() {
    let vendor = vendor_with(|_, _| Reply::text(401, "{}")).await;
    let gateway = vendor.gateway("tolt").await;
    assert_eq!(gateway.get(&target(&odd(20))).await.code(502), "vendor_unauthorized");
    assert!(vendor.calls() <= 8, "{}", vendor.calls());
}

#[tokio::test]
async fn open_breaker_uses_no_call_budget() {
    let stage = stage().start().await;
    stage.vendors.tolt().fail_next(5, Fault::Status(520));
    for id in affiliates(&stage, 5) {
        stage.get(&format!("/customers/{id}")).await.code(502);
    }
    let asked = [affiliates(&stage, 3), tax(&stage, 2)].concat();
    let body = stage.get(&format!("{}&partial=allow&max_calls=2", target(&asked))).await.ok();
    assert_eq!((ids(&body), sources(&body)), (tax(&stage, 2), "affiliates failed null, tax ok 2".to_owned()));
    assert_eq!(body["sources"][0]["problem"]["code"], "vendor_unavailable");
    assert_eq!(stage.calls(), [5, 2]);
}

#[tokio::test]
async fn unreadable_customer_does_not_block_others() {
    let unreadable = |id: &str, reply| if id == "cust_0" { Reply::text(200, "[]") } else { reply };
    let vendor = vendor_with(unreadable).await;
    let gateway = vendor.gateway("tolt").await;
    let question = format!("{}&partial=allow", target(&odd(30)));
    let (mut found, mut cursor) = (Vec::new(), None);
    let refused = loop {
        let answer = page(&gateway, &question, cursor.as_deref()).await;
        if answer.status != 200 {
            break answer;
        }
        let body = answer.json();
        found.extend(ids(&body));
        cursor = body["page"]["next_cursor"].as_str().map(str::to_owned);
    };
    assert_eq!(refused.code(502), "vendor_unreadable");
    let problem = refused.problem();
    assert_eq!((&problem["parameter"], &problem["connection"]), (&"id".into(), &"odd".into()));
    assert!(problem["detail"].as_str().unwrap().starts_with("`odd.cust_0`: "), "{problem}");
    found.sort();
    let mut others = odd(30).split_off(1);
    others.sort();
    assert_eq!(found, others);
}

#[tokio::test]
async fn unsupported_expansion_is_rejected_or_skipped() {
    let stage = stage().start().await;
    let question = format!("{}&expand=partner", target(&mixed(&stage, 2)));
    let refused = stage.get(&question).await;
    assert_eq!(refused.code(400), "unsupported_filter");
    assert_eq!(refused.problem()["connection"], "tax");
    let request = |client: &reqwest::Client, url: &str| {
        client.get(format!("{url}{question}")).header("prefer", "handling=lenient")
    };
    let lenient = stage.gateway.request(request).await;
    assert_eq!(lenient.header("preference-applied"), "handling=lenient");
    let body = lenient.ok();
    assert_eq!((ids(&body), &body["page"]["next_cursor"]), (affiliates(&stage, 2), &Value::Null));
    assert_eq!(sources(&body), "affiliates ok 2, tax skipped null");
}
