//! Problems for each vendor failure, for lists and single customers.

use std::time::Duration;

use customer_gateway::sandbox::Fault;
use insta::assert_snapshot;

use super::summarize;
use crate::support::{Gateway, config, connections_to, sandbox};

/// Summarizes the problems for a persistent fault at both vendors.
async fn errors_after(fault: Fault) -> String {
    let sandbox = sandbox(2, 0, 2).await;
    sandbox.tolt().fail_next(100, fault.clone());
    sandbox.corporation().fail_next(100, fault);
    let mut connections = connections_to(&sandbox);
    for connection in &mut connections {
        connection.timeout = Duration::from_secs(1);
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
        assert!(connection == "-" || what.starts_with(&connection), "{connection} is named for {what}");
        lines.push(format!("{what}: {}", summarize(&answer)));
    }
    lines.join("\n")
}

#[tokio::test]
async fn status_400_is_vendor_rejected() {
    assert_snapshot!(errors_after(Fault::Status(400)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor rejected the request
        {"code":"bad_request","message":"Bad request","status":400}
    affiliates, one: 502 vendor_rejected the vendor rejected the request
        {"code":"bad_request","message":"Bad request","status":400}
    tax, list: 502 vendor_rejected the vendor rejected the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
    tax, one: 502 vendor_rejected the vendor rejected the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
    "#);
}

/// A 401 would mean that the caller's own credential is refused.
#[tokio::test]
async fn status_401_is_vendor_unauthorized() {
    assert_snapshot!(errors_after(Fault::Status(401)).await, @r#"
    affiliates, list: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"authentication_error","message":"Invalid API key provided","status":401}
    affiliates, one: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"authentication_error","message":"Invalid API key provided","status":401}
    tax, list: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
    tax, one: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
    "#);
}

#[tokio::test]
async fn status_403_is_vendor_unauthorized() {
    assert_snapshot!(errors_after(Fault::Status(403)).await, @r#"
    affiliates, list: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"permission_error","message":"Not allowed","status":403}
    affiliates, one: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"permission_error","message":"Not allowed","status":403}
    tax, list: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
    tax, one: 502 vendor_unauthorized the vendor rejected the credential
        {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
    "#);
}

/// A 404 is `customer_not_found` only for a single customer.
#[tokio::test]
async fn status_404_of_list_is_vendor_rejected() {
    assert_snapshot!(errors_after(Fault::Status(404)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor rejected the request
        {"code":"not_found","message":"Not found","status":404}
    affiliates, one: 404 customer_not_found there is no such customer
    tax, list: 502 vendor_rejected the vendor rejected the request
        {"code":"CLIENT_NOT_FOUND","message":"Not Found","status":404}
    tax, one: 404 customer_not_found there is no such customer
    "#);
}

#[tokio::test]
async fn status_408_is_vendor_error() {
    assert_snapshot!(errors_after(Fault::Status(408)).await, @r#"
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
async fn status_422_is_vendor_rejected() {
    assert_snapshot!(errors_after(Fault::Status(422)).await, @r#"
    affiliates, list: 502 vendor_rejected the vendor rejected the request
        {"code":"bad_request","message":"Bad request","status":422}
    affiliates, one: 502 vendor_rejected the vendor rejected the request
        {"code":"bad_request","message":"Bad request","status":422}
    tax, list: 502 vendor_rejected the vendor rejected the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
    tax, one: 502 vendor_rejected the vendor rejected the request
        {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
    "#);
}

#[tokio::test]
async fn status_429_is_vendor_rate_limited() {
    assert_snapshot!(errors_after(Fault::Status(429)).await, @r#"
    affiliates, list: 503 vendor_rate_limited the vendor's rate limit is exceeded (retry after 2 s)
        {"code":"rate_limit_error","message":"Too many requests. Please try again.","status":429}
    affiliates, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
    tax, list: 503 vendor_rate_limited the vendor's rate limit is exceeded (retry after 2 s)
        {"code":"CLIENT_TOO_MANY_REQUESTS","message":"Too Many Requests","status":429}
    tax, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
    "#);
}

#[tokio::test]
async fn status_500_is_vendor_error() {
    assert_snapshot!(errors_after(Fault::Status(500)).await, @r#"
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
async fn status_503_is_vendor_error() {
    assert_snapshot!(errors_after(Fault::Status(503)).await, @r#"
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
async fn html_body_is_vendor_error() {
    assert_snapshot!(errors_after(Fault::Html).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":null,"message":null,"status":200}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":null,"message":null,"status":200}
    tax, list: 502 vendor_error the vendor failed
        {"code":null,"message":null,"status":200}
    tax, one: 502 vendor_error the vendor failed
        {"code":null,"message":null,"status":200}
    "#);
}

#[tokio::test]
async fn empty_body_is_unreadable() {
    assert_snapshot!(errors_after(Fault::Empty).await, @r"
    affiliates, list: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
    affiliates, one: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
    tax, list: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
    tax, one: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
    ");
}

#[tokio::test]
async fn success_false_with_status_200_is_an_error() {
    assert_snapshot!(errors_after(Fault::SuccessFalse).await, @r#"
    affiliates, list: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":200}
    affiliates, one: 502 vendor_error the vendor failed
        {"code":"api_error","message":"Something went wrong","status":200}
    tax, list: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Internal Server Error","status":200}
    tax, one: 502 vendor_error the vendor failed
        {"code":"SERVER_ERROR","message":"Internal Server Error","status":200}
    "#);
}

#[tokio::test]
async fn late_response_is_deadline_exceeded() {
    assert_snapshot!(errors_after(Fault::Stall(Duration::from_mins(10))).await, @r"
    affiliates, list: 504 deadline_exceeded no response within 1s
    affiliates, one: 504 deadline_exceeded no response within 1s
    tax, list: 504 deadline_exceeded no response within 1s
    tax, one: 504 deadline_exceeded no response within 1s
    ");
}

/// Tests lists only, because both faults require a whole response to interrupt.
#[tokio::test]
async fn interrupted_body_is_an_error() {
    for fault in [Fault::Truncated, Fault::Reset] {
        let whole = matches!(fault, Fault::Truncated);
        let sandbox = sandbox(50, 0, 50).await;
        sandbox.tolt().fail_next(100, fault.clone());
        sandbox.corporation().fail_next(100, fault);
        let gateway = Gateway::start(config(connections_to(&sandbox))).await;
        for connection in ["affiliates", "tax"] {
            let answer = gateway.get(&format!("/customers?connection={connection}")).await;
            let (code, detail) = if whole {
                ("vendor_unreadable", "the vendor's response cannot be read: the body is truncated")
            } else {
                ("vendor_error", "the response body was interrupted: ")
            };
            assert_eq!(answer.code(502), code);
            assert!(answer.problem()["detail"].as_str().unwrap().starts_with(detail), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn failure_is_not_cached() {
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
