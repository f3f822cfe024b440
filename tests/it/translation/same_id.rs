//! An id that both vendors use (FACTS.md, case 28).

use customer_gateway::domain::query::Shape;

use super::{
    asked::{corporation, tolt},
    outcome::text,
};

#[test]
fn tenancy_28_the_same_id_at_both_vendors_is_two_customers() {
    let affiliate =
        tolt().retrieve("cust_shared", Shape::default()).answered_with("tenancy_28_shared_id.json").unwrap();
    let taxed =
        corporation().retrieve("cust_shared", Shape::default()).answered_with("tenancy_28_shared_id.json").unwrap();
    assert_eq!((affiliate.id(0), taxed.id(0)), ("cust_shared", "cust_shared"));
    assert!(text(&affiliate, 0).starts_with(r#"{"id":"affiliates.cust_shared","#));
    assert!(text(&taxed, 0).starts_with(r#"{"id":"tax.cust_shared","#));
}
