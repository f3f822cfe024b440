//! Problems for each vendor failure, for lists and single customers.

use std::time::Duration;

use customer_gateway::{config::Config, sandbox::Fault};
use insta::assert_snapshot;

use super::summarize;
use crate::support::{StageBuilder, sandbox};

/// Summarizes the problems for a persistent fault at both vendors.
async fn errors_after(fault: Fault) -> String {
    let limit_time = |config: &mut Config| {
        for connection in &mut config.connections {
            connection.timeout = Duration::from_secs(1);
            connection.rate_limit.max_wait = Duration::ZERO;
        }
    };
    let stage = StageBuilder::new(sandbox(2, 0, 2)).configure(limit_time).start().await;
    stage.vendors.tolt().fail_next(100, fault.clone());
    stage.vendors.corporation().fail_next(100, fault);
    let mut lines = Vec::new();
    for (what, target) in [
        ("affiliates, list", "/customers?connection=affiliates"),
        ("affiliates, one", "/customers/affiliates.cust_1"),
        ("tax, list", "/customers?connection=tax"),
        ("tax, one", "/customers/tax.cust_1"),
    ] {
        let answer = stage.get(target).await;
        let connection = answer.problem()["connection"].as_str().unwrap_or("-").to_owned();
        assert!(connection == "-" || what.starts_with(&connection), "{connection} is named for {what}");
        lines.push(format!("{what}: {}", summarize(&answer)));
    }
    lines.join("\n")
}

/// Summarizes the problems of each fault, under its name.
async fn errors_by_fault(faults: impl IntoIterator<Item = (&str, Fault)>) -> String {
    let mut blocks = Vec::new();
    for (name, fault) in faults {
        let lines = errors_after(fault).await.replace('\n', "\n    ");
        blocks.push(format!("{name}\n    {lines}"));
    }
    blocks.join("\n")
}

