//! What the corporation vendor's pages say of the pages around them (FACTS.md,
//! cases 19 to 24). Walks over several pages are tested elsewhere.

use customer_gateway::domain::anchor::{Anchor, Neighbour};

use crate::translation::asked::{Asked, corporation, customers};

fn list() -> Asked {
    corporation().list(&customers())
}

fn later_page() -> Asked {
    list().at(Anchor::Token("c1".into()))
}

#[test]
fn paging_19_a_cursor_after_no_rows_is_followed() {
    later_page().reads("paging_19_cursor_after_no_rows.json");
}

#[test]
fn paging_20_a_cursor_of_null_is_the_end() {
    list().reads("paging_20_cursor_null.json");
}

#[test]
fn paging_20_no_cursor_is_the_end() {
    list().reads("paging_20_cursor_absent.json");
}

#[test]
fn paging_20_an_empty_cursor_is_the_end() {
    list().reads("paging_20_cursor_empty.json");
}

#[test]
fn paging_20_a_cursor_may_be_a_number() {
    list().reads("paging_20_cursor_as_number.json");
}

#[test]
fn paging_20_a_cursor_that_cannot_be_read_is_an_error_not_the_end() {
    list().reads("paging_20_cursor_as_object.json");
}

#[test]
fn paging_21_a_cursor_that_does_not_advance_shows_as_the_same_anchor() {
    later_page().reads("paging_21_cursor_again.json");
}

#[test]
fn paging_22_a_refused_cursor_has_expired() {
    later_page().reads_status(400, "paging_22_cursor_refused.json");
}

#[test]
fn paging_24_a_total_may_be_text() {
    list().reads("paging_24_total_as_text.json");
}

#[test]
fn paging_24_a_total_of_null_is_none() {
    list().reads("paging_24_total_null.json");
}

#[test]
fn paging_24_an_absent_total_is_none() {
    list().reads("paging_24_total_absent.json");
}

#[test]
fn paging_24_a_negative_total_is_none() {
    list().reads("paging_24_total_negative.json");
}

#[test]
fn paging_24_a_total_with_a_fraction_is_none() {
    list().reads("paging_24_total_fraction.json");
}

#[test]
fn paging_24_a_total_that_is_no_number_is_none() {
    list().reads("paging_24_total_no_number.json");
}

#[test]
fn paging_24_a_total_below_the_rows_is_passed_on() {
    list().reads("paging_24_total_below_the_rows.json");
}

/// The vendor's cursors lead forward only: only the start is known to have
/// nothing before it.
#[test]
fn what_precedes_a_later_page_is_unknown() {
    let page = later_page().answered_with("paging_20_cursor_null.json").unwrap();
    assert_eq!((&page.info().prev, &page.info().next), (&Neighbour::Unknown, &Neighbour::End));
}
