//! Refusals by Tolt, in every shape and with every status (FACTS.md cases 5 and
//! 6).

use customer_gateway::domain::{
    anchor::{Anchor, Direction},
    filter::Filter,
    query::Shape,
};
use insta::assert_snapshot;

use crate::translation::harness::{AdapterCall, customers, customers_with, fixture, tolt};

/// Error for a response that is not a success.
fn refusal(asked: &AdapterCall, status: u16, name: &str) -> String {
    format!("{:?}", asked.read(status, &fixture("tolt", name)).unwrap_err())
}

// FACTS.md case 5
#[test]
fn html_body_is_an_error_at_any_status() {
    tolt().assert_refusals("shape_05_html.html");
}

// FACTS.md case 5
#[test]
fn empty_body_is_an_error_at_any_status() {
    tolt().assert_refusals("shape_05_empty.txt");
}

// FACTS.md case 5
#[test]
fn truncated_body_is_an_error_at_any_status() {
    tolt().assert_refusals("shape_05_cut_off.txt");
}

// FACTS.md case 5
#[test]
fn unexpected_json_is_an_error_at_any_status() {
    tolt().assert_refusals("shape_05_other_json.json");
}

// FACTS.md case 6
#[test]
fn v1_envelope_is_read() {
    tolt().assert_refusals("shape_06_v1_envelope.json");
}

// FACTS.md case 6
#[test]
fn v1_rate_limit_is_read() {
    tolt().assert_refusals("shape_06_v1_rate_limit.json");
}

// FACTS.md case 6
#[test]
fn v2_envelope_includes_first_field() {
    tolt().assert_refusals("shape_06_v2_envelope.json");
}

// FACTS.md case 6
#[test]
fn v2_envelope_with_null_errors_is_read() {
    tolt().assert_refusals("shape_06_v2_errors_null.json");
}

// FACTS.md case 6
#[test]
fn bare_message_is_read() {
    tolt().assert_refusals("shape_06_message_alone.json");
}

// FACTS.md case 6
#[test]
fn http_status_overrides_body_status() {
    tolt().assert_refusals("shape_06_body_status_differs.json");
}

// FACTS.md case 6
#[test]
fn refused_value_names_its_parameter() {
    let asked = tolt().list(&customers_with(Filter { status: vec!["paused".to_owned()], ..Filter::default() }));
    assert_snapshot!(refusal(&asked, 400, "shape_06_v2_envelope.json"), @r#"Refused { kind: ValueRejected(Status), refusal: Refusal { status: 400, code: Some("validation_error"), message: Some("The request is not valid. (status: must be one of lead, trialing, active, canceled)") } }"#);
    assert_snapshot!(refusal(&asked, 400, "shape_06_v1_envelope.json"), @r#"Refused { kind: RequestRejected, refusal: Refusal { status: 400, code: Some("invalid_request_error"), message: Some("Invalid request") } }"#);
}

// FACTS.md case 6
#[test]
fn refusal_at_instant_is_not_a_cursor_error() {
    let instant = "2025-01-15T14:30:00Z".parse::<jiff::Timestamp>().unwrap();
    let asked = tolt().list(&customers()).at(Anchor::From(instant.into(), Direction::Forward));
    assert_snapshot!(refusal(&asked, 400, "shape_06_v1_envelope.json"), @r#"Refused { kind: RequestRejected, refusal: Refusal { status: 400, code: Some("invalid_request_error"), message: Some("Invalid request") } }"#);
}

// FACTS.md case 6
#[test]
fn redirect_or_empty_success_is_a_failure() {
    for status in [201, 204, 301, 302] {
        let asked = tolt().retrieve("cust_1", Shape::default());
        let text = refusal(&asked, status, "shape_05_empty.txt");
        assert_eq!(
            text,
            format!(
                "Refused {{ kind: Failed {{ retryable: false }}, refusal: Refusal {{ status: {status}, code: None, message: None }} }}"
            )
        );
    }
}