#[tokio::test]
async fn vendor_status_maps_to_its_problem() {
    let faults = [
        ("status 400", Fault::Status(400)),
        // A 401 would mean that the caller's own credential is refused.
        ("status 401", Fault::Status(401)),
        ("status 403", Fault::Status(403)),
        // A 404 is `customer_not_found` only for a single customer.
        ("status 404", Fault::Status(404)),
        ("status 408", Fault::Status(408)),
        ("status 422", Fault::Status(422)),
        ("status 429", Fault::Status(429)),
        ("status 500", Fault::Status(500)),
        ("status 503", Fault::Status(503)),
    ];
    assert_snapshot!(errors_by_fault(faults).await, @r#"
    status 400
        affiliates, list: 502 vendor_rejected the vendor rejected the request
            {"code":"bad_request","message":"Bad request","status":400}
        affiliates, one: 502 vendor_rejected the vendor rejected the request
            {"code":"bad_request","message":"Bad request","status":400}
        tax, list: 502 vendor_rejected the vendor rejected the request
            {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
        tax, one: 502 vendor_rejected the vendor rejected the request
            {"code":"CLIENT_INVALID_REQUEST","message":"Bad Request","status":400}
    status 401
        affiliates, list: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"authentication_error","message":"Invalid API key provided","status":401}
        affiliates, one: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"authentication_error","message":"Invalid API key provided","status":401}
        tax, list: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
        tax, one: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"CLIENT_UNAUTHORIZED","message":"Unauthorized","status":401}
    status 403
        affiliates, list: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"permission_error","message":"Not allowed","status":403}
        affiliates, one: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"permission_error","message":"Not allowed","status":403}
        tax, list: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
        tax, one: 502 vendor_unauthorized the vendor rejected the credential
            {"code":"CLIENT_FORBIDDEN","message":"Forbidden","status":403}
    status 404
        affiliates, list: 502 vendor_rejected the vendor rejected the request
            {"code":"not_found","message":"Not found","status":404}
        affiliates, one: 404 customer_not_found the connection `affiliates` has no customer `cust_1`
        tax, list: 502 vendor_rejected the vendor rejected the request
            {"code":"CLIENT_NOT_FOUND","message":"Not Found","status":404}
        tax, one: 404 customer_not_found the connection `tax` has no customer `cust_1`
    status 408
        affiliates, list: 502 vendor_error the vendor failed
            {"code":"bad_request","message":"Bad request","status":408}
        affiliates, one: 502 vendor_error the vendor failed
            {"code":"bad_request","message":"Bad request","status":408}
        tax, list: 502 vendor_error the vendor failed
            {"code":"CLIENT_INVALID_REQUEST","message":"Request Timeout","status":408}
        tax, one: 502 vendor_error the vendor failed
            {"code":"CLIENT_INVALID_REQUEST","message":"Request Timeout","status":408}
    status 422
        affiliates, list: 502 vendor_rejected the vendor rejected the request
            {"code":"bad_request","message":"Bad request","status":422}
        affiliates, one: 502 vendor_rejected the vendor rejected the request
            {"code":"bad_request","message":"Bad request","status":422}
        tax, list: 502 vendor_rejected the vendor rejected the request
            {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
        tax, one: 502 vendor_rejected the vendor rejected the request
            {"code":"CLIENT_INVALID_REQUEST","message":"Unprocessable Entity","status":422}
    status 429
        affiliates, list: 503 vendor_rate_limited the vendor's rate limit is exceeded (retry after 2 s)
            {"code":"rate_limit_error","message":"Too many requests. Please try again.","status":429}
        affiliates, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
        tax, list: 503 vendor_rate_limited the vendor's rate limit is exceeded (retry after 2 s)
            {"code":"CLIENT_TOO_MANY_REQUESTS","message":"Too Many Requests","status":429}
        tax, one: 503 vendor_rate_limited the vendor's rate limit is exhausted; retry in 2 s (retry after 2 s)
    status 500
        affiliates, list: 502 vendor_error the vendor failed
            {"code":"api_error","message":"Something went wrong","status":500}
        affiliates, one: 502 vendor_error the vendor failed
            {"code":"api_error","message":"Something went wrong","status":500}
        tax, list: 502 vendor_error the vendor failed
            {"code":"SERVER_ERROR","message":"Internal Server Error","status":500}
        tax, one: 502 vendor_error the vendor failed
            {"code":"SERVER_ERROR","message":"Internal Server Error","status":500}
    status 503
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
async fn body_or_time_fault_maps_to_its_problem() {
    let faults = [
        ("HTML body", Fault::Html),
        ("empty body", Fault::Empty),
        ("status 200 with `success: false`", Fault::SuccessFalse),
        ("late response", Fault::Stall(Duration::from_mins(10))),
    ];
    assert_snapshot!(errors_by_fault(faults).await, @r#"
    HTML body
        affiliates, list: 502 vendor_error the vendor failed
            {"code":null,"message":null,"status":200}
        affiliates, one: 502 vendor_error the vendor failed
            {"code":null,"message":null,"status":200}
        tax, list: 502 vendor_error the vendor failed
            {"code":null,"message":null,"status":200}
        tax, one: 502 vendor_error the vendor failed
            {"code":null,"message":null,"status":200}
    empty body
        affiliates, list: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
        affiliates, one: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
        tax, list: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
        tax, one: 502 vendor_unreadable the vendor's response cannot be read: the body is truncated (line 1, column 0)
    status 200 with `success: false`
        affiliates, list: 502 vendor_error the vendor failed
            {"code":"api_error","message":"Something went wrong","status":200}
        affiliates, one: 502 vendor_error the vendor failed
            {"code":"api_error","message":"Something went wrong","status":200}
        tax, list: 502 vendor_error the vendor failed
            {"code":"SERVER_ERROR","message":"Internal Server Error","status":200}
        tax, one: 502 vendor_error the vendor failed
            {"code":"SERVER_ERROR","message":"Internal Server Error","status":200}
    late response
        affiliates, list: 504 deadline_exceeded no response within 1s
        affiliates, one: 504 deadline_exceeded no response within 1s
        tax, list: 504 deadline_exceeded no response within 1s
        tax, one: 504 deadline_exceeded no response within 1s
    "#);
}

/// Tests lists only, because both faults require a whole response to interrupt.
#[tokio::test]
async fn interrupted_body_is_an_error() {
    for fault in [Fault::Truncated, Fault::Reset] {
        let whole = matches!(fault, Fault::Truncated);
        let stage = StageBuilder::new(sandbox(50, 0, 50)).start().await;
        stage.vendors.tolt().fail_next(100, fault.clone());
        stage.vendors.corporation().fail_next(100, fault);
        for connection in ["affiliates", "tax"] {
            let answer = stage.get(&format!("/customers?connection={connection}")).await;
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
    let stage = StageBuilder::new(sandbox(2, 0, 2)).start().await;
    stage.vendors.tolt().fail_next(1, Fault::Status(401));
    stage.vendors.corporation().fail_next(1, Fault::Status(401));
    for connection in ["affiliates", "tax"] {
        let target = format!("/customers?connection={connection}");
        assert_eq!(stage.get(&target).await.code(502), "vendor_unauthorized");
        assert_eq!(stage.get(&target).await.ok()["data"].as_array().unwrap().len(), 2);
    }
}
