//! Tolt's refusals, in every shape and with every status (FACTS.md, cases 5
//! and 6).

use customer_gateway::domain::{
    anchor::{Anchor, Direction},
    filter::Filter,
    query::Shape,
};
use insta::assert_snapshot;

use crate::translation::asked::{Asked, customers, customers_with, fixture, tolt};

/// What an answer that is not a success means.
fn refusal(asked: &Asked, status: u16, name: &str) -> String {
    format!("{:?}", asked.answered(status, &fixture("tolt", name)).unwrap_err())
}

#[test]
fn shape_05_html() {
    tolt().refuses("shape_05_html.html");
}

#[test]
fn shape_05_an_empty_body() {
    tolt().refuses("shape_05_empty.txt");
}

#[test]
fn shape_05_a_body_that_is_cut_off() {
    tolt().refuses("shape_05_cut_off.txt");
}

#[test]
fn shape_05_json_of_another_kind() {
    tolt().refuses("shape_05_other_json.json");
}

#[test]
fn shape_06_the_envelope_of_v1() {
    tolt().refuses("shape_06_v1_envelope.json");
}

#[test]
fn shape_06_the_rate_limit_of_v1() {
    tolt().refuses("shape_06_v1_rate_limit.json");
}

#[test]
fn shape_06_the_envelope_of_v2_names_its_first_field() {
    tolt().refuses("shape_06_v2_envelope.json");
}

#[test]
fn shape_06_the_envelope_of_v2_with_null_for_its_fields() {
    tolt().refuses("shape_06_v2_errors_null.json");
}

#[test]
fn shape_06_a_message_alone() {
    tolt().refuses("shape_06_message_alone.json");
}

#[test]
fn shape_06_the_status_of_http_counts_not_the_bodys() {
    tolt().refuses("shape_06_body_status_differs.json");
}

#[test]
fn shape_06_a_value_of_the_callers_is_named_where_the_vendor_names_it() {
    let asked = tolt().list(&customers_with(Filter { status: Some("paused".to_owned()), ..Filter::default() }));
    assert_snapshot!(refusal(&asked, 400, "shape_06_v2_envelope.json"), @r#"ValueRefused(Status, Refusal { status: 400, code: Some("validation_error"), message: Some("The request is not valid. (status: must be one of lead, trialing, active, canceled)") })"#);
    assert_snapshot!(refusal(&asked, 400, "shape_06_v1_envelope.json"), @r#"Rejected(Refusal { status: 400, code: Some("invalid_request_error"), message: Some("Invalid request") })"#);
}

#[test]
fn shape_06_a_refusal_at_an_instant_is_not_about_a_cursor() {
    let instant = "2025-01-15T14:30:00Z".parse::<jiff::Timestamp>().unwrap();
    let asked = tolt().list(&customers()).at(Anchor::From(instant.into(), Direction::Forward));
    assert_snapshot!(refusal(&asked, 400, "shape_06_v1_envelope.json"), @r#"Rejected(Refusal { status: 400, code: Some("invalid_request_error"), message: Some("Invalid request") })"#);
}

#[test]
fn shape_06_a_redirect_and_a_success_without_a_page_are_failures() {
    for status in [201, 204, 301, 302] {
        let asked = tolt().retrieve("cust_1", Shape::default());
        let text = refusal(&asked, status, "shape_05_empty.txt");
        assert_eq!(text, format!("Failed(Refusal {{ status: {status}, code: None, message: None }})"));
    }
}
