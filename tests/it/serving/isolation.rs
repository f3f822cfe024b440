//! Isolation of connections. FACTS.md, case 135.

use futures_util::future::{join, join_all};

use super::stage;
use crate::support::{ACCOUNT, ScriptedVendor, connection, tolt_page, tolt_row};

#[tokio::test]
async fn hanging_vendor_leaves_permits_to_others() {
    let healthy = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let stage = stage()
        .configure(|config| {
            config.server.max_requests = 8;
            config.connections.push(connection("healthy", "tolt", &healthy.base_url, "sk_healthy", ACCOUNT));
        })
        .start()
        .await;
    let targets: Vec<_> = (0..20).map(|page| format!("/customers?connection=odd&partner_id=part_{page}")).collect();
    let hanging = join_all(targets.iter().map(|target| stage.get(target)));
    let checking = async {
        // Half of the permits and one.
        stage.wait_for_calls(5).await;
        for page in 0..20 {
            stage.get(&format!("/customers?connection=healthy&partner_id=part_{page}")).await.ok();
        }
        stage.open(5);
    };
    let (answers, ()) = join(hanging, checking).await;
    let (answered, rejected): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((answered.len(), rejected.len()), (5, 15));
    assert!(rejected.iter().all(|answer| answer.code(503) == "overloaded"));
    assert_eq!(stage.vendor().calls(), 5);
}
