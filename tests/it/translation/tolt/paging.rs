//! Anchors and totals of Tolt's pages (FACTS.md cases 19 to 24). Walks over
//! several pages are tested in `walks`. Cases 25 and 26 are in `requests`.

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
    harness::{AdapterCall, customers, tolt},
    outcome::describe,
};

fn list() -> AdapterCall {
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

/// Previous and next page of a fixture that is read at an anchor.
fn neighbours(anchor: Anchor, name: &str) -> (Neighbour, Neighbour) {
    let page = list().at(anchor).read_fixture(name).unwrap();
    (page.info().prev.clone(), page.info().next.clone())
}

// FACTS.md case 19
#[test]
fn has_more_after_short_page_is_followed() {
    list().assert_fixture("paging_19_more_after_a_short_page.json");
}

// FACTS.md case 19
#[test]
fn has_more_after_empty_page_is_an_error() {
    list().at(after("cust_2")).assert_fixture("paging_19_more_after_no_rows.json");
}

// FACTS.md case 20
#[test]
fn has_more_false_ends_the_list() {
    list().assert_fixture("paging_20_has_more_false.json");
}

// FACTS.md case 20
#[test]
fn page_without_has_more_is_continued() {
    list().assert_fixture("paging_20_has_more_missing.json");
}

// FACTS.md case 20
#[test]
fn page_with_null_has_more_is_continued() {
    list().assert_fixture("paging_20_has_more_null.json");
}

// FACTS.md case 20
#[test]
fn has_more_as_text_is_accepted() {
    list().assert_fixture("paging_20_has_more_as_text.json");
}

// FACTS.md case 20
#[test]
fn empty_first_page_is_the_whole_list() {
    list().assert_fixture("paging_20_no_rows.json");
}

// FACTS.md case 20
#[test]
fn full_page_without_has_more_continues() {
    let rows: Vec<_> = (0..PAGE_SIZE).map(|row| json!({"id": format!("cust_{row}")})).collect();
    let page = |more| list().read(200, &Bytes::from(json!({"has_more": more, "data": rows}).to_string())).unwrap();
    assert_eq!(page(None).info().next, Neighbour::At(after("cust_99")));
    assert_eq!(page(Some(false)).info().next, Neighbour::End);
}

// FACTS.md case 21
#[test]
fn repeated_row_yields_the_same_anchor() {
    list().at(after("cust_2")).assert_fixture("paging_21_same_row_again.json");
}

// FACTS.md case 22
#[test]
fn cursor_of_deleted_row_is_refused() {
    list().at(after("cust_9")).assert_fixture_with_status(400, "paging_22_cursor_row_deleted.json");
}

// FACTS.md case 23
#[test]
fn equal_timestamps_continue_by_id() {
    tolt().list(&ListQuery { order: Some(Order::Asc), ..customers() }).assert_fixture("paging_23_ties_ascending.json");
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

#[test]
fn forward_page_has_both_neighbours() {
    let (more, end) = ("paging_19_more_after_a_short_page.json", "paging_20_has_more_false.json");
    let back = Neighbour::At(before("cust_4"));
    assert_eq!(neighbours(after("cust_5"), more), (back.clone(), Neighbour::At(after("cust_2"))));
    assert_eq!(neighbours(after("cust_5"), end), (back, Neighbour::End));
}

#[test]
fn backward_has_more_refers_to_previous_page() {
    let (more, end) = ("paging_19_more_after_a_short_page.json", "paging_20_has_more_false.json");
    let on = Neighbour::At(after("cust_2"));
    assert_eq!(neighbours(before("cust_1"), more), (Neighbour::At(before("cust_4")), on.clone()));
    assert_eq!(neighbours(before("cust_1"), end), (Neighbour::End, on));
}

#[test]
fn empty_page_ends_only_the_travel_direction() {
    let none = "paging_20_no_rows.json";
    assert_eq!(neighbours(after("cust_5"), none), (Neighbour::Unknown, Neighbour::End));
    assert_eq!(neighbours(before("cust_1"), none), (Neighbour::End, Neighbour::Unknown));
    let forward = from("2025-01-01T00:00:00Z", Direction::Forward);
    assert_eq!(neighbours(forward, none), (Neighbour::Unknown, Neighbour::End));
    let backward = from("2025-01-01T00:00:00Z", Direction::Backward);
    assert_eq!(neighbours(backward, none), (Neighbour::End, Neighbour::Unknown));
}

#[test]
fn page_from_instant_has_no_total() {
    let outcome = list()
        .at(from("2025-01-04T00:00:00Z", Direction::Forward))
        .read_fixture("paging_19_more_after_a_short_page.json");
    insta::assert_snapshot!(edges(&describe(&outcome)), @r#"
    prev: At(Before("cust_4"))
    next: At(After("cust_2"))
    total: None
    "#);
}

/// The request uses the reverse order, and so does the response.
#[test]
fn backward_page_from_instant_is_reversed() {
    let asked = tolt()
        .list(&ListQuery { order: Some(Order::Desc), ..customers() })
        .at(from("2025-01-01T00:00:00Z", Direction::Backward));
    let page = asked.read_fixture("paging_23_ties_ascending.json").unwrap();
    let ids: Vec<_> = (0..page.len()).map(|index| page.id(index)).collect();
    assert_eq!(ids, ["cust_2b", "cust_2a", "cust_1"]);
    insta::assert_snapshot!(edges(&describe(&Ok(page))), @r#"
    prev: At(Before("cust_2b"))
    next: At(After("cust_1"))
    total: None
    "#);
}

/// The first three lines of a description: previous page, next page and total.
fn edges(described: &str) -> String {
    described.lines().take(3).collect::<Vec<_>>().join("\n")
}
