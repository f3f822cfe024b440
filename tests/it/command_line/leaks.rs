//! Secrets and customer data in logs, metrics and problems.

use std::fmt::Write;

use customer_gateway::sandbox::{Fault, Options, Sandbox};
use serde_json::Value;

use super::{Running, command};

const KEY: &str = "cgk_key_of_the_caller_growth";
const UNKNOWN_KEY: &str = "cgk_key_that_nobody_has";
const CURSOR_KEY: &str = "secret-of-the-cursors";

/// Returns a configuration with both simulated vendors and a caller.
fn configuration(sandbox: &Sandbox) -> String {
    let (tolt, corporation) = (sandbox.tolt(), sandbox.corporation());
    let digest = blake3::hash(KEY.as_bytes());
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
[paging]
cursor_key = {{ env = "CURSOR_KEY" }}
[[connections]]
name = "affiliates"
vendor = "tolt"
base_url = "{}"
credential = {{ env = "TOLT_KEY" }}
program_id = "{}"
[[connections]]
name = "tax"
vendor = "corporation"
base_url = "{}"
credential = {{ env = "CORPORATION_TOKEN" }}
corporation_id = "{}"
rate_limit = {{ requests = 1000, per = "1s" }}
[[callers]]
name = "growth"
key_digest = "blake3:{digest}"
connections = ["affiliates", "tax"]
may_purge = true
"#,
        tolt.base_url(),
        tolt.program_id(),
        corporation.base_url(),
        corporation.corporation_id(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_contains_secrets_or_customer_data() {
    let options = Options {
        tolt_customers: 30,
        tolt_transactions: 30,
        corporation_customers: 30,
        enforce_rate_limits: false,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    std::fs::write(&path, configuration(&sandbox)).unwrap();
    let mut running = Running::spawn(
        command(&["--log-format", "json", "serve", "--config", path.to_str().unwrap()])
            .env("CURSOR_KEY", CURSOR_KEY)
            .env("TOLT_KEY", sandbox.tolt().credential())
            .env("CORPORATION_TOKEN", sandbox.corporation().credential()),
    );
    let mut said = running.read_log_until(r#""message":"server started""#);
    let serving: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let url = format!("http://{}", serving["fields"]["listen"].as_str().unwrap());

    // In the vendor's own notation.
    let customers = serde_json::to_value(sandbox.tolt().customers()).unwrap();
    let customers = customers.as_array().unwrap();
    let [email, id] = ["email", "id"].map(|member| customers[0][member].as_str().unwrap());
    let encoded = email.replace('@', "%40").replace('+', "%2B");
    let client = reqwest::Client::new();
    let ask = async |target: &str, key: &str, accept: &str| {
        let request = client.get(format!("{url}{target}")).bearer_auth(key).header("accept", accept);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let right = [
        "/customers".to_owned(),
        format!("/customers?email={encoded}"),
        format!("/customers?search={encoded}&connection=tax"),
        "/customers?connection=affiliates&expand=partner&expand=program&include=raw".to_owned(),
        format!("/customers/affiliates.{id}?expand=stats"),
        format!("/customers/affiliates.{id}/transactions"),
        format!("/explain/customers?email={encoded}"),
    ];
    for target in &right {
        for accept in ["application/json", "application/x-ndjson", "text/csv"] {
            let (status, text) = ask(target, KEY, accept).await;
            assert!(status == 200 || (status == 400 && accept == "text/csv"), "{target}: {status} {text}");
        }
    }
    // Failures are reported in a problem document. The document may contain the
    // caller's own input, but no customer data.
    let mut told = String::new();
    for fault in
        [Fault::Status(401), Fault::Status(400), Fault::Status(520), Fault::Html, Fault::Truncated, Fault::Status(429)]
    {
        sandbox.tolt().fail_next(4, fault);
        let (status, text) = ask("/customers?connection=affiliates&status=cancelled&limit=3", KEY, "*/*").await;
        writeln!(told, "{status} {text}").unwrap();
        let purge = client.delete(format!("{url}/cache")).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(purge.status(), 200);
    }
    for target in ["/customers", "/customers?limit=many", "/nope", "/customers/tax.cust_nobody"] {
        writeln!(told, "{}", ask(target, UNKNOWN_KEY, "*/*").await.1).unwrap();
    }
    // The caller's own input appears in the response, but not in the log.
    assert_eq!(ask(&format!("/customers?limit={encoded}"), KEY, "*/*").await.0, 400);
    assert_eq!(ask(&format!("/customers?{encoded}=1"), KEY, "*/*").await.0, 400);
    assert_eq!(ask(&format!("/{encoded}"), KEY, "*/*").await.0, 404);
    running.signal("HUP");
    said += &running.read_log_until("configuration reloaded");
    for target in ["/metrics", "/readyz", "/connections"] {
        told += &ask(target, KEY, "*/*").await.1;
    }
    running.terminate();
    said += &running.wait().1;
    assert!(said.lines().filter(|line| line.contains(r#""target":"request""#)).count() > 30, "{said}");

    let secrets = [KEY, UNKNOWN_KEY, CURSOR_KEY, sandbox.tolt().credential(), sandbox.corporation().credential()];
    let people =
        customers.iter().flat_map(|customer| [customer["email"].as_str(), customer["name"].as_str()]).flatten();
    for word in secrets.into_iter().chain(people).chain(["%40", "@"]).filter(|word| !word.is_empty()) {
        for (what, text) in [("the log", &said), ("a metric or a problem", &told)] {
            let line = text.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "{word} is in {what}");
        }
    }
}
