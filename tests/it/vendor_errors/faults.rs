//! Each failure of a vendor, as a list and a single customer tell of it.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use insta::assert_snapshot;

use super::told;
use crate::support::{Gateway, config, connections_to, sandbox};

/// What becomes of a fault that lasts, at both vendors.
async fn each(fault: Fault) -> String {
    let sandbox = sandbox(2, 0, 2).await;
    sandbox.tolt().fail_next(100, fault.clone());
    sandbox.corporation().fail_next(100, fault);
    let mut connections = connections_to(&sandbox);
    for connection in &mut connections {
        connection.timeout = Duration::from_millis(300);
    }
    let gateway = Gateway::start(config(connections)).await;
    let mut lines = Vec::new();
    for (what, target) in [
        ("affiliates, list", "/customers?connection=affiliates"),
        ("affiliates, one", "/customers/affiliates.cust_1"),
        ("tax, list", "/customers?connection=tax"),
        ("tax, one", "/customers/tax.cust_1"),
    ] {
        let answer = gateway.get(target).await;
        let connection = answer.problem()["connection"].as_str().unwrap_or("-").to_owned();
        assert!(connection == "-" || what.starts_with(&connection), "{connection} is blamed for {what}");
        lines.push(format!("{what}: {}", told(&answer)));
    }
    lines.join("\n")
}

