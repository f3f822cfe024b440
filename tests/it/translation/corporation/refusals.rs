//! The corporation vendor's refusals, in every shape and with every status
//! (FACTS.md, cases 4 to 6).

use customer_gateway::domain::{anchor::Anchor, filter::Filter, query::ListQuery};
use insta::assert_snapshot;

use crate::translation::asked::{corporation, customers, customers_with, fixture};

/// What a refusal of the first page of a list means.
fn refusal(question: &ListQuery, name: &str) -> String {
    format!("{:?}", corporation().list(question).answered(400, &fixture("corporation", name)).unwrap_err())
}

#[test]
fn shape_04_an_error_with_200_is_no_page() {
    corporation().refuses("shape_04_error_with_200.json");
}

#[test]
fn shape_05_html() {
    corporation().refuses("shape_05_html.html");
}

#[test]
fn shape_05_an_empty_body() {
    corporation().refuses("shape_05_empty.txt");
}

#[test]
fn shape_05_a_body_that_is_cut_off() {
    corporation().refuses("shape_05_cut_off.txt");
}

#[test]
fn shape_06_the_documented_body_names_its_first_pointer() {
    corporation().refuses("shape_06_documented.json");
}

#[test]
fn shape_06_the_status_of_http_counts_not_the_bodys() {
    corporation().refuses("shape_06_body_status_differs.json");
}

#[test]
fn shape_06_an_unknown_customer_may_be_called_a_transaction() {
    corporation().refuses("shape_06_says_transaction.json");
}

#[test]
fn shape_06_json_of_another_kind() {
    corporation().refuses("shape_06_other_json.json");
}

#[test]
fn shape_06_a_value_of_the_callers_is_named_where_the_vendor_names_it() {
    let asked = customers_with(Filter { exemption_status: Some("MAYBE".to_owned()), ..Filter::default() });
    assert_snapshot!(refusal(&asked, "shape_06_documented.json"), @r#"ValueRefused(ExemptionStatus, Refusal { status: 400, code: Some("CLIENT_INVALID_REQUEST_BODY"), message: Some("The request has invalid parameters. (exemption_status: must be ACTIVE or INACTIVE)") })"#);
    let other = customers_with(Filter { expiration_status: Some("MAYBE".to_owned()), ..Filter::default() });
    assert_snapshot!(refusal(&other, "shape_06_documented.json"), @r#"Rejected(Refusal { status: 400, code: Some("CLIENT_INVALID_REQUEST_BODY"), message: Some("The request has invalid parameters. (exemption_status: must be ACTIVE or INACTIVE)") })"#);
}

#[test]
fn paging_22_a_refused_cursor_is_told_from_a_refused_question() {
    let body = fixture("corporation", "paging_22_cursor_refused.json");
    let later = corporation().list(&customers()).at(Anchor::Token("c1".into()));
    assert_snapshot!(format!("{:?}", later.answered(400, &body).unwrap_err()), @r#"CursorRefused(Refusal { status: 400, code: Some("CLIENT_INVALID_CURSOR"), message: Some("The cursor is not valid.") })"#);
    assert_snapshot!(refusal(&customers(), "paging_22_cursor_refused.json"), @r#"Rejected(Refusal { status: 400, code: Some("CLIENT_INVALID_CURSOR"), message: Some("The cursor is not valid.") })"#);
}
