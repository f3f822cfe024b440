//! Ids that could lead to another path at the vendor.

use crate::support::{ScriptedVendor, tolt_page};

// FACTS.md case 50
#[tokio::test]
async fn id_that_leaves_its_segment_is_not_found() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for id in
        ["%2e%2e%2fadmin", "%252e%252e%252fadmin", "%2e%2e", "a%2Fb", "a%5Cb", "a%255Cb", "a%0Ab", "a%250Ab", "%00"]
    {
        for target in [format!("/customers/odd.{id}"), format!("/customers/odd.{id}/transactions")] {
            assert_eq!(gateway.get(&target).await.code(404), "customer_not_found", "{target}");
        }
        let target = format!("/transactions?customer_id=odd.{id}");
        assert_eq!(gateway.get(&target).await.code(404), "customer_not_found", "{target}");
    }
    assert_eq!(vendor.calls(), 0);
}
