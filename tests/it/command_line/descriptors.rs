//! Limits of file descriptors. FACTS.md, cases 112 to 114.

use std::{net::TcpStream, path::Path, process::Command, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{Running, command, configure};
use crate::support::{Reply, ScriptedVendor, tolt_page, tolt_row, until};

/// Starts a gateway with these soft and hard limits of descriptors. Returns its
/// URL and its first log lines.
fn start(directory: &Path, vendor: &str, [soft, hard]: [u32; 2]) -> (Running, String, String) {
    let path = directory.join("gateway.toml");
    configure(&path, vendor, "");
    let text = std::fs::read_to_string(&path).unwrap() + "rate_limit = { requests = 1000, per = \"1s\" }\n";
    std::fs::write(&path, text).unwrap();
    let gateway = command(&["--log-format", "json", "serve", "--config", path.to_str().unwrap()]);
    let mut limited = Command::new("sh");
    let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
    limited.args(["-c", &script, "sh"]).arg(gateway.get_program()).args(gateway.get_args());
    gateway.get_envs().filter(|(_, value)| value.is_none()).for_each(|(name, _)| {
        limited.env_remove(name);
    });
    let mut running = Running::spawn(&mut limited);
    let logged = running.read_log_until(r#""message":"server started""#);
    let started: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", started["fields"]["listen"].as_str().unwrap());
    (running, url, logged)
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_clients_leave_descriptors_for_vendors() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let (mut running, url, logged) = start(directory.path(), &vendor.base_url, [64, 128]);
    assert!(logged.contains(r#""message":"descriptor limit raised","from":64,"to":128"#), "{logged}");
    let lowered = running.read_log_until("connection limit lowered");
    assert!(lowered.contains(r#""configured":10000,"lowered":64,"descriptors":128"#), "{lowered}");

    let client = reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap();
    let get = async |target: String| client.get(format!("{url}{target}")).send().await.unwrap().status();
    assert_eq!(get("/livez".to_owned()).await, 200);
    let address = url.trim_start_matches("http://");
    let idle: Vec<_> = (0..178).map(|_| TcpStream::connect(address).unwrap()).collect();
    // One connection is the client's, and 63 of the idle connections are accepted.
    until_open_descriptors(&client, &url, 64).await;
    for index in 0..20 {
        assert_eq!(get(format!("/customers?partner_id=part_{index}")).await, 200);
    }
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("gateway_breaker_open{connection=\"odd\"} 0\n"), "{metrics}");
    drop(idle);
}

/// Waits until the gateway has at least this many open descriptors.
async fn until_open_descriptors(client: &reqwest::Client, url: &str, count: u64) {
    loop {
        let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        let open = metrics.lines().find_map(|line| line.strip_prefix("process_open_fds ")).unwrap();
        if open.parse::<u64>().unwrap() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptor_shortage_is_no_vendor_failure() {
    exhaust_descriptors("127.0.0.1", "Too many open files").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_without_descriptors_is_a_local_failure() {
    exhaust_descriptors("localhost", "lacks a resource").await;
}

/// Requests more vendor connections than there are descriptors, to a vendor with
/// this host. The problems contain `reason`.
async fn exhaust_descriptors(host: &str, reason: &str) {
    let directory = tempfile::tempdir().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).gated_by(&gate)
    })
    .await;
    let (_running, url, _) = start(directory.path(), &vendor.base_url.replace("127.0.0.1", host), [64, 64]);
    // One connection, whose requests need more vendor connections than there are
    // descriptors.
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let request = async |index: usize| {
        let target = format!("{url}/customers?partner_id=part_{index}");
        let response = client.get(target).send().await.unwrap();
        let (status, retry_after) = (response.status().as_u16(), response.headers().get("retry-after").cloned());
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        if status == 200 {
            return 0;
        }
        assert_eq!((status, &body["code"]), (503, &Value::from("overloaded")), "{body}");
        assert_eq!(retry_after.unwrap(), "1");
        assert!(body["detail"].as_str().unwrap().contains(reason), "{body}");
        // The other responses wait for the vendor.
        gate.add_permits(1000);
        1
    };
    let lacking: usize = join_all((0..90).map(request)).await.into_iter().sum();
    assert!((1..90).contains(&lacking), "{lacking} requests lacked a descriptor");
    until(|| vendor.calls() > 0).await;
    let get = async |target: &str| client.get(format!("{url}{target}")).send().await.unwrap();
    let metrics = get("/metrics").await.text().await.unwrap();
    for sample in
        ["gateway_breaker_open{connection=\"odd\"} 0\n", "gateway_vendor_retries_total{connection=\"odd\"} 0\n"]
    {
        assert!(metrics.contains(sample), "{sample}{metrics}");
    }
    assert_eq!(get("/customers?partner_id=another").await.status(), 200);
}
