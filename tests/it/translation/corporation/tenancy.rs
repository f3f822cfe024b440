//! Rows of a corporation other than the connection's.

use customer_gateway::domain::query::Shape;

use crate::translation::harness::{corporation, customers};

// FACTS.md case 27
#[test]
fn foreign_customers_are_counted_and_omitted() {
    corporation().list(&customers()).assert_fixture("tenancy_27_rows_of_another_corporation.json");
}

// FACTS.md case 27
#[test]
fn foreign_customer_is_not_found() {
    corporation()
        .retrieve("cust_1", Shape::default())
        .assert_fixture("tenancy_27_customer_of_another_corporation.json");
}
