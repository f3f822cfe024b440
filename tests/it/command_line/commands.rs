//! Commands that print a result and exit.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{command, configure, run, text};
use crate::support::{Reply, SECRET, ScriptedVendor, tolt_page, tolt_row};

#[tokio::test]
async fn openapi_prints_the_document() {
    let output = run(&["openapi"]).await;
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    assert!(document["paths"]["/customers"]["get"].is_object());
    assert_eq!(text(&output.stderr), "", "only the document, for use in a pipe");
}

#[tokio::test]
async fn key_prints_a_new_key_and_its_digest() {
    let mut keys = Vec::new();
    for _ in 0..2 {
        let output = run(&["key"]).await;
        assert!(output.status.success());
        let printed = text(&output.stdout);
        let after = |label| printed.lines().find_map(|line: &str| line.strip_prefix(label)).unwrap().trim().to_owned();
        let (key, digest) = (after("key "), after("key_digest "));
        assert_eq!(digest, format!("blake3:{}", blake3::hash(key.as_bytes()).to_hex()));
        assert!(printed.contains(&format!("key_digest = \"{digest}\"")), "{printed}");
        assert!(key.starts_with("cgk_") && key.len() > 40, "{key}");
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn key_json_prints_one_object() {
    let output = run(&["key", "--json"]).await;
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let digest = blake3::hash(printed["key"].as_str().unwrap().as_bytes()).to_hex();
    assert_eq!(printed["key_digest"], format!("blake3:{digest}"));
    assert_eq!(printed.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn version_names_the_commit_if_known() {
    let printed = run(&["--version"]).await.stdout;
    let version = env!("CARGO_PKG_VERSION");
    let expected = match env!("GATEWAY_BUILD_COMMIT") {
        "unknown" => format!("customer-gateway {version}\n"),
        commit => {
            assert!(commit.len() >= 7 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{commit}");
            format!("customer-gateway {version} ({commit})\n")
        }
    };
    assert_eq!(text(&printed), expected);
}

#[tokio::test]
async fn completions_are_valid_bash() {
    let output = run(&["generate", "completions", "bash"]).await;
    assert!(output.status.success(), "{output:?}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, &output.stdout).unwrap();
    // Completes the first letters of a command, as bash does at a tab.
    let script = "source \"$0\" && COMP_WORDS=(customer-gateway san) COMP_CWORD=1 \
        && $(complete -p customer-gateway | grep -o '_[a-z_]*') customer-gateway san customer-gateway && echo \"${COMPREPLY[@]}\"";
    let bash = std::process::Command::new("bash").args(["-c", script]).arg(file.path()).output().unwrap();
    assert_eq!(text(&bash.stdout), "sandbox\n", "{bash:?}");
}

#[tokio::test]
async fn man_pages_describe_each_listed_command() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    let output = run(&["generate", "man", pages.to_str().unwrap()]).await;
    assert!(output.status.success(), "{output:?}");
    let mut names: Vec<_> =
        std::fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let config = ["-config-print.1", "-config-schema.1", "-config.1"];
    let listed = [
        "-check.1",
        config[0],
        config[1],
        config[2],
        "-export.1",
        "-healthcheck.1",
        "-key.1",
        "-openapi.1",
        "-sandbox.1",
        "-serve.1",
        ".1",
    ];
    assert_eq!(names, listed.map(|name| format!("customer-gateway{name}")));
    let page = std::fs::read_to_string(pages.join("customer-gateway-key.1")).unwrap();
    assert!(page.contains("customer-gateway-key") && page.contains("\\-\\-json"), "{page}");
    let blocked = run(&["generate", "man", "/dev/null/pages"]).await;
    assert_eq!(blocked.status.code(), Some(1));
    assert!(text(&blocked.stderr).contains("choose a writable directory"), "{blocked:?}");
}

#[tokio::test]
async fn check_validates_without_calling_a_vendor() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let vendor = ScriptedVendor::replying(tolt_page(&[], false)).await;
    configure(&path, &vendor.base_url, "[cache]\nnot_found = \"1s\"");
    let output = run(&["check", "--config", path.to_str().unwrap()]).await;
    assert!(output.status.success(), "{output:?}");
    let said = text(&output.stdout)
        .replace(&vendor.base_url, "[vendor]")
        .replace(directory.path().to_str().unwrap(), "[here]");
    assert_snapshot!(said, @r#"
    odd: tolt at [vendor]/
    [here]/gateway.toml is valid
    paging.cursor_key is missing: cursors will not survive a restart or work on other replicas; write cursor_key = { env = "VARIABLE" } or { file = "path" }
    "#);
    assert_eq!(vendor.connections(), 0);
}

#[test]
fn check_accepts_the_example_with_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.example.toml");
    let example = std::fs::read_to_string(example).unwrap().replace("/run/secrets/corporation-token", "token");
    std::fs::write(&path, example).unwrap();
    std::fs::write(directory.path().join("token"), SECRET).unwrap();
    let mut check = command(&["check", "--config", path.to_str().unwrap()]);
    let output = check.env_remove("TOLT_API_KEY").output().unwrap();
    assert!(text(&output.stderr).contains("the environment variable TOLT_API_KEY is not set"), "{output:?}");
    let output = check.env("TOLT_API_KEY", SECRET).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!format!("{}{}", text(&output.stdout), text(&output.stderr)).contains(SECRET), "{output:?}");
}

#[tokio::test]
async fn check_of_an_invalid_file_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    configure(&path, "nowhere", "");
    let output = run(&["check", "--config", path.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert_snapshot!(text(&output.stderr).replace(directory.path().to_str().unwrap(), "[here]"), @r#"Error: [here]/gateway.toml:7: connections.odd.base_url: invalid base URL; write an http or https URL without query and password, such as "https://api.tolt.com""#);
}

#[tokio::test]
async fn missing_configuration_fails_every_command() {
    let outputs = [run(&["check", "--config", "/nowhere"]).await, run(&["serve", "--config", "/nowhere"]).await];
    for output in &outputs {
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    }
    assert_eq!(outputs[0].stderr, outputs[1].stderr);
    assert_snapshot!(text(&outputs[0].stderr), @"Error: /nowhere: cannot be read: No such file or directory (os error 2); pass another path with --config, or copy gateway.example.toml");
}

#[tokio::test]
async fn check_live_calls_each_connection_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    configure(&path, &vendor.base_url, "");
    let output = run(&["check", "--live", "--config", path.to_str().unwrap()]).await;
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).ends_with("odd: ok, 1 customers\n"), "{output:?}");
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test]
async fn check_live_fetches_the_jwks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let vendor = ScriptedVendor::replying(tolt_page(&[tolt_row("cust_1")], false)).await;
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"});
    let provider = ScriptedVendor::start(move |call, _| match call {
        0 => Reply::json(&json!({"keys": [key]})),
        1 => Reply::json(&json!({"keys": []})),
        _ => Reply::text(500, ""),
    })
    .await;
    let identity = format!(
        "[identity]\nissuer = \"i\"\naudience = \"a\"\njwks = {{ url = \"{}\" }}\n\
         [[callers]]\nname = \"app\"\nclaims = {{ azp = \"app\" }}\nconnections = [\"odd\"]\n",
        provider.base_url
    );
    configure(&path, &vendor.base_url, &identity);
    let offline = run(&["check", "--config", path.to_str().unwrap()]).await;
    assert_eq!((offline.status.code(), provider.calls()), (Some(0), 0), "{offline:?}");
    let mut said = Vec::new();
    for _ in 0..3 {
        let output = run(&["check", "--live", "--config", path.to_str().unwrap()]).await;
        let line = text(&output.stdout).lines().last().unwrap().to_owned();
        said.push(format!("{line}, {:?}", output.status.code().unwrap()));
        assert_eq!(output.status.success(), text(&output.stderr).is_empty(), "{output:?}");
    }
    assert_snapshot!(said.join("\n"), @r"
    identity: ok, 1 keys, 0
    identity: the key set contains no key that can verify a token, 1
    identity: unexpected response status 500 Internal Server Error, 1
    ");
}

#[tokio::test]
async fn check_live_fails_if_a_vendor_rejects() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let body = format!(r#"{{"error": {{"message": "Invalid key {SECRET}", "type": "authentication_error"}}}}"#);
    let vendor = ScriptedVendor::start(move |_, _| Reply::text(401, &body)).await;
    configure(&path, &vendor.base_url, "");
    let output = run(&["check", "--live", "--config", path.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(stdout.ends_with("odd: the vendor rejected the credential\n"), "{stdout}");
    assert!(stderr.contains("1 of 1 connections failed"), "{stderr}");
    assert!(!stdout.contains(SECRET) && !stderr.contains(SECRET), "{stdout}{stderr}");
}

#[tokio::test]
async fn unknown_command_lists_the_commands() {
    let output = run(&["sreve"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("serve"), "{output:?}");
}