#[tokio::test]
async fn status_400() {
    assert_snapshot!(each(Fault::Status(400)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor refused the request
        {"code":"bad_request","message":"Bad request","status":400}
    affiliates, one: 502 vendor_rejected the vendor refused the request
        {"code":"bad_request","message":"Bad request","status":400}
    tax, list: 502 vendor_rejected the vendor refused the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
    tax, one: 502 vendor_rejected the vendor refused the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
    "#);
}

#[tokio::test]
async fn status_401_is_never_the_callers_401() {
    assert_snapshot!(each(Fault::Status(401)).await, @r#"
    affiliates, list: 502 vendor_unauthorized the vendor refused the credential
        {"code":"authentication_error","message":"Invalid API key provided","status":401}
    affiliates, one: 502 vendor_unauthorized the vendor refused the credential
        {"code":"authentication_error","message":"Invalid API key provided","status":401}
    tax, list: 502 vendor_unauthorized the vendor refused the credential
        {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
    tax, one: 502 vendor_unauthorized the vendor refused the credential
        {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
    "#);
}

#[tokio::test]
async fn status_403_is_about_the_credential_too() {
    assert_snapshot!(each(Fault::Status(403)).await, @r#"
    affiliates, list: 502 vendor_unauthorized the vendor refused the credential
        {"code":"permission_error","message":"Not allowed","status":403}
    affiliates, one: 502 vendor_unauthorized the vendor refused the credential
        {"code":"permission_error","message":"Not allowed","status":403}
    tax, list: 502 vendor_unauthorized the vendor refused the credential
        {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
    tax, one: 502 vendor_unauthorized the vendor refused the credential
        {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
    "#);
}

#[tokio::test]
async fn status_404_of_a_list_is_no_customers_404() {
    assert_snapshot!(each(Fault::Status(404)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor refused the request
        {"code":"not_found","message":"Not found","status":404}
    affiliates, one: 404 customer_not_found there is no such customer
    tax, list: 502 vendor_rejected the vendor refused the request
        {"code":"CLIENT_NOT_FOUND","message":"Not Found","status":404}
    tax, one: 404 customer_not_found there is no such customer
    "#);
}

#[tokio::test]
async fn status_408() {
    assert_snapshot!(each(Fault::Status(408)).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":"bad_request","message":"Bad request","status":408}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":"bad_request","message":"Bad request","status":408}
    tax, list: 502 vendor_error the vendor failed
        {"code":"CLIENT_INVALID_REQUEST","message":"Request Timeout","status":408}
    tax, one: 502 vendor_error the vendor failed
        {"code":"CLIENT_INVALID_REQUEST","message":"Request Timeout","status":408}
    "#);
}

#[tokio::test]
async fn status_422() {
    assert_snapshot!(each(Fault::Status(422)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor refused the request
        {"code":"bad_request","message":"Bad request","status":422}
    affiliates, one: 502 vendor_rejected the vendor refused the request
        {"code":"bad_request","message":"Bad request","status":422}
    tax, list: 502 vendor_rejected the vendor refused the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
    tax, one: 502 vendor_rejected the vendor refused the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
    "#);
}

#[tokio::test]
async fn status_429() {
    assert_snapshot!(each(Fault::Status(429)).await, @r#"
    affiliates, list: 503 vendor_rate_limited the vendor is asked too often (retry after 2 s)
        {"code":"rate_limit_error","message":"Too many requests. Please try again.","status":429}
    affiliates, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
    tax, list: 503 vendor_rate_limited the vendor is asked too often (retry after 2 s)
        {"code":"CLIENT_TOO_MANY_REQUESTS","message":"Too Many Requests","status":429}
    tax, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
    "#);
}

#[tokio::test]
async fn status_500() {
    assert_snapshot!(each(Fault::Status(500)).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":500}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":500}
    tax, list: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Internal Server Error","status":500}
    tax, one: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Internal Server Error","status":500}
    "#);
}

#[tokio::test]
async fn status_503() {
    assert_snapshot!(each(Fault::Status(503)).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":503}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":503}
    tax, list: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Service Unavailable","status":503}
    tax, one: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Service Unavailable","status":503}
    "#);
}

#[tokio::test]
async fn a_page_of_html() {
    assert_snapshot!(each(Fault::Html).await, @r"
    affiliates, list: 502 vendor_unreadable the vendor's answer cannot be read: the body is not JSON (line 1, column 1)
    affiliates, one: 502 vendor_unreadable the vendor's answer cannot be read: the body is not JSON (line 1, column 1)
    tax, list: 502 vendor_unreadable the vendor's answer cannot be read: the body is not JSON (line 1, column 1)
    tax, one: 502 vendor_unreadable the vendor's answer cannot be read: the body is not JSON (line 1, column 1)
    ");
}

#[tokio::test]
async fn an_empty_body() {
    assert_snapshot!(each(Fault::Empty).await, @r"
    affiliates, list: 502 vendor_unreadable the vendor's answer cannot be read: the body is cut off (line 1, column 0)
    affiliates, one: 502 vendor_unreadable the vendor's answer cannot be read: the body is cut off (line 1, column 0)
    tax, list: 502 vendor_unreadable the vendor's answer cannot be read: the body is cut off (line 1, column 0)
    tax, one: 502 vendor_unreadable the vendor's answer cannot be read: the body is cut off (line 1, column 0)
    ");
}

#[tokio::test]
async fn success_false_with_200() {
    assert_snapshot!(each(Fault::SuccessFalse).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":200}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":200}
    tax, list: 502 vendor_unreadable the vendor's answer cannot be read: `customers` is missing
    tax, one: 502 vendor_unreadable the vendor's answer cannot be read: a row has no id
    "#);
}

#[tokio::test]
async fn an_answer_that_comes_too_late() {
    assert_snapshot!(each(Fault::Stall(Duration::from_mins(10))).await, @r"
    affiliates, list: 504 deadline_exceeded no response within 300ms
    affiliates, one: 504 deadline_exceeded no response within 300ms
    tax, list: 504 deadline_exceeded no response within 300ms
    tax, one: 504 deadline_exceeded no response within 300ms
    ");
}

/// Lists only: there is a whole answer to be cut in two.
#[tokio::test]
async fn a_body_that_ends_in_the_middle() {
    for fault in [Fault::Truncated, Fault::Reset] {
        let whole = matches!(fault, Fault::Truncated);
        let sandbox = sandbox(50, 0, 50).await;
        sandbox.tolt().fail_next(100, fault.clone());
        sandbox.corporation().fail_next(100, fault);
        let gateway = Gateway::start(config(connections_to(&sandbox))).await;
        for connection in ["affiliates", "tax"] {
            let answer = gateway.get(&format!("/customers?connection={connection}")).await;
            let (code, detail) = if whole {
                ("vendor_unreadable", "the vendor's answer cannot be read: the body is cut off")
            } else {
                ("vendor_error", "the response body was interrupted: ")
            };
            assert_eq!(answer.code(502), code);
            assert!(answer.problem()["detail"].as_str().unwrap().starts_with(detail), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let sandbox = sandbox(2, 0, 2).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    sandbox.tolt().fail_next(1, Fault::Status(401));
    sandbox.corporation().fail_next(1, Fault::Status(401));
    for connection in ["affiliates", "tax"] {
        let target = format!("/customers?connection={connection}");
        assert_eq!(gateway.get(&target).await.code(502), "vendor_unauthorized");
        assert_eq!(gateway.get(&target).await.ok()["data"].as_array().unwrap().len(), 2);
    }
}
