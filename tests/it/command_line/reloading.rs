//! Signals to a serving gateway.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{configure, serving::serve};
use crate::support::{Reply, SECRET, ScriptedVendor, tolt_page, tolt_row, until};

async fn status(url: &str, target: &str) -> u16 {
    reqwest::get(format!("{url}{target}")).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_a_valid_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let (mut running, url) = serve(directory.path(), &vendor);
    let path = directory.path().join("gateway.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(status(&url, "/customers").await, 200);

    let second = written.split("[[connections]]").nth(1).unwrap().replace("\"odd\"", "\"even\"");
    std::fs::write(&path, format!("{written}[[connections]]{second}").replace(":0\"", ":1\"")).unwrap();
    running.signal("HUP");
    let logged = running.read_log_until("settings changed that require a restart");
    assert!(
        logged.contains("configuration reloaded") && logged.contains(r#""added":"even","removed":"","changed":"""#),
        "{logged}"
    );
    assert!(logged.contains("server.listen"), "{logged}");
    assert_eq!(status(&url, "/connections/even").await, 200);
    // Cached pages stay cached.
    assert_eq!((status(&url, "/customers?connection=odd").await, vendor.calls()), (200, 1));

    std::fs::write(&path, written.replace("program_id", "programme")).unwrap();
    running.signal("HUP");
    let logged = running.read_log_until("configuration reload failed, keeping the previous one");
    let complaint = format!("{}:9: connections.odd.programme: unknown key", path.display());
    assert!(logged.contains(&complaint) && !logged.contains(SECRET), "{logged}");
    assert_eq!(status(&url, "/connections/even").await, 200);
    let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        r#"gateway_reloads_total{what="configuration",outcome="ok"} 1"#,
        r#"gateway_reloads_total{what="configuration",outcome="failed"} 1"#,
        r#"gateway_reload_failed{what="configuration"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    running.terminate();
    assert!(running.wait().0.success());
}

/// Without a configured cursor key, cursors still survive a reload.
#[tokio::test(flavor = "multi_thread")]
async fn cursor_survives_a_reload() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1"), tolt_row("cust_2")], false)).await;
    let (mut running, url) = serve(directory.path(), &vendor);
    let page: serde_json::Value = {
        let text = reqwest::get(format!("{url}/customers?limit=1")).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    running.signal("HUP");
    running.read_log_until("configuration reloaded");
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(status(&url, &format!("/customers?limit=1&cursor={cursor}")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_signal_exits_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[], false)).gated_by(&gate)
    })
    .await;
    configure(&directory.path().join("gateway.toml"), &vendor.base_url, "");
    let (mut running, url) = serve(directory.path(), &vendor);
    let in_flight = tokio::spawn(reqwest::get(format!("{url}/customers")));
    until(|| vendor.calls() == 1).await;
    running.terminate();
    running.read_log_until("shutdown started");
    running.signal("INT");
    let (status, rest) = running.wait();
    assert!(status.success() && rest.contains("exiting immediately"), "{rest}");
    let ended = in_flight.await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
}
