//! Shapes of the corporation vendor's responses (FACTS.md cases 2 to 18). Cases
//! 1, 3 and 14 apply to Tolt only.

use customer_gateway::domain::query::{Expansion, ListQuery, Shape};

use crate::translation::harness::{AdapterCall, corporation, customers, expanding, with_raw};

fn list() -> AdapterCall {
    corporation().list(&customers())
}

fn expanded_list() -> AdapterCall {
    let everything = expanding(&[Expansion::ShippingAddress, Expansion::Exemption]);
    corporation().list(&ListQuery { shape: everything, ..customers() })
}

fn retrieve() -> AdapterCall {
    corporation().retrieve("cust_789", Shape::default())
}

// FACTS.md case 2
#[test]
fn missing_customers_are_an_error() {
    list().assert_fixture("shape_02_customers_missing.json");
}

// FACTS.md case 2
#[test]
fn null_customers_are_an_error() {
    list().assert_fixture("shape_02_customers_null.json");
}

// FACTS.md case 2
#[test]
fn empty_data_object_is_an_error() {
    list().assert_fixture("shape_02_data_empty_object.json");
}

// FACTS.md case 2
#[test]
fn null_data_is_an_error() {
    list().assert_fixture("shape_02_data_null.json");
}

// FACTS.md case 2
#[test]
fn list_as_data_is_an_error() {
    list().assert_fixture("shape_02_data_is_a_list.json");
}

// FACTS.md case 2
#[test]
fn empty_list_is_valid() {
    list().assert_fixture("shape_02_empty_list.json");
}

// FACTS.md case 7
#[test]
fn counts_are_integers_or_null() {
    expanded_list().assert_fixture("shape_07_counts.json");
}

// FACTS.md case 8
#[test]
fn missing_values_are_null() {
    list().assert_fixture("shape_08_missing_values.json");
}

// FACTS.md case 8
#[test]
fn mistyped_value_keeps_row_and_page() {
    list().assert_fixture("shape_08_values_of_another_type.json");
}

// FACTS.md case 8
#[test]
fn row_without_id_is_an_error() {
    list().assert_fixture("shape_08_row_without_id.json");
}

// FACTS.md case 9
#[test]
fn invalid_email_passes_through() {
    list().assert_fixture("shape_09_email_that_is_none.json");
}

// FACTS.md case 10
#[test]
fn ids_and_cursors_are_kept_verbatim() {
    list().assert_fixture("shape_10_hostile_ids.json");
}

// FACTS.md case 11
#[test]
fn timestamps_keep_precision_or_are_null() {
    list().assert_fixture("shape_11_timestamps.json");
}

// FACTS.md case 12
#[test]
fn unknown_enum_values_pass_through() {
    expanded_list().assert_fixture("shape_12_unknown_words.json");
}

// FACTS.md case 13
#[test]
fn incomplete_expansions_are_accepted() {
    expanded_list().assert_fixture("shape_13_expansions.json");
}

// FACTS.md case 13
#[test]
fn unrequested_expansions_are_omitted() {
    let page = list().read_fixture("shape_13_expansions.json").unwrap();
    for index in 0..page.len() {
        let record: serde_json::Value = serde_json::from_slice(page.json(index)).unwrap();
        assert_eq!(record.get("shipping_address"), None);
        assert_eq!(record["tax"].get("exemption"), None);
    }
    assert_eq!(page.info().anomalies.unreadable_values, 0);
}

// FACTS.md case 15
#[test]
fn unknown_fields_appear_only_in_raw() {
    corporation().list(&ListQuery { shape: with_raw(), ..customers() }).assert_fixture("shape_15_unknown_fields.json");
}

// FACTS.md case 16
#[test]
fn epoch_unit_is_detected_and_zero_is_null() {
    list().assert_fixture("shape_16_epochs.json");
}

// FACTS.md case 17
#[test]
fn both_address_spellings_are_accepted() {
    expanded_list().assert_fixture("shape_17_addresses.json");
}

// FACTS.md case 18
#[test]
fn wrapped_list_is_accepted() {
    list().assert_fixture("shape_18_list_wrapped.json");
}

// FACTS.md case 18
#[test]
fn flat_customer_is_accepted() {
    retrieve().assert_fixture("shape_18_object_flat.json");
}

// FACTS.md case 18
#[test]
fn wrapped_customer_is_accepted() {
    retrieve().assert_fixture("shape_18_object_wrapped.json");
}

// FACTS.md case 18
#[test]
fn null_customer_is_an_error() {
    retrieve().assert_fixture("shape_18_object_missing.json");
}

// FACTS.md case 18
#[test]
fn list_instead_of_customer_is_an_error() {
    retrieve().assert_fixture("shape_18_object_is_a_list.json");
}
