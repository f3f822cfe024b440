//! Content of requests to vendors, and reuse of connections.

use insta::assert_snapshot;

use crate::support::{ACCOUNT, Gateway, SECRET, ScriptedVendor, config, connection, tolt_page, tolt_row};

#[tokio::test]
async fn request_sends_only_expected_headers() {
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let gateway = vendor.gateway("tolt").await;
    let question = "/customers?status=active&external_id=jim&expand=partner";
    gateway
        .request(|client, url| {
            client.get(format!("{url}{question}")).header("cookie", "mine=1").bearer_auth("cgk_of_the_caller")
        })
        .await
        .ok();
    let head = vendor.heads().remove(0);
    let host = vendor.base_url.trim_start_matches("http://");
    let version = env!("CARGO_PKG_VERSION");
    assert_snapshot!(head.replace(host, "[host]").replace(SECRET, "[secret]").replace(version, "[version]"), @r"
    GET /v1/customers?program_id=account_1&status=active&order=desc&expand[]=partner&limit=100 HTTP/1.1
    authorization: Bearer [secret]
    accept: application/json
    user-agent: customer-gateway/[version]
    accept-encoding: gzip,br
    host: [host]
    ");
}

#[tokio::test]
async fn base_url_trailing_slash_is_ignored() {
    for path in ["", "/", "/api/v1", "/api/v1/", "/api%20v1//"] {
        let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
        let base_url = format!("{}{path}", vendor.base_url);
        let connection = connection("odd", "tolt", &base_url, SECRET, ACCOUNT);
        let gateway = Gateway::start(config(vec![connection])).await;
        gateway.get("/customers").await.ok();
        gateway.get("/customers/odd.cust_1").await;
        let base = path.trim_end_matches('/');
        let targets = vendor.targets();
        assert!(targets[0].starts_with(&format!("{base}/v1/customers?program_id={ACCOUNT}&")), "{targets:?}");
        assert!(targets[1].starts_with(&format!("{base}/v1/customers/cust_1")), "{targets:?}");
    }
}

#[tokio::test]
async fn vendor_connection_is_reused() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for question in 0..10 {
        gateway.get(&format!("/customers?status=s{question}")).await.ok();
    }
    assert_eq!((vendor.calls(), vendor.connections()), (10, 1));
}

#[tokio::test]
async fn small_limit_fetches_full_vendor_page() {
    let rows: Vec<_> = (0..40).map(|at| tolt_row(&format!("cust_{at}"))).collect();
    let vendor = ScriptedVendor::replying(tolt_page(&rows, false)).await;
    let walked = vendor.gateway("tolt").await.walk("/customers?limit=3").await.unwrap();
    assert_eq!((walked.len(), vendor.calls()), (40, 1));
    assert!(vendor.targets()[0].contains("&limit=100"), "{:?}", vendor.targets());
}

#[tokio::test]
async fn local_routes_make_no_vendor_call() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = vendor.gateway("tolt").await;
    for target in ["/livez", "/readyz", "/connections", "/connections/odd", "/openapi.json", "/problems/internal"] {
        assert_eq!(gateway.get(target).await.status, 200, "{target}");
    }
    assert_eq!(vendor.connections(), 0);
}
