//! Commands that run until a signal.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    sync::Arc,
};

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Running, check_printed, command, configure, run, text};
use crate::identity::signer::Signer;
use crate::support::{Reply, SECRET, ScriptedVendor, ids, tolt_page, tolt_row, until};

/// Returns the quoted URLs of lines that start with `curl`.
fn curl_urls(said: &str) -> Vec<String> {
    said.lines().filter_map(|line| line.trim().strip_prefix("curl '")?.strip_suffix('\'')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_prints_working_curl_commands() {
    let mut running = Running::start(&[
        "sandbox",
        "--port",
        "0",
        "--tolt-customers",
        "20",
        "--tolt-transactions",
        "20",
        "--corporation-customers",
        "20",
    ]);
    let greeting = running.read_stdout_until("Stop with Ctrl-C.");
    let urls = curl_urls(&greeting);
    assert_eq!(urls.len(), 3);
    assert!(greeting.contains("/docs. "), "{greeting}");
    assert!(greeting.contains("changed or deleted 4 times a minute"), "{greeting}");
    // The vendors accept the printed credentials at the printed addresses.
    let vendors: Vec<_> = greeting.lines().filter_map(|line| line.split_once(", credential ")).collect();
    assert_eq!(vendors.len(), 2, "{greeting}");
    for (address, rest) in vendors {
        let (url, secret) = (address.rsplit_once(": ").unwrap().1, rest.split(',').next().unwrap());
        let request = |secret: &str| reqwest::Client::new().get(format!("{url}/v1/none")).bearer_auth(secret).send();
        assert_ne!(request(secret).await.unwrap().status(), 401, "{url}");
        assert_eq!(request("wrong").await.unwrap().status(), 401, "{url}");
    }
    for url in urls {
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
    }
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_changes_are_optional_and_bounded() {
    let mut running = Running::start(&["sandbox", "--port", "0", "--tolt-customers", "20", "--changes", "0"]);
    let greeting = running.read_stdout_until("Stop with Ctrl-C.");
    assert!(greeting.contains("The rows of the vendors do not change."), "{greeting}");
    // The greeting precedes the signal handler, and the response follows it.
    assert_eq!(reqwest::get(&curl_urls(&greeting)[0]).await.unwrap().status(), 200);
    running.terminate();
    assert!(running.wait().0.success());

    for changes in ["-1", "60001", "some"] {
        let output = run(&["sandbox", "--port", "0", &format!("--changes={changes}")]).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(super::text(&output.stderr).contains("--changes <NUMBER>"), "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_configuration_passes_live_check() {
    let mut running = Running::start(&["sandbox", "--port", "0", "--print-config"]);
    let printed = running.read_stdout_until("corporation_id");
    let said = check_printed(&printed);
    assert!(said.contains("affiliates: ok, ") && said.contains("tax: ok"), "{said}");
    running.terminate();
    assert!(running.wait().0.success());
}

/// Starts a gateway in front of this vendor, and returns its URL.
pub(super) fn serve(directory: &Path, vendor: &ScriptedVendor) -> (Running, String) {
    serve_with(directory, vendor, "")
}

/// Starts a gateway with more settings, and returns its URL.
pub(super) fn serve_with(directory: &Path, vendor: &ScriptedVendor, settings: &str) -> (Running, String) {
    let path = directory.join("gateway.toml");
    configure(&path, &vendor.base_url, settings);
    let mut running = Running::start(&["--log-format", "json", "serve", "--config", path.to_str().unwrap()]);
    let logged = running.read_log_until(r#""message":"server started""#);
    let serving: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", serving["fields"]["listen"].as_str().unwrap());
    (running, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_answers_requests() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let (running, url) = serve(directory.path(), &vendor);
    let page: Value =
        serde_json::from_str(&reqwest::get(format!("{url}/customers")).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(ids(&page), ["odd.cust_1"]);
    assert!(vendor.heads()[0].contains(SECRET));
    running.terminate();
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_flight_request_is_answered_before_exit() {
    let directory = tempfile::tempdir().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let vendor = ScriptedVendor::start({
        let gate = Arc::clone(&gate);
        move |_, _| Reply::json(&tolt_page(&[tolt_row("cust_1")], false)).gated_by(&gate)
    })
    .await;
    let (running, url) = serve(directory.path(), &vendor);
    let in_flight = tokio::spawn(reqwest::get(format!("{url}/customers")));
    until(|| vendor.calls() == 1).await;

    running.terminate();
    // The listener is closed, so the shutdown has begun.
    let address = url.trim_start_matches("http://").to_owned();
    until(|| TcpStream::connect(&address).is_err()).await;
    gate.add_permits(1);

    assert_eq!(in_flight.await.unwrap().unwrap().status(), 200);
    let (status, rest) = running.wait();
    assert!(status.success(), "{rest}");
    assert!(!rest.contains("drain timeout"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn occupied_port_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let path = directory.path().join("gateway.toml");
    configure(&path, "http://127.0.0.1:1", "");
    let text = std::fs::read_to_string(&path).unwrap().replace("127.0.0.1:0", &address);
    std::fs::write(&path, text).unwrap();
    let output = run(&["serve", "--config", path.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(super::text(&output.stderr).contains(&format!("cannot listen on {address}")), "{output:?}");
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["sandbox", "--port", &port]).await;
    assert!(super::text(&output.stderr).contains("choose another port with --port"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_log_contains_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::start(|_, _| Reply::text(401, &format!(r#"{{"message": "bad key {SECRET}"}}"#))).await;
    let path = directory.path().join("gateway.toml");
    configure(&path, &vendor.base_url, "");
    let arguments = ["--log-format", "json", "serve", "--config", path.to_str().unwrap()];
    let mut running = Running::spawn(command(&arguments).env("RUST_LOG", "trace"));
    let mut logged = running.read_log_until(r#""message":"server started""#);
    let serving: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", serving["fields"]["listen"].as_str().unwrap());
    let client = reqwest::Client::new();
    // Read concurrently, so the pipe never fills.
    let asked = tokio::spawn(async move {
        client.get(format!("{url}/customers?email=jim%40example.com")).bearer_auth("cgk_of_a_caller").send().await
    });
    logged += &running.read_log_until(r#""target":"request""#);
    running.terminate();
    let (_, rest) = running.wait();
    logged += &rest;
    assert_eq!(asked.await.unwrap().unwrap().status(), 502);
    assert!(logged.contains("TRACE"), "the trace level is logged");
    for secret in [SECRET, "cgk_of_a_caller"] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is logged");
    }
}

/// Returns the drift log lines for a list and a single row with these fields.
async fn drift_log(more: Value) -> Vec<Value> {
    let mut row = tolt_row("cust_1");
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let vendor = ScriptedVendor::start(move |_, target| {
        let is_list = target.starts_with("/v1/customers?");
        let page = if is_list { tolt_page(std::slice::from_ref(&row), false) } else { json!({"data": row}) };
        Reply::json(&page)
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let (running, url) = serve(directory.path(), &vendor);
    for target in ["/customers", "/customers/odd.cust_1"] {
        assert_eq!(reqwest::get(format!("{url}{target}")).await.unwrap().status(), 200);
    }
    let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    running.terminate();
    let (_, logged) = running.wait();
    for data in ["jim@example.com", "gold", SECRET] {
        assert!(!logged.contains(data) && !metrics.contains(data), "{logged}{metrics}");
    }
    let lines = logged.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_of_drift = |fields: &Value| fields["message"].as_str().is_some_and(|text| text.starts_with("vendor sent"));
    lines.map(|mut line| line["fields"].take()).filter(is_of_drift).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_logged_once_without_values() {
    let more = json!({"tier": "gold", "jim@example.com": 1, SECRET: 1, "status": "gold"});
    assert_json_snapshot!(drift_log(more).await, @r#"
    [
      {
        "message": "vendor sent an undocumented value",
        "connection": "odd",
        "field": "customer.status"
      },
      {
        "message": "vendor sent an undocumented field",
        "connection": "odd",
        "object": "customer"
      },
      {
        "message": "vendor sent an undocumented field",
        "connection": "odd",
        "object": "customer",
        "field": "[redacted]"
      },
      {
        "message": "vendor sent an undocumented field",
        "connection": "odd",
        "object": "customer",
        "field": "tier"
      }
    ]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn logged_unknown_fields_are_bounded() {
    let many: serde_json::Map<_, _> = (0..200).map(|index| (format!("extra_{index}"), json!("gold"))).collect();
    assert_eq!(drift_log(many.into()).await.len(), 48);
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_log_contains_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::es256("a");
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let provider = ScriptedVendor::replying(json!({"keys": [signer.jwk]})).await;
    let path = directory.path().join("gateway.toml");
    let identity = format!(
        "[identity]\nissuer = \"i\"\naudience = \"a\"\njwks = {{ url = \"{}/keys\" }}\n\
         [[callers]]\nname = \"jim\"\nclaims = {{ sub = \"jim@example.com\" }}\nconnections = [\"odd\"]\n",
        provider.base_url
    );
    configure(&path, &vendor.base_url, &identity);
    let arguments = ["--log-format", "json", "serve", "--config", path.to_str().unwrap()];
    let mut running = Running::spawn(command(&arguments).env("RUST_LOG", "trace"));
    let mut logged = running.read_log_until(r#""message":"server started""#);
    let serving: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    let url = format!("http://{}/customers", serving["fields"]["listen"].as_str().unwrap());
    let token = |key: &str, sub: &str| {
        let claims = json!({"iss": "i", "aud": "a", "exp": 99_999_999_999_u64, "sub": sub});
        signer.token_with(&json!({"alg": "ES256", "kid": key}), &claims)
    };
    // Valid, valid again, without a caller, and signed with an unknown key.
    let right = token("a", "jim@example.com");
    let tokens = [right.clone(), right, token("a", "ann@example.com"), token("a-strange-key", "jim@example.com")];
    let asked = tokio::spawn({
        let tokens = tokens.clone();
        async move {
            let mut statuses = Vec::new();
            for token in tokens {
                let request = reqwest::Client::new().get(&url).bearer_auth(token);
                statuses.push(request.send().await.unwrap().status().as_u16());
            }
            statuses
        }
    });
    // Read concurrently, so the pipe never fills.
    for _ in &tokens {
        logged += &running.read_log_until(r#""target":"request""#);
    }
    assert_eq!(asked.await.unwrap(), [200, 200, 401, 401]);
    running.terminate();
    let (_, rest) = running.wait();
    logged += &rest;
    assert!(logged.contains("TRACE") && logged.contains("JWKS refreshed"), "the trace level is logged");
    let parts = tokens.iter().flat_map(|token| token.split('.'));
    for secret in parts.chain(["jim@example.com", "ann@example.com", "a-strange-key"]) {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is logged");
    }
}

#[tokio::test]
async fn healthcheck_exit_code_reports_readiness() {
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let gateway = vendor.gateway("tolt").await;
    let check = |url: String| async move { run(&["healthcheck", "--url", &url]).await };

    assert!(check(format!("{}/readyz", gateway.url)).await.status.success());
    let unready = check(format!("{}/nope", gateway.url)).await;
    assert!(!unready.status.success() && text(&unready.stderr).contains("404"), "{unready:?}");
    assert_eq!(vendor.calls(), 0);
}

/// jemalloc returns freed memory in threads of its own, in an idle process too.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn freed_memory_is_returned_by_a_thread() {
    let directory = tempfile::tempdir().unwrap();
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    let (running, _url) = serve(directory.path(), &vendor);
    let tasks = format!("/proc/{}/task", running.child.id());
    let name = |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.unwrap().path().join("comm"));
    until(|| std::fs::read_dir(&tasks).unwrap().any(|task| name(task).is_ok_and(|name| name == "jemalloc_bg_thd\n")))
        .await;
}
