//! What Tolt's pages say of the pages around them (FACTS.md, cases 19 to 26).
//! Walks over several pages are tested elsewhere; cases 25 and 26 are about
//! requests.

use bytes::Bytes;
use customer_gateway::{
    domain::{
        anchor::{Anchor, Direction, Neighbour},
        query::{ListQuery, Order},
    },
    vendors::PAGE_SIZE,
};
use serde_json::json;

use crate::translation::{
    asked::{Asked, customers, tolt},
    outcome::described,
};

fn list() -> Asked {
    tolt().list(&customers())
}

fn after(id: &str) -> Anchor {
    Anchor::After(id.into())
}

fn before(id: &str) -> Anchor {
    Anchor::Before(id.into())
}

fn from(instant: &str, direction: Direction) -> Anchor {
    Anchor::From(instant.parse::<jiff::Timestamp>().unwrap().into(), direction)
}

/// The pages before and behind the one that a fixture makes at an anchor.
fn neighbours(anchor: Anchor, name: &str) -> (Neighbour, Neighbour) {
    let page = list().at(anchor).answered_with(name).unwrap();
    (page.info().prev.clone(), page.info().next.clone())
}

#[test]
fn paging_19_more_after_a_short_page_is_believed() {
    list().reads("paging_19_more_after_a_short_page.json");
}

#[test]
fn paging_19_more_after_no_rows_is_an_error_not_an_endless_loop() {
    list().at(after("cust_2")).reads("paging_19_more_after_no_rows.json");
}

#[test]
fn paging_20_no_more_is_the_end() {
    list().reads("paging_20_has_more_false.json");
}

#[test]
fn paging_20_has_more_missing_on_a_short_page_is_the_end() {
    list().reads("paging_20_has_more_missing.json");
}

#[test]
fn paging_20_has_more_null_on_a_short_page_is_the_end() {
    list().reads("paging_20_has_more_null.json");
}

#[test]
fn paging_20_has_more_may_be_text() {
    list().reads("paging_20_has_more_as_text.json");
}

#[test]
fn paging_20_no_rows_at_the_start_are_the_whole_list() {
    list().reads("paging_20_no_rows.json");
}

#[test]
fn paging_20_a_full_page_has_more_unless_it_says_otherwise() {
    let rows: Vec<_> = (0..PAGE_SIZE).map(|row| json!({"id": format!("cust_{row}")})).collect();
    let page = |more| list().answered(200, &Bytes::from(json!({"has_more": more, "data": rows}).to_string())).unwrap();
    assert_eq!(page(None).info().next, Neighbour::At(after("cust_99")));
    assert_eq!(page(Some(false)).info().next, Neighbour::End);
}

#[test]
fn paging_21_a_cursor_that_does_not_advance_shows_as_the_same_anchor() {
    list().at(after("cust_2")).reads("paging_21_same_row_again.json");
}

#[test]
fn paging_22_a_cursor_whose_row_is_gone_is_refused() {
    list().at(after("cust_9")).reads_status(400, "paging_22_cursor_row_deleted.json");
}

#[test]
fn paging_23_rows_of_one_instant_are_gone_on_from_by_id() {
    tolt().list(&ListQuery { order: Some(Order::Asc), ..customers() }).reads("paging_23_ties_ascending.json");
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

#[test]
fn a_page_going_forward_leads_both_ways() {
    let (more, end) = ("paging_19_more_after_a_short_page.json", "paging_20_has_more_false.json");
    let back = Neighbour::At(before("cust_4"));
    assert_eq!(neighbours(after("cust_5"), more), (back.clone(), Neighbour::At(after("cust_2"))));
    assert_eq!(neighbours(after("cust_5"), end), (back, Neighbour::End));
}

#[test]
fn a_page_going_back_has_more_towards_the_beginning() {
    let (more, end) = ("paging_19_more_after_a_short_page.json", "paging_20_has_more_false.json");
    let on = Neighbour::At(after("cust_2"));
    assert_eq!(neighbours(before("cust_1"), more), (Neighbour::At(before("cust_4")), on.clone()));
    assert_eq!(neighbours(before("cust_1"), end), (Neighbour::End, on));
}

#[test]
fn no_rows_end_the_list_only_in_the_direction_of_travel() {
    let none = "paging_20_no_rows.json";
    assert_eq!(neighbours(after("cust_5"), none), (Neighbour::Unknown, Neighbour::End));
    assert_eq!(neighbours(before("cust_1"), none), (Neighbour::End, Neighbour::Unknown));
    let forward = from("2025-01-01T00:00:00Z", Direction::Forward);
    assert_eq!(neighbours(forward, none), (Neighbour::Unknown, Neighbour::End));
    let backward = from("2025-01-01T00:00:00Z", Direction::Backward);
    assert_eq!(neighbours(backward, none), (Neighbour::End, Neighbour::Unknown));
}

#[test]
fn a_page_from_an_instant_on_counts_no_total_of_the_question() {
    let outcome = list()
        .at(from("2025-01-04T00:00:00Z", Direction::Forward))
        .answered_with("paging_19_more_after_a_short_page.json");
    insta::assert_snapshot!(edges(&described(&outcome)), @r#"
    prev: At(Before("cust_4"))
    next: At(After("cust_2"))
    total: None
    "#);
}

/// The vendor is asked in the other order, and answers so.
#[test]
fn a_page_from_an_instant_back_is_turned_into_list_order() {
    let asked = tolt()
        .list(&ListQuery { order: Some(Order::Desc), ..customers() })
        .at(from("2025-01-01T00:00:00Z", Direction::Backward));
    let page = asked.answered_with("paging_23_ties_ascending.json").unwrap();
    let ids: Vec<_> = (0..page.len()).map(|index| page.id(index)).collect();
    assert_eq!(ids, ["cust_2b", "cust_2a", "cust_1"]);
    insta::assert_snapshot!(edges(&described(&Ok(page))), @r#"
    prev: At(Before("cust_2b"))
    next: At(After("cust_1"))
    total: None
    "#);
}

/// What a page says besides its records.
fn edges(described: &str) -> String {
    described.lines().take(3).collect::<Vec<_>>().join("\n")
}
