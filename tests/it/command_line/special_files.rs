//! Configuration files that are not regular files. FACTS.md, cases 115 to 117.

use std::{path::Path, process::Command};

use super::{command, configure, run, serving, text};
use crate::support::{ScriptedVendor, tolt_page, tolt_row, until};

fn make_fifo(path: &Path) {
    std::fs::remove_file(path).ok();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn special_file_is_named_at_startup() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    let path = directory.path().join("gateway.toml");
    let callers = "[[callers]]\nname = \"app\"\nclaims = { azp = \"app\" }\nconnections = [\"odd\"]\n";
    for file in ["fifo", "/dev/zero", "."] {
        for rest in [
            format!("tls = {{ certificate = \"{file}\", key = \"secret\" }}"),
            format!("[paging]\ncursor_key = {{ file = \"{file}\" }}"),
            format!("[telemetry]\notlp_endpoint = \"http://127.0.0.1:1\"\nheaders = {{ a = {{ file = \"{file}\" }} }}"),
            format!("[identity]\nissuer = \"i\"\naudience = \"a\"\njwks = {{ file = \"{file}\" }}\n{callers}"),
        ] {
            configure(&path, "http://127.0.0.1:1", &rest);
            let output = run(&["check", "--config", path.to_str().unwrap()]).await;
            let said = text(&output.stderr);
            let name = directory.path().join(file).display().to_string();
            assert!(!output.status.success() && said.contains(&name) && said.contains("not a regular file"), "{said}");
        }
    }
    for path in [&fifo, Path::new("/dev/zero"), directory.path()] {
        let output = run(&["serve", "--config", path.to_str().unwrap()]).await;
        let said = text(&output.stderr);
        assert!(said.contains(path.to_str().unwrap()) && said.contains("not a regular file"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn special_ca_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    let path = directory.path().join("gateway.toml");
    configure(&path, "http://127.0.0.1:1", "");
    for file in [fifo.to_str().unwrap(), "/dev/zero"] {
        let mut check = command(&["check", "--config", path.to_str().unwrap()]);
        let output = check.env("SSL_CERT_FILE", file).output().unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(file) && said.contains("not a regular file"), "{said}");
        let output = run(&["export", "--output", "-", "--cacert", file]).await;
        let said = text(&output.stderr);
        assert!(said.contains(file) && said.contains("not a regular file"), "{said}");
    }
}

/// A secret that becomes a FIFO, as on a mount that does not answer.
#[tokio::test(flavor = "multi_thread")]
async fn watched_fifo_blocks_no_request_and_no_exit() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let (mut running, url) = serving::serve_with(directory.path(), &vendor, "watch = \"10ms\"");
    let get = async |target: &str| reqwest::get(format!("{url}{target}")).await.unwrap();
    make_fifo(&directory.path().join("secret"));
    let logged = running.read_log_until("configuration reload failed");
    assert!(logged.contains("not a regular file"), "{logged}");
    for target in ["/livez", "/customers?partner_id=a", "/customers?partner_id=b"] {
        assert_eq!(get(target).await.status(), 200, "{target}");
    }
    std::fs::remove_file(directory.path().join("secret")).unwrap();
    std::fs::write(directory.path().join("secret"), "sk_live_renewed").unwrap();
    running.read_log_until("configuration reloaded");
    assert_eq!(get("/customers?partner_id=c").await.status(), 200);
    until(|| vendor.heads().last().unwrap().contains("sk_live_renewed")).await;
    make_fifo(&directory.path().join("secret"));
    running.read_log_until("configuration reload failed");
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
}
