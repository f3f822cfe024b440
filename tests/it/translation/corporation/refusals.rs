//! Refusals by the corporation vendor, in every shape and with every status
//! (FACTS.md cases 4 to 6).

use customer_gateway::domain::{anchor::Anchor, filter::Filter, query::ListQuery};
use insta::assert_snapshot;

use crate::translation::harness::{corporation, customers, customers_with, fixture};

/// Error for a refusal of a list's first page.
fn refusal(question: &ListQuery, name: &str) -> String {
    format!("{:?}", corporation().list(question).read(400, &fixture("corporation", name)).unwrap_err())
}

// FACTS.md case 4
#[test]
fn error_body_with_status_200_is_no_page() {
    corporation().assert_refusals("shape_04_error_with_200.json");
}

// FACTS.md case 5
#[test]
fn html_body_is_an_error_at_any_status() {
    corporation().assert_refusals("shape_05_html.html");
}

// FACTS.md case 5
#[test]
fn empty_body_is_an_error_at_any_status() {
    corporation().assert_refusals("shape_05_empty.txt");
}

// FACTS.md case 5
#[test]
fn truncated_body_is_an_error_at_any_status() {
    corporation().assert_refusals("shape_05_cut_off.txt");
}

// FACTS.md case 6
#[test]
fn documented_error_includes_first_pointer() {
    corporation().assert_refusals("shape_06_documented.json");
}

// FACTS.md case 6
#[test]
fn error_code_overrides_http_status() {
    corporation().assert_refusals("shape_06_body_status_differs.json");
}

// FACTS.md case 6
#[test]
fn not_found_message_may_name_a_transaction() {
    corporation().assert_refusals("shape_06_says_transaction.json");
}

// FACTS.md case 6
#[test]
fn unexpected_json_is_an_error_at_any_status() {
    corporation().assert_refusals("shape_06_other_json.json");
}

// FACTS.md case 6
#[test]
fn refused_value_names_its_parameter() {
    let asked = customers_with(Filter { exemption_status: Some("MAYBE".to_owned()), ..Filter::default() });
    assert_snapshot!(refusal(&asked, "shape_06_documented.json"), @r#"Refused { kind: ValueRejected(ExemptionStatus), refusal: Refusal { status: 400, code: Some("CLIENT_INVALID_REQUEST_BODY"), message: Some("The request has invalid parameters. (exemption_status: must be ACTIVE or INACTIVE)") } }"#);
    let other = customers_with(Filter { expiration_status: Some("MAYBE".to_owned()), ..Filter::default() });
    assert_snapshot!(refusal(&other, "shape_06_documented.json"), @r#"Refused { kind: RequestRejected, refusal: Refusal { status: 400, code: Some("CLIENT_INVALID_REQUEST_BODY"), message: Some("The request has invalid parameters. (exemption_status: must be ACTIVE or INACTIVE)") } }"#);
}

// FACTS.md case 22
#[test]
fn cursor_error_without_cursor_is_a_rejection() {
    let body = fixture("corporation", "paging_22_cursor_refused.json");
    let later = corporation().list(&customers()).at(Anchor::Token("c1".into()));
    assert_snapshot!(format!("{:?}", later.read(400, &body).unwrap_err()), @r#"Refused { kind: CursorRejected, refusal: Refusal { status: 400, code: Some("CLIENT_INVALID_CURSOR"), message: Some("The cursor is not valid.") } }"#);
    assert_snapshot!(refusal(&customers(), "paging_22_cursor_refused.json"), @r#"Refused { kind: RequestRejected, refusal: Refusal { status: 400, code: Some("CLIENT_INVALID_CURSOR"), message: Some("The cursor is not valid.") } }"#);
}
