//! TLS on the listening side.

use std::{path::Path, sync::Arc, time::Duration};

use customer_gateway::{
    app::{App, Reloader},
    clock::SharedClock,
    config::Config,
    server,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{NEVER, Raw};
use crate::support::{MovableClock, ScriptedVendor, tolt_page, tolt_row};

/// A gateway that speaks TLS, as its configuration's files say.
struct Stage {
    directory: TempDir,
    url: String,
    reloader: Reloader,
    vendor: ScriptedVendor,
    serving: JoinHandle<()>,
}

impl Stage {
    /// A stage with a certificate, which is returned.
    async fn set(server: &str) -> (Self, String) {
        let directory = tempfile::tempdir().unwrap();
        let certificate = renew(directory.path());
        let vendor = ScriptedVendor::saying(tolt_page(&[tolt_row("cust_1")], false)).await;
        let path = directory.path().join("gateway.toml");
        let rest = format!("{server}\ntls = {{ certificate = \"tls.crt\", key = \"tls.key\" }}\n");
        crate::command_line::configure(&path, &vendor.base_url, &rest);
        let clock: SharedClock = Arc::new(MovableClock::new());
        let app = App::new(Config::load(&path).unwrap(), &clock).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let readiness = app.readiness();
        let reloader = Reloader::new(path, app);
        let serving = tokio::spawn(server::serve(listener, reloader.live(), readiness, std::future::pending()));
        (Self { directory, url, reloader, vendor, serving }, certificate)
    }

    /// A request by a client that trusts one certificate and nothing else: the
    /// HTTP version of a 200, if it came to one.
    async fn get(&self, certificate: &str, target: &str) -> Option<reqwest::Version> {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([certificate]).no_proxy().build().unwrap();
        let answer = client.get(format!("{}{target}", self.url)).timeout(NEVER).send().await.ok()?;
        assert_eq!(answer.status(), 200);
        Some(answer.version())
    }

    async fn metrics(&self, certificate: &str) -> String {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([certificate]).http1_only().build().unwrap();
        client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Puts a new certificate and its key into a directory.
pub(super) fn renew(directory: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("tls.crt"), cert.pem()).unwrap();
    std::fs::write(directory.join("tls.key"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_by_tls() {
    let (stage, certificate) = Stage::set("").await;
    assert_eq!(stage.get(&certificate, "/customers").await, Some(reqwest::Version::HTTP_2));
    assert!(stage.metrics(&certificate).await.contains("gateway_requests_total"));
    // Who does not trust it gets nothing, and who speaks in the clear neither.
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    assert_eq!(stage.get(&other, "/customers").await, None);
    let clear = stage.url.replace("https://localhost", "127.0.0.1");
    let mut client = Raw(tokio::net::TcpStream::connect(clear).await.unwrap());
    client.ask("/livez", "").await;
    assert!(!client.read_to_the_end().await.starts_with(b"HTTP"));
    assert_eq!(stage.vendor.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_asks_by_tls_too() {
    let (stage, _) = Stage::set("").await;
    let url = format!("{}/readyz", stage.url);
    let output = crate::command_line::run(&["healthcheck", "--url", &url]).await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_handshake_that_is_not_finished_is_cut_off() {
    let (stage, _) = Stage::set("header_timeout = \"100ms\"").await;
    for said in [b"".as_slice(), b"\x16\x03\x01"] {
        let clear = stage.url.replace("https://localhost", "127.0.0.1");
        let mut client = Raw(tokio::net::TcpStream::connect(clear).await.unwrap());
        client.write(said).await;
        client.read_to_the_end().await;
    }
}

#[tokio::test]
async fn a_certificate_is_loaded_anew_when_it_changes() {
    let (mut stage, first) = Stage::set("").await;
    stage.get(&first, "/customers").await.unwrap();
    stage.reloader.look().await;
    let second = renew(stage.directory.path());
    assert!(stage.get(&first, "/customers").await.is_some(), "until it is looked at");
    stage.reloader.look().await;
    assert!(stage.get(&second, "/customers").await.is_some());
    assert!(stage.get(&first, "/customers").await.is_none());
    let counted = r#"gateway_reloads_total{what="certificate",outcome="ok"} 1"#;
    assert!(stage.metrics(&second).await.contains(counted));
    // What the rest of the file says is not taken up with it.
    assert_eq!(stage.vendor.calls(), 1);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_shown_leaves_the_one_before() {
    let (mut stage, first) = Stage::set("").await;
    let key = stage.directory.path().join("tls.key");
    let right = std::fs::read(&key).unwrap();
    for wrong in [b"".to_vec(), b"-----BEGIN PRIVATE KEY-----\n".to_vec(), {
        let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        other.signing_key.serialize_pem().into_bytes()
    }] {
        std::fs::write(&key, wrong).unwrap();
        stage.reloader.look().await;
        assert!(stage.get(&first, "/customers").await.is_some());
        assert!(stage.metrics(&first).await.contains(r#"gateway_reload_failed{what="certificate"} 1"#));
    }
    std::fs::write(&key, right).unwrap();
    stage.reloader.look().await;
    assert!(stage.metrics(&first).await.contains(r#"gateway_reload_failed{what="certificate"} 0"#));
}

#[tokio::test]
async fn a_certificate_that_the_configuration_was_loaded_with_has_not_failed() {
    let (mut stage, _) = Stage::set("").await;
    std::fs::write(stage.directory.path().join("tls.key"), "").unwrap();
    stage.reloader.look().await;
    let second = renew(stage.directory.path());
    stage.reloader.reload().await;
    let metrics = stage.metrics(&second).await;
    assert!(metrics.contains(r#"gateway_reload_failed{what="certificate"} 0"#), "{metrics}");
    assert!(!metrics.contains(r#"gateway_reloads_total{what="certificate",outcome="ok"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_secret_that_comes_after_the_file_that_names_it_is_waited_for() {
    let (mut stage, certificate) = Stage::set("watch = \"5s\"").await;
    let path = stage.directory.path().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"secret\"", "\"later\"")).unwrap();
    let failed = r#"gateway_reload_failed{what="configuration"}"#;
    for _ in 0..3 {
        stage.reloader.look().await;
        let metrics = stage.metrics(&certificate).await;
        assert!(metrics.contains(&format!("{failed} 1")), "{metrics}");
        // It is told once.
        assert!(metrics.contains(r#"gateway_reloads_total{what="configuration",outcome="failed"} 1"#), "{metrics}");
    }
    std::fs::write(stage.directory.path().join("later"), "sk_live_later").unwrap();
    stage.reloader.look().await;
    assert!(stage.metrics(&certificate).await.contains(&format!("{failed} 0")));
    stage.get(&certificate, "/customers?connection=odd").await.unwrap();
    assert!(stage.vendor.heads().last().unwrap().contains("Bearer sk_live_later"));
}

#[tokio::test]
async fn what_changes_after_it_was_read_is_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    crate::command_line::configure(&path, "http://127.0.0.1:1", "watch = \"5s\"");
    let clock: SharedClock = Arc::new(MovableClock::new());
    let config = Config::load(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("5s", "7s")).unwrap();
    let mut reloader = Reloader::new(path, App::new(config, &clock).unwrap());
    reloader.look().await;
    assert_eq!(reloader.interval(), Duration::from_secs(7));
}

#[tokio::test]
async fn the_whole_configuration_is_loaded_anew_where_that_is_asked_for() {
    let (mut stage, certificate) = Stage::set("watch = \"5s\"").await;
    assert_eq!(stage.reloader.interval(), Duration::from_secs(5));
    let path = stage.directory.path().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("name = \"odd\"", "name = \"even\"").replace("5s", "7s")).unwrap();
    stage.reloader.look().await;
    assert!(stage.get(&certificate, "/connections/even").await.is_some());
    assert_eq!(stage.reloader.interval(), Duration::from_secs(7));

    // A wrong one is reported, and the right one stays.
    std::fs::write(&path, text.replace("vendor = \"tolt\"", "vendor = \"told\"")).unwrap();
    stage.reloader.look().await;
    assert!(stage.get(&certificate, "/connections/even").await.is_some());
    assert!(stage.metrics(&certificate).await.contains(r#"gateway_reload_failed{what="configuration"} 1"#));

    // A secret that changes is a change too.
    std::fs::write(&path, &text).unwrap();
    stage.reloader.look().await;
    std::fs::write(stage.directory.path().join("secret"), "sk_live_renewed").unwrap();
    stage.reloader.look().await;
    stage.get(&certificate, "/customers?connection=odd").await.unwrap();
    assert!(stage.vendor.heads().last().unwrap().contains("Bearer sk_live_renewed"));
}
