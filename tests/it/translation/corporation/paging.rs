//! Anchors and totals of the corporation vendor's pages (FACTS.md cases 19 to
//! 24). Walks over several pages are tested in `walks`.

use customer_gateway::domain::anchor::{Anchor, Neighbour};

use crate::translation::harness::{AdapterCall, corporation, customers};

fn list() -> AdapterCall {
    corporation().list(&customers())
}

fn later_page() -> AdapterCall {
    list().at(Anchor::Token("c1".into()))
}

// FACTS.md case 19
#[test]
fn cursor_after_empty_page_is_followed() {
    later_page().assert_fixture("paging_19_cursor_after_no_rows.json");
}

// FACTS.md case 20
#[test]
fn null_cursor_ends_the_list() {
    list().assert_fixture("paging_20_cursor_null.json");
}

// FACTS.md case 20
#[test]
fn absent_cursor_ends_the_list() {
    list().assert_fixture("paging_20_cursor_absent.json");
}

// FACTS.md case 20
#[test]
fn empty_cursor_ends_the_list() {
    list().assert_fixture("paging_20_cursor_empty.json");
}

// FACTS.md case 20
#[test]
fn numeric_cursor_is_accepted() {
    list().assert_fixture("paging_20_cursor_as_number.json");
}

// FACTS.md case 20
#[test]
fn unreadable_cursor_is_an_error() {
    list().assert_fixture("paging_20_cursor_as_object.json");
}

// FACTS.md case 21
#[test]
fn repeated_cursor_yields_the_same_anchor() {
    later_page().assert_fixture("paging_21_cursor_again.json");
}

// FACTS.md case 22
#[test]
fn refused_cursor_is_a_cursor_error() {
    later_page().assert_fixture_with_status(400, "paging_22_cursor_refused.json");
}

// FACTS.md case 24
#[test]
fn total_as_text_is_accepted() {
    list().assert_fixture("paging_24_total_as_text.json");
}

// FACTS.md case 24
#[test]
fn null_total_is_none() {
    list().assert_fixture("paging_24_total_null.json");
}

// FACTS.md case 24
#[test]
fn absent_total_is_none() {
    list().assert_fixture("paging_24_total_absent.json");
}

// FACTS.md case 24
#[test]
fn negative_total_is_none() {
    list().assert_fixture("paging_24_total_negative.json");
}

// FACTS.md case 24
#[test]
fn fractional_total_is_none() {
    list().assert_fixture("paging_24_total_fraction.json");
}

// FACTS.md case 24
#[test]
fn non_numeric_total_is_none() {
    list().assert_fixture("paging_24_total_no_number.json");
}

// FACTS.md case 24
#[test]
fn total_below_row_count_is_passed_on() {
    list().assert_fixture("paging_24_total_below_the_rows.json");
}

/// The vendor has forward cursors only. The first page alone is known to have
/// no previous page.
#[test]
fn later_page_has_unknown_previous_page() {
    let page = later_page().read_fixture("paging_20_cursor_null.json").unwrap();
    assert_eq!((&page.info().prev, &page.info().next), (&Neighbour::Unknown, &Neighbour::End));
}
