//! Detection of contract violations.

use bytes::Bytes;
use customer_gateway::sandbox::Fault;
use http::{Request, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{contract::Contract, simulated::Simulated};
use crate::support::sandbox;

#[test]
fn request_violations_are_detected() {
    let cases = [
        ("tolt", "/v1/customers?program_id=p", ""),
        ("tolt", "/v1/customer?program_id=p", "no operation matches GET /v1/customer"),
        ("tolt", "/v1/customers", "`program_id` is missing"),
        ("tolt", "/v1/customers?program_id=p&program_id=p", "`program_id` is repeated"),
        ("tolt", "/v1/customers?program_id=p&name=Jim", "`name` is not a parameter"),
        ("tolt", "/v1/customers?program_id=p&status=suspended", "status : \"suspended\" is not one of"),
        ("tolt", "/v1/customers?program_id=p&expand=partner", "`expand` is not a parameter"),
        ("tolt", "/v1/customers?program_id=p&expand[]=stats", "expand[] /0: \"stats\" is not one of"),
        ("tolt", "/v1/customers?program_id=p&created_gte=2025-01-01", "created_gte : \"2025-01-01\" does not match"),
        ("tolt", "/v1/customers?program_id=p&created_gte=2025-13-01T00:00:00.000Z", "is not a \"date-time\""),
        ("tolt", "/v1/customers?program_id=p&limit=101", "limit : \"101\" does not match"),
        ("tolt", "/v1/customers/?expand[]=partner", "id : \"\" is shorter than 1"),
        ("corporation", "/customers?corporation_id=c&limit=101", "limit : 101 is greater than the maximum of 100"),
        ("corporation", "/customers?corporation_id=c&limit=ten", "limit : \"ten\" is not of type \"integer\""),
        ("corporation", "/customers?corporation_id=c&has_exemption=1", "has_exemption : 1 is not of type \"boolean\""),
        ("corporation", "/customers?corporation_id=c&extend=shipping_address,", "extend : \"shipping_address,\" does"),
        ("corporation", "/customers?corporation_id=c&name=", "name : \"\" is shorter than 1"),
    ];
    for (vendor, target, expected) in cases {
        let request = Request::get(target).header("authorization", "Bearer sk").body(()).unwrap();
        assert_violation(&Contract::load(vendor).request_violations(&request), expected, target);
    }
    for credential in ["Basic c2s6", "Bearer "] {
        let request = Request::get("/customers/a").header("authorization", credential).body(()).unwrap();
        let violations = Contract::load("corporation").request_violations(&request);
        assert_violation(&violations, "there is no bearer credential", credential);
    }
}

#[test]
fn response_violations_are_detected() {
    let page = json!({"customers": [{"id": "a", "corporation_id": "c"}], "total_customers": 1, "cursor": null});
    let changed = |pointer: &str, value: Value| {
        let mut page = page.clone();
        *page.pointer_mut(pointer).unwrap() = value;
        page
    };
    let cases = [
        (200, page.clone(), ""),
        (200, json!({"data": page, "message": "ok"}), ""),
        (200, json!({"data": page}), "body : "),
        (200, changed("/customers/0", json!({"id": "a"})), "body : "),
        (200, changed("/customers/0", json!({"id": "a", "corporation_id": "c", "surname": "b"})), "body : "),
        (200, changed("/total_customers", "1".into()), "body : "),
        (200, json!({"error": "no"}), "body : "),
        (400, json!({"error": "no"}), "body /error: \"no\" is not of type \"object\""),
        (418, page.clone(), "418 I'm a teapot is not declared"),
    ];
    let contract = Contract::load("corporation");
    let request = Request::get("/customers?corporation_id=c").body(()).unwrap();
    for (status, body, expected) in cases {
        let answer = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
        let answer = answer.body(Bytes::from(body.to_string())).unwrap();
        assert_violation(&contract.response_violations(&request, &answer), expected, &body.to_string());
    }
    let answer = Response::builder().status(429).header(CONTENT_TYPE, "application/json").header("retry-after", "soon");
    let violations = contract.response_violations(&request, &answer.body(Bytes::new()).unwrap());
    assert_violation(&violations[..1], "Retry-After : \"soon\" is not of type \"integer\"", "retry-after");
}

#[tokio::test]
async fn fault_responses_are_detected() {
    let sandbox = sandbox(1, 0, 1).await;
    let faults = [
        (Fault::Html, "`text/html` is not declared"),
        (Fault::Empty, "`` is not declared"),
        (Fault::Truncated, "the body is not JSON"),
        (Fault::SuccessFalse, "body : "),
        (Fault::Redirect("/elsewhere".to_owned()), "302 Found is not declared"),
    ];
    for (fault, expected) in faults {
        sandbox.tolt().fail_next(1, fault.clone());
        sandbox.corporation().fail_next(1, fault);
        let ask = [
            (Simulated::tolt(&sandbox), "/v1/customers/cust_shared_between_vendors"),
            (Simulated::corporation(&sandbox), "/customers/cust_shared_between_vendors"),
        ];
        for (simulated, target) in ask {
            let request = simulated.request(target);
            let answer = simulated.send(&request).await;
            assert_violation(&simulated.contract.response_violations(&request, &answer), expected, target);
        }
    }
}

/// Asserts that a violation contains `expected`. An empty `expected` means that
/// there is no violation.
#[track_caller]
fn assert_violation(violations: &[String], expected: &str, of: &str) {
    let found = violations.iter().any(|violation| violation.contains(expected));
    assert!(found || (violations.is_empty() && expected.is_empty()), "{of}: {expected}: {violations:#?}");
    assert!(violations.is_empty() == expected.is_empty(), "{of}: {violations:#?}");
}
