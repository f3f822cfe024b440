//! Rows of a program other than the connection's.

use customer_gateway::domain::query::Shape;

use crate::translation::harness::{customers, tolt, transactions};

// FACTS.md case 27
#[test]
fn foreign_customers_are_counted_and_omitted() {
    tolt().list(&customers()).assert_fixture("tenancy_27_rows_of_another_program.json");
}

// FACTS.md case 27
#[test]
fn foreign_transactions_are_counted_and_omitted() {
    tolt().list(&transactions()).assert_fixture("tenancy_27_transactions_of_another_program.json");
}

// FACTS.md case 27
#[test]
fn page_of_foreign_rows_can_be_continued() {
    tolt().list(&customers()).assert_fixture("tenancy_27_only_rows_of_another_program.json");
}

// FACTS.md case 27
#[test]
fn foreign_customer_is_not_found() {
    tolt().retrieve("cust_1", Shape::default()).assert_fixture("tenancy_27_customer_of_another_program.json");
}
