//! The shapes in which Tolt's answers come (FACTS.md, cases 1 to 15). Case 14
//! is about requests.

use customer_gateway::domain::{
    anchor::Anchor,
    query::{Expansion, ListQuery, Shape},
};

use crate::translation::asked::{Asked, customers, expanding, tolt, transactions, with_raw};

fn list() -> Asked {
    tolt().list(&customers())
}

fn expanded_list() -> Asked {
    tolt().list(&ListQuery { shape: expanding(&[Expansion::Partner, Expansion::Program]), ..customers() })
}

fn sales() -> Asked {
    tolt().list(&transactions())
}

fn retrieve() -> Asked {
    tolt().retrieve("cust_1", Shape::default())
}

#[test]
fn shape_01_customers_are_read_at_data_itself() {
    list().reads("shape_01_list_at_data_itself.json");
}

#[test]
fn shape_01_transactions_are_read_at_data_data() {
    sales().reads("shape_01_transactions_at_data_data.json");
}

#[test]
fn shape_02_data_missing_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_missing.json");
}

#[test]
fn shape_02_an_empty_object_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_empty_object.json");
}

#[test]
fn shape_02_null_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_null.json");
}

#[test]
fn shape_02_null_within_data_is_an_error_not_an_empty_list() {
    list().reads("shape_02_data_data_null.json");
}

#[test]
fn shape_02_rows_under_another_name_are_an_error_not_an_empty_list() {
    list().reads("shape_02_rows_under_another_name.json");
}

#[test]
fn shape_02_an_empty_list_is_an_empty_list() {
    list().reads("shape_02_empty_list.json");
}

#[test]
fn shape_03_a_customer_may_come_in_a_list_of_one() {
    retrieve().reads("shape_03_list_of_one.json");
}

#[test]
fn shape_03_an_empty_list_is_no_customer() {
    retrieve().reads("shape_03_empty_list.json");
}

#[test]
fn shape_03_two_customers_for_one_id_are_an_error() {
    retrieve().reads("shape_03_list_of_two.json");
}

#[test]
fn shape_03_an_object_without_an_id_is_an_error() {
    retrieve().reads("shape_03_object_without_id.json");
}

#[test]
fn shape_03_null_is_an_error_not_an_unknown_customer() {
    retrieve().reads("shape_03_data_null.json");
}

#[test]
fn shape_03_data_missing_is_an_error_not_an_unknown_customer() {
    retrieve().reads("shape_03_data_missing.json");
}

#[test]
fn shape_04_a_refused_key_with_200() {
    list().reads("shape_04_unauthorized.json");
}

#[test]
fn shape_04_a_spent_budget_with_200() {
    list().reads("shape_04_rate_limited.json");
}

#[test]
fn shape_04_an_unknown_customer_with_200() {
    retrieve().reads("shape_04_not_found.json");
}

#[test]
fn shape_04_an_unknown_cursor_with_200() {
    list().at(Anchor::After("cust_9".into())).reads("shape_04_invalid_cursor.json");
}

#[test]
fn shape_04_an_unknown_type_with_200_is_a_failure() {
    list().reads("shape_04_unknown_type.json");
}

#[test]
fn shape_04_success_false_and_nothing_else_is_a_failure() {
    list().reads("shape_04_nothing_else.json");
}

#[test]
fn shape_04_success_false_may_be_text() {
    retrieve().reads("shape_04_false_as_text.json");
}

#[test]
fn shape_04_rows_beside_success_false_are_not_served() {
    list().reads("shape_04_with_rows.json");
}

#[test]
fn shape_07_money_is_whole_minor_units_or_null() {
    sales().reads("shape_07_money.json");
}

#[test]
fn shape_07_figures_are_whole_minor_units_or_null() {
    tolt().retrieve("cust_1", expanding(&[Expansion::Stats])).reads("shape_07_stats.json");
}

#[test]
fn shape_08_null_empty_and_absent_are_null() {
    list().reads("shape_08_missing_values.json");
}

#[test]
fn shape_08_null_empty_and_absent_are_null_in_transactions() {
    sales().reads("shape_08_transaction_missing_values.json");
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
fn shape_10_ids_are_taken_as_they_are() {
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
fn shape_12_unknown_words_pass_through_in_transactions() {
    sales().reads("shape_12_unknown_words_of_transactions.json");
}

#[test]
fn shape_13_expanded_objects_null_partial_or_disagreeing() {
    expanded_list().reads("shape_13_expansions.json");
}

#[test]
fn shape_13_expanded_objects_of_transactions_null_partial_or_disagreeing() {
    let expanded = expanding(&[Expansion::Partner, Expansion::Program, Expansion::Customer]);
    tolt().list(&ListQuery { shape: expanded, ..transactions() }).reads("shape_13_transaction_expansions.json");
}

#[test]
fn shape_13_expanded_objects_that_nobody_asked_for_are_omitted() {
    let page = retrieve().answered_with("page_retrieve_customer_expanded.json").unwrap();
    let plain = retrieve().answered_with("page_retrieve_customer.json").unwrap();
    assert_eq!(page.json(0), plain.json(0));
}

#[test]
fn shape_15_unknown_fields_show_in_raw_alone() {
    tolt().list(&ListQuery { shape: with_raw(), ..customers() }).reads("shape_15_unknown_fields.json");
}

#[test]
fn shape_15_unknown_fields_of_transactions_show_in_raw_alone() {
    tolt()
        .list(&ListQuery { shape: with_raw(), ..transactions() })
        .reads("shape_15_unknown_fields_of_transactions.json");
}
