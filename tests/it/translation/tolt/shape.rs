//! Shapes of Tolt's responses (FACTS.md cases 1 to 15). Case 14 is in
//! `requests`.

use customer_gateway::domain::{
    anchor::Anchor,
    query::{Expansion, ListQuery, Shape},
};

use crate::translation::harness::{AdapterCall, customers, expanding, tolt, transactions, with_raw};

fn list() -> AdapterCall {
    tolt().list(&customers())
}

fn expanded_list() -> AdapterCall {
    tolt().list(&ListQuery { shape: expanding(&[Expansion::Partner, Expansion::Program]), ..customers() })
}

fn sales() -> AdapterCall {
    tolt().list(&transactions())
}

fn retrieve() -> AdapterCall {
    tolt().retrieve("cust_1", Shape::default())
}

// FACTS.md case 1
#[test]
fn customers_in_flat_data_are_read() {
    list().assert_fixture("shape_01_list_at_data_itself.json");
}

// FACTS.md case 1
#[test]
fn transactions_in_nested_data_are_read() {
    sales().assert_fixture("shape_01_transactions_at_data_data.json");
}

// FACTS.md case 2
#[test]
fn missing_list_is_an_error() {
    list().assert_fixture("shape_02_data_missing.json");
}

// FACTS.md case 2
#[test]
fn empty_data_object_is_an_error() {
    list().assert_fixture("shape_02_data_empty_object.json");
}

// FACTS.md case 2
#[test]
fn null_list_is_an_error() {
    list().assert_fixture("shape_02_data_null.json");
}

// FACTS.md case 2
#[test]
fn null_nested_list_is_an_error() {
    list().assert_fixture("shape_02_data_data_null.json");
}

// FACTS.md case 2
#[test]
fn rows_under_another_key_are_an_error() {
    list().assert_fixture("shape_02_rows_under_another_name.json");
}

// FACTS.md case 2
#[test]
fn empty_list_is_valid() {
    list().assert_fixture("shape_02_empty_list.json");
}

// FACTS.md case 3
#[test]
fn single_element_list_is_a_customer() {
    retrieve().assert_fixture("shape_03_list_of_one.json");
}

// FACTS.md case 3
#[test]
fn empty_list_is_customer_not_found() {
    retrieve().assert_fixture("shape_03_empty_list.json");
}

// FACTS.md case 3
#[test]
fn two_customers_for_one_id_are_an_error() {
    retrieve().assert_fixture("shape_03_list_of_two.json");
}

// FACTS.md case 3
#[test]
fn customer_without_id_is_an_error() {
    retrieve().assert_fixture("shape_03_object_without_id.json");
}

// FACTS.md case 3
#[test]
fn null_customer_is_an_error() {
    retrieve().assert_fixture("shape_03_data_null.json");
}

// FACTS.md case 3
#[test]
fn missing_customer_is_an_error() {
    retrieve().assert_fixture("shape_03_data_missing.json");
}

// FACTS.md case 4
#[test]
fn unauthorized_with_status_200_is_classified() {
    list().assert_fixture("shape_04_unauthorized.json");
}

// FACTS.md case 4
#[test]
fn rate_limit_with_status_200_is_classified() {
    list().assert_fixture("shape_04_rate_limited.json");
}

// FACTS.md case 4
#[test]
fn not_found_with_status_200_is_classified() {
    retrieve().assert_fixture("shape_04_not_found.json");
}

// FACTS.md case 4
#[test]
fn cursor_error_with_status_200_is_classified() {
    list().at(Anchor::After("cust_9".into())).assert_fixture("shape_04_invalid_cursor.json");
}

// FACTS.md case 4
#[test]
fn unknown_type_with_status_200_is_a_failure() {
    list().assert_fixture("shape_04_unknown_type.json");
}

// FACTS.md case 4
#[test]
fn bare_success_false_is_a_failure() {
    list().assert_fixture("shape_04_nothing_else.json");
}

// FACTS.md case 4
#[test]
fn success_false_as_text_is_a_failure() {
    retrieve().assert_fixture("shape_04_false_as_text.json");
}

// FACTS.md case 4
#[test]
fn rows_with_success_false_are_discarded() {
    list().assert_fixture("shape_04_with_rows.json");
}

// FACTS.md case 7
#[test]
fn money_is_minor_units_or_null() {
    sales().assert_fixture("shape_07_money.json");
}

// FACTS.md case 7
#[test]
fn stats_are_minor_units_or_null() {
    tolt().retrieve("cust_1", expanding(&[Expansion::Stats])).assert_fixture("shape_07_stats.json");
}

// FACTS.md case 8
#[test]
fn missing_values_are_null() {
    list().assert_fixture("shape_08_missing_values.json");
}

// FACTS.md case 8
#[test]
fn missing_transaction_values_are_null() {
    sales().assert_fixture("shape_08_transaction_missing_values.json");
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
fn ids_are_kept_verbatim() {
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

// FACTS.md case 12
#[test]
fn unknown_transaction_values_pass_through() {
    sales().assert_fixture("shape_12_unknown_words_of_transactions.json");
}

// FACTS.md case 13
#[test]
fn inconsistent_expansions_are_accepted() {
    expanded_list().assert_fixture("shape_13_expansions.json");
}

// FACTS.md case 13
#[test]
fn inconsistent_transaction_expansions_are_read() {
    let expanded = expanding(&[Expansion::Partner, Expansion::Program, Expansion::Customer]);
    tolt()
        .list(&ListQuery { shape: expanded, ..transactions() })
        .assert_fixture("shape_13_transaction_expansions.json");
}

// FACTS.md case 13
#[test]
fn unrequested_expansions_are_omitted() {
    let page = retrieve().read_fixture("page_retrieve_customer_expanded.json").unwrap();
    let plain = retrieve().read_fixture("page_retrieve_customer.json").unwrap();
    assert_eq!(page.json(0), plain.json(0));
}

// FACTS.md case 15
#[test]
fn unknown_fields_appear_only_in_raw() {
    tolt().list(&ListQuery { shape: with_raw(), ..customers() }).assert_fixture("shape_15_unknown_fields.json");
}

// FACTS.md case 15
#[test]
fn unknown_transaction_fields_only_in_raw() {
    tolt()
        .list(&ListQuery { shape: with_raw(), ..transactions() })
        .assert_fixture("shape_15_unknown_fields_of_transactions.json");
}
