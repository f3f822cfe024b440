//! Request targets: the first line of the input is the path, the second the
//! query string.

#![no_main]

use customer_gateway_fuzz::{
    rows::{CORPORATION, TOLT},
    stage::Stage,
    vendor::Vendor,
};
use http::{HeaderMap, Method};
use libfuzzer_sys::fuzz_target;

/// Paths of lists, which reject every unknown parameter.
const LISTS: &[&str] = &["/customers", "/transactions", "/explain/customers", "/explain/transactions"];
/// All parameters of lists.
const PARAMETERS: &[&str] = &[
    "id",
    "connection",
    "limit",
    "cursor",
    "max_calls",
    "partial",
    "order",
    "created_gte",
    "created_lte",
    "partner_id",
    "status",
    "name",
    "search",
    "email",
    "external_id",
    "source_platform",
    "source_platform_id",
    "certificate_type",
    "exemption_jurisdiction",
    "exemption_status",
    "expiration_status",
    "has_exemption",
    "customer_id",
    "expand",
    "include",
    "marks",
];

thread_local!(static STAGE: Stage = {
    let tolt = Vendor::answering(
        br#"{"success":true,"has_more":false,"data":{"data":[
            {"id":"a","name":"Ann","created_at":"2025-01-15T14:30:00Z"},{"id":"b","email":"b@example.com"}]}}"#,
    );
    let tax = Vendor::answering(
        br#"{"data":{"customers":[{"id":"a","name":"Ann","created_at":1706000000},{"id":"b"}],"total_customers":2}}"#,
    );
    Stage::start(&[("tolt", "odd", TOLT.account, tolt), ("corporation", "tax", CORPORATION.account, tax)])
});

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (path, query) = data.split_at(end);
    let [path, query] = [path, query.strip_prefix(b"\n").unwrap_or(query)].map(String::from_utf8_lossy);
    let path = if path.starts_with('/') { &*path } else { "/customers" };
    let method = if path == "/cache" { Method::DELETE } else { Method::GET };
    STAGE.with(|stage| {
        stage.begin();
        let Some(answer) = stage.send(method, &format!("{path}?{query}"), &HeaderMap::new()) else { return };
        if !LISTS.contains(&path) || answer.status != 200 {
            return;
        }
        let given: Vec<_> = url::form_urlencoded::parse(query.split('#').next().unwrap_or("").as_bytes()).collect();
        for (name, value) in &given {
            assert!(PARAMETERS.contains(&&**name), "`{name}` is ignored");
            assert!(!value.is_empty(), "`{name}` is empty and ignored");
            assert!(name != "id" || path == "/customers", "`id` is ignored");
            if name == "limit" && path == "/customers" {
                assert_eq!(answer.json()["page"]["limit"].as_u64(), value.parse().ok());
            }
        }
    });
});
