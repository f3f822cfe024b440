//! The shapes in which the corporation vendor's answers come (FACTS.md, cases
//! 2 to 18). Cases 1, 3 and 14 are Tolt's alone.

use customer_gateway::domain::query::{Expansion, ListQuery, Shape};

use crate::translation::asked::{Asked, corporation, customers, expanding, with_raw};

fn list() -> Asked {
    corporation().list(&customers())
}

fn expanded_list() -> Asked {
    let everything = expanding(&[Expansion::ShippingAddress, Expansion::Exemption]);
    corporation().list(&ListQuery { shape: everything, ..customers() })
}

fn retrieve() -> Asked {
    corporation().retrieve("cust_789", Shape::default())
}

#[test]
fn shape_02_customers_missing_is_an_error_not_an_empty_list() {
    list().reads("shape_02_customers_missing.json");
}

#[test]
fn shape_02_null_for_customers_is_an_error_not_an_empty_list() {
    list().reads("shape_02_customers_null.json");
}

#[test]
fn shape_02_an_empty_object_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_empty_object.json");
}

#[test]
fn shape_02_null_for_data_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_null.json");
}

#[test]
fn shape_02_a_list_for_data_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_is_a_list.json");
}

#[test]
fn shape_02_an_empty_list_is_an_empty_list() {
    list().reads("shape_02_empty_list.json");
}

#[test]
fn shape_07_counts_are_whole_numbers_or_null() {
    expanded_list().reads("shape_07_counts.json");
}

#[test]
fn shape_08_null_empty_and_absent_are_null() {
    list().reads("shape_08_missing_values.json");
}

#[test]
fn shape_08_a_value_of_another_type_costs_neither_row_nor_page() {
    list().reads("shape_08_values_of_another_type.json");
}

#[test]
fn shape_08_a_row_without_an_id_cannot_be_served() {
    list().reads("shape_08_row_without_id.json");
}

#[test]
fn shape_09_an_email_that_is_none_passes_through() {
    list().reads("shape_09_email_that_is_none.json");
}

#[test]
fn shape_10_ids_and_cursors_are_taken_as_they_are() {
    list().reads("shape_10_hostile_ids.json");
}

#[test]
fn shape_11_timestamps_keep_their_digits_or_are_null() {
    list().reads("shape_11_timestamps.json");
}

#[test]
fn shape_12_unknown_words_pass_through() {
    expanded_list().reads("shape_12_unknown_words.json");
}

#[test]
fn shape_13_expanded_objects_null_partial_or_none() {
    expanded_list().reads("shape_13_expansions.json");
}

#[test]
fn shape_13_expanded_objects_that_nobody_asked_for_are_omitted() {
    let page = list().answered_with("shape_13_expansions.json").unwrap();
    for index in 0..page.len() {
        let record: serde_json::Value = serde_json::from_slice(page.json(index)).unwrap();
        assert_eq!(record.get("shipping_address"), None);
        assert_eq!(record["tax"].get("exemption"), None);
    }
    assert_eq!(page.info().anomalies.unreadable_values, 0);
}

#[test]
fn shape_15_unknown_fields_show_in_raw_alone() {
    corporation().list(&ListQuery { shape: with_raw(), ..customers() }).reads("shape_15_unknown_fields.json");
}

#[test]
fn shape_16_epochs_are_seconds_or_milliseconds_and_zero_is_unset() {
    list().reads("shape_16_epochs.json");
}

#[test]
fn shape_17_both_spellings_of_an_address_are_one() {
    expanded_list().reads("shape_17_addresses.json");
}

#[test]
fn shape_18_a_list_may_be_wrapped() {
    list().reads("shape_18_list_wrapped.json");
}

#[test]
fn shape_18_a_customer_may_be_flat() {
    retrieve().reads("shape_18_object_flat.json");
}

#[test]
fn shape_18_a_customer_may_be_wrapped() {
    retrieve().reads("shape_18_object_wrapped.json");
}

#[test]
fn shape_18_null_is_an_error_not_an_unknown_customer() {
    retrieve().reads("shape_18_object_missing.json");
}

#[test]
fn shape_18_a_list_is_no_customer() {
    retrieve().reads("shape_18_object_is_a_list.json");
}
