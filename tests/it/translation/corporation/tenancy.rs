//! Rows of another corporation than the one asked for (FACTS.md, case 27).

use customer_gateway::domain::query::Shape;

use crate::translation::asked::{corporation, customers};

#[test]
fn tenancy_27_customers_of_another_corporation_are_counted_and_not_served() {
    corporation().list(&customers()).reads("tenancy_27_rows_of_another_corporation.json");
}

#[test]
fn tenancy_27_a_customer_of_another_corporation_does_not_exist() {
    corporation().retrieve("cust_1", Shape::default()).reads("tenancy_27_customer_of_another_corporation.json");
}
