//! TLS of the listener.

use std::{path::Path, sync::Arc, time::Duration};

use customer_gateway::{
    app::{App, Reloader},
    clock::SharedClock,
    config::Config,
    server,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, Issuer, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{LONG, Raw};
use crate::support::{MovableClock, ScriptedVendor, tolt_page, tolt_row};

/// A gateway that serves TLS, configured by files.
struct Stage {
    directory: TempDir,
    url: String,
    reloader: Reloader,
    vendor: ScriptedVendor,
    serving: JoinHandle<()>,
}

impl Stage {
    /// Starts a stage, and returns its certificate.
    async fn start(server: &str) -> (Self, String) {
        let directory = tempfile::tempdir().unwrap();
        let certificate = write_certificate(directory.path());
        let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
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

    /// Sends a request as a client that trusts only one certificate. Returns
    /// the HTTP version of a 200, or `None` without a response.
    async fn get(&self, certificate: &str, target: &str) -> Option<reqwest::Version> {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([certificate]).no_proxy().build().unwrap();
        let answer = client.get(format!("{}{target}", self.url)).timeout(LONG).send().await.ok()?;
        assert_eq!(answer.status(), 200);
        Some(answer.version())
    }

    /// Exports customers as a client that trusts these certificates. Returns the
    /// rows or the error.
    async fn export(&self, directory: &TempDir, cacert: &str) -> String {
        let file = directory.path().join("ca.crt");
        std::fs::write(&file, cacert).unwrap();
        let arguments =
            ["export", "--url", &self.url, "-o", "-", "--format", "csv", "--cacert", file.to_str().unwrap()];
        let output = crate::command_line::run(&arguments).await;
        let (rows, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let said = said.lines().next().unwrap_or_default().replace(file.to_str().unwrap(), "ca.crt");
        match output.status.success() {
            true => format!("{} lines", rows.lines().count()),
            false if said.contains("invalid peer certificate") => "invalid peer certificate".to_owned(),
            false => said,
        }
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

/// Writes a new certificate and its key into a directory.
pub(crate) fn write_certificate(directory: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("tls.crt"), cert.pem()).unwrap();
    std::fs::write(directory.join("tls.key"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

/// Writes a certificate that an authority has signed, and its key. Returns the
/// authority's certificate and the certificate.
fn write_signed_certificate(directory: &Path) -> (String, String) {
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let signed = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap().pem();
    std::fs::write(directory.join("tls.crt"), &signed).unwrap();
    std::fs::write(directory.join("tls.key"), key.serialize_pem()).unwrap();
    (authority_pem, signed)
}

#[tokio::test]
async fn tls_serves_http1_and_http2() {
    let (stage, certificate) = Stage::start("").await;
    assert_eq!(stage.get(&certificate, "/customers").await, Some(reqwest::Version::HTTP_2));
    assert!(stage.metrics(&certificate).await.contains("gateway_requests_total"));
    // A client that does not trust the certificate gets nothing, and a plain
    // HTTP client gets nothing.
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    assert_eq!(stage.get(&other, "/customers").await, None);
    let clear = stage.url.replace("https://localhost", "127.0.0.1");
    let mut client = Raw(tokio::net::TcpStream::connect(clear).await.unwrap());
    client.send_get("/livez", "").await;
    assert!(!client.read_to_end().await.starts_with(b"HTTP"));
    assert_eq!(stage.vendor.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_supports_tls() {
    let (stage, _) = Stage::start("").await;
    let url = format!("{}/readyz", stage.url);
    let output = crate::command_line::run(&["healthcheck", "--url", &url]).await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn export_trusts_the_cacert_file_only() {
    let (mut stage, own) = Stage::start("").await;
    let directory = tempfile::tempdir().unwrap();
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let (authority, signed) = write_signed_certificate(directory.path());
    let mut told = Vec::new();
    for (name, cacert) in [
        ("own", own.clone()),
        ("other", other.clone()),
        ("bundle", other + &own),
        ("empty", String::new()),
        ("text", "no certificate".into()),
    ] {
        told.push(format!("{name}: {}", stage.export(&directory, &cacert).await));
    }
    // A certificate that an authority has signed.
    for file in ["tls.crt", "tls.key"] {
        std::fs::copy(directory.path().join(file), stage.directory.path().join(file)).unwrap();
    }
    stage.reloader.reload_if_changed().await;
    for (name, cacert) in [("authority", authority), ("signed", signed), ("own", own)] {
        told.push(format!("{name}: {}", stage.export(&directory, &cacert).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    own: 2 lines
    other: invalid peer certificate
    bundle: 2 lines
    empty: Error: --cacert ca.crt: the file contains no certificate in PEM format
    text: Error: --cacert ca.crt: the file contains no certificate in PEM format
    authority: 2 lines
    signed: invalid peer certificate
    own: invalid peer certificate
    ");
    let url = stage.url.clone();
    let output = crate::command_line::run(&["export", "--url", &url, "-o", "-", "--cacert", "missing.crt"]).await;
    assert!(!output.status.success());
    let output = crate::command_line::run(&["export", "--url", &url, "-o", "-"]).await;
    assert!(!output.status.success(), "the system does not trust the certificate");
}

#[tokio::test]
async fn unfinished_tls_handshake_is_closed() {
    let (stage, _) = Stage::start("header_timeout = \"100ms\"").await;
    for said in [b"".as_slice(), b"\x16\x03\x01"] {
        let clear = stage.url.replace("https://localhost", "127.0.0.1");
        let mut client = Raw(tokio::net::TcpStream::connect(clear).await.unwrap());
        client.write(said).await;
        client.read_to_end().await;
    }
}

#[tokio::test]
async fn changed_certificate_is_reloaded() {
    let (mut stage, first) = Stage::start("").await;
    stage.get(&first, "/customers").await.unwrap();
    stage.reloader.reload_if_changed().await;
    let second = write_certificate(stage.directory.path());
    assert!(stage.get(&first, "/customers").await.is_some(), "unchanged until the files are checked");
    stage.reloader.reload_if_changed().await;
    assert!(stage.get(&second, "/customers").await.is_some());
    assert!(stage.get(&first, "/customers").await.is_none());
    let counted = r#"gateway_reloads_total{what="certificate",outcome="ok"} 1"#;
    assert!(stage.metrics(&second).await.contains(counted));
    // The rest of the file is not reloaded with the certificate.
    assert_eq!(stage.vendor.calls(), 1);
}

#[tokio::test]
async fn invalid_certificate_keeps_the_previous_one() {
    let (mut stage, first) = Stage::start("").await;
    let key = stage.directory.path().join("tls.key");
    let right = std::fs::read(&key).unwrap();
    for wrong in [b"".to_vec(), b"-----BEGIN PRIVATE KEY-----\n".to_vec(), {
        let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        other.signing_key.serialize_pem().into_bytes()
    }] {
        std::fs::write(&key, wrong).unwrap();
        stage.reloader.reload_if_changed().await;
        assert!(stage.get(&first, "/customers").await.is_some());
        assert!(stage.metrics(&first).await.contains(r#"gateway_reload_failed{what="certificate"} 1"#));
    }
    std::fs::write(&key, right).unwrap();
    stage.reloader.reload_if_changed().await;
    assert!(stage.metrics(&first).await.contains(r#"gateway_reload_failed{what="certificate"} 0"#));
}

#[tokio::test]
async fn certificate_loaded_with_config_clears_failure() {
    let (mut stage, _) = Stage::start("").await;
    std::fs::write(stage.directory.path().join("tls.key"), "").unwrap();
    stage.reloader.reload_if_changed().await;
    let second = write_certificate(stage.directory.path());
    stage.reloader.reload().await;
    let metrics = stage.metrics(&second).await;
    assert!(metrics.contains(r#"gateway_reload_failed{what="certificate"} 0"#), "{metrics}");
    assert!(!metrics.contains(r#"gateway_reloads_total{what="certificate",outcome="ok"} 1"#), "{metrics}");
}

#[tokio::test]
async fn reload_waits_for_a_missing_secret_file() {
    let (mut stage, certificate) = Stage::start("watch = \"5s\"").await;
    let path = stage.directory.path().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"secret\"", "\"later\"")).unwrap();
    let failed = r#"gateway_reload_failed{what="configuration"}"#;
    for _ in 0..3 {
        stage.reloader.reload_if_changed().await;
        let metrics = stage.metrics(&certificate).await;
        assert!(metrics.contains(&format!("{failed} 1")), "{metrics}");
        // The failure is counted once.
        assert!(metrics.contains(r#"gateway_reloads_total{what="configuration",outcome="failed"} 1"#), "{metrics}");
    }
    std::fs::write(stage.directory.path().join("later"), "sk_live_later").unwrap();
    stage.reloader.reload_if_changed().await;
    assert!(stage.metrics(&certificate).await.contains(&format!("{failed} 0")));
    stage.get(&certificate, "/customers?connection=odd").await.unwrap();
    assert!(stage.vendor.heads().last().unwrap().contains("Bearer sk_live_later"));
}

#[tokio::test]
async fn change_right_after_load_is_detected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    crate::command_line::configure(&path, "http://127.0.0.1:1", "watch = \"5s\"");
    let clock: SharedClock = Arc::new(MovableClock::new());
    let config = Config::load(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("5s", "7s")).unwrap();
    let mut reloader = Reloader::new(path, App::new(config, &clock).unwrap());
    reloader.reload_if_changed().await;
    assert_eq!(reloader.interval(), Duration::from_secs(7));
}

#[tokio::test]
async fn watched_configuration_is_reloaded_on_change() {
    let (mut stage, certificate) = Stage::start("watch = \"5s\"").await;
    assert_eq!(stage.reloader.interval(), Duration::from_secs(5));
    let path = stage.directory.path().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("name = \"odd\"", "name = \"even\"").replace("5s", "7s")).unwrap();
    stage.reloader.reload_if_changed().await;
    assert!(stage.get(&certificate, "/connections/even").await.is_some());
    assert_eq!(stage.reloader.interval(), Duration::from_secs(7));

    // An invalid configuration is reported, and the valid one stays.
    std::fs::write(&path, text.replace("vendor = \"tolt\"", "vendor = \"told\"")).unwrap();
    stage.reloader.reload_if_changed().await;
    assert!(stage.get(&certificate, "/connections/even").await.is_some());
    assert!(stage.metrics(&certificate).await.contains(r#"gateway_reload_failed{what="configuration"} 1"#));

    // A changed secret is a change, too.
    std::fs::write(&path, &text).unwrap();
    stage.reloader.reload_if_changed().await;
    std::fs::write(stage.directory.path().join("secret"), "sk_live_renewed").unwrap();
    stage.reloader.reload_if_changed().await;
    stage.get(&certificate, "/customers?connection=odd").await.unwrap();
    assert!(stage.vendor.heads().last().unwrap().contains("Bearer sk_live_renewed"));
}
