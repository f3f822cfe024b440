//! Customer id used by both vendors.

use customer_gateway::domain::query::Shape;

use super::{
    harness::{corporation, tolt},
    outcome::text,
};

// FACTS.md case 28
#[test]
fn shared_vendor_id_yields_two_gateway_ids() {
    let affiliate = tolt().retrieve("cust_shared", Shape::default()).read_fixture("tenancy_28_shared_id.json").unwrap();
    let taxed =
        corporation().retrieve("cust_shared", Shape::default()).read_fixture("tenancy_28_shared_id.json").unwrap();
    assert_eq!((affiliate.id(0), taxed.id(0)), ("cust_shared", "cust_shared"));
    assert!(text(&affiliate, 0).starts_with(r#"{"id":"affiliates.cust_shared","#));
    assert!(text(&taxed, 0).starts_with(r#"{"id":"tax.cust_shared","#));
}
