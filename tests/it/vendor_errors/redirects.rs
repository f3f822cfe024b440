//! Redirects from vendors. The gateway follows none, so the secret reaches no
//! other host (FACTS.md case 33).

use customer_gateway::sandbox::Fault;

use super::summarize;
use crate::support::{Gateway, Reply, SECRET, ScriptedVendor, config, connections_to, sandbox, tolt_page, tolt_row};

#[tokio::test]
async fn redirect_to_another_host_is_not_followed() {
    let elsewhere = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let sandbox = sandbox(2, 0, 2).await;
    let gateway = Gateway::start(config(connections_to(&sandbox))).await;
    for connection in ["affiliates", "tax"] {
        for target in [format!("/customers?connection={connection}"), format!("/customers/{connection}.cust_1")] {
            let to = Fault::Redirect(format!("{}/v1/customers", elsewhere.base_url));
            sandbox.tolt().fail_next(1, to.clone());
            sandbox.corporation().fail_next(1, to);
            assert_eq!(gateway.get(&target).await.code(502), "vendor_error", "{target}");
        }
    }
    assert_eq!((elsewhere.connections(), elsewhere.calls()), (0, 0), "{:?}", elsewhere.heads());
}

#[tokio::test]
async fn redirect_within_host_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let vendor = ScriptedVendor::start(move |_, target| {
            if target.starts_with("/v1/customers") {
                Reply::with_headers(status, "location: /elsewhere\r\n", b"")
            } else {
                Reply::json(&tolt_page(&[], false))
            }
        })
        .await;
        let answer = vendor.gateway("tolt").await.get("/customers").await;
        assert_eq!(answer.code(502), "vendor_error");
        assert!(vendor.targets().iter().all(|target| target.starts_with("/v1/customers")), "{:?}", vendor.targets());
        assert!(vendor.heads()[0].contains(SECRET), "the vendor itself must receive the secret");
        assert!(!summarize(&answer).contains("/elsewhere"));
    }
}
