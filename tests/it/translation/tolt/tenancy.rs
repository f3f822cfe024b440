//! Rows of another program than the one asked for (FACTS.md, case 27).

use customer_gateway::domain::query::Shape;

use crate::translation::asked::{customers, tolt, transactions};

#[test]
fn tenancy_27_customers_of_another_program_are_counted_and_not_served() {
    tolt().list(&customers()).reads("tenancy_27_rows_of_another_program.json");
}

#[test]
fn tenancy_27_transactions_of_another_program_are_counted_and_not_served() {
    tolt().list(&transactions()).reads("tenancy_27_transactions_of_another_program.json");
}

#[test]
fn tenancy_27_a_page_of_nothing_but_another_programs_rows_can_be_gone_on_from() {
    tolt().list(&customers()).reads("tenancy_27_only_rows_of_another_program.json");
}

#[test]
fn tenancy_27_a_customer_of_another_program_does_not_exist() {
    tolt().retrieve("cust_1", Shape::default()).reads("tenancy_27_customer_of_another_program.json");
}
