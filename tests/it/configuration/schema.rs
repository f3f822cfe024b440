//! The JSON Schema of configuration files, and the effective configuration.

use std::{fs, path::Path};

use customer_gateway::config::Config;
use jsonschema::Validator;
use serde_json::Value;

use super::{ConfigDir, minimal};

fn schema() -> Validator {
    jsonschema::validator_for(&serde_json::from_str(&Config::schema()).unwrap()).unwrap()
}

/// Returns the errors of a TOML text.
fn errors(schema: &Validator, text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).unwrap();
    schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn checked_in_schema_matches_the_code() {
    let checked_in = fs::read_to_string("gateway.schema.json").unwrap();
    assert!(
        checked_in.trim_end() == Config::schema(),
        "regenerate it: cargo run -- config schema > gateway.schema.json"
    );
}

#[test]
fn example_files_match_the_schema() {
    let schema = schema();
    for path in ["gateway.example.toml", "deploy/gateway.toml", "deploy/kubernetes/gateway.toml"] {
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(errors(&schema, &text), [""; 0], "{path}");
        // Keys that are commented out are examples too.
        let text: String = text.lines().map(|line| uncommented(line).to_owned() + "\n").collect();
        if path == "gateway.example.toml" {
            assert_eq!(errors(&schema, &text), [""; 0], "{text}");
        }
    }
    let readme = fs::read_to_string("README.md").unwrap();
    let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(errors(&schema, block), [""; 0]);
}

/// Returns the key or section of a commented line.
fn uncommented(line: &str) -> &str {
    let rest = line.strip_prefix("# ").unwrap_or(line);
    let is_key =
        rest.split_once(" = ").is_some_and(|(key, _)| key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'));
    if rest.starts_with("rate_limit = [") {
        // The file shows the other form too.
        line
    } else if is_key || (rest.starts_with('[') && rest.ends_with(']')) {
        rest
    } else {
        line
    }
}

#[test]
fn schema_rejects_what_the_gateway_rejects() {
    let schema = schema();
    let place = ConfigDir::new();
    let valid = minimal();
    assert_eq!(errors(&schema, &valid), [""; 0]);
    for (text, other) in [
        ("name = \"affiliates\"", "name = \"Affiliates\""),
        ("vendor = \"tolt\"", "vendor = \"acme\""),
        ("program_id", "programme"),
        ("[[connections]]", "[server]\nport = 1\n[[connections]]"),
        ("[[connections]]", "[cache]\nfresh = 30\n[[connections]]"),
        ("[[connections]]", "[paging]\nmax_vendor_calls = 0\n[[connections]]"),
        ("[[connections]]", "[paging]\ncursor_key = \"inline\"\n[[connections]]"),
        ("program_id", "rate_limit = { requests = 0, per = \"1s\" }\nprogram_id"),
        ("program_id", "rate_limit = []\nprogram_id"),
    ] {
        let text = valid.replacen(text, other, 1);
        assert_ne!(text, valid);
        assert_ne!(errors(&schema, &text), [""; 0], "{text}");
        place.error_for(&text);
    }
}

/// Returns a file with a caller.
fn with_caller() -> String {
    let digest = blake3::hash(b"key").to_hex();
    let caller = format!("name = \"app\"\nkey_digest = \"blake3:{digest}\"\nconnections = [\"tax\"]\nshare = 0.25");
    format!("[[callers]]\n{caller}\n{}", minimal())
}

#[test]
fn effective_configuration_is_equal() {
    let (place, text) = (ConfigDir::new(), with_caller());
    let effective = Config::effective(&text, &place.path("gateway.toml")).unwrap();
    assert_eq!(errors(&schema(), &effective), [""; 0], "{effective}");
    let [read, again] = [&text, &effective].map(|text| place.parse(text).unwrap());
    assert_eq!(format!("{:?}", read.server), format!("{:?}", again.server));
    assert_eq!(read.paging.limits(), again.paging.limits());
    assert_eq!(read.cache.max_bytes, again.cache.max_bytes);
    assert_eq!(read.connections, again.connections);
    assert_eq!(format!("{:?}", read.callers), format!("{:?}", again.callers));
    // The effective configuration of the effective configuration is itself.
    assert_eq!(Config::effective(&effective, &place.path("gateway.toml")).unwrap(), effective);
}

#[test]
fn effective_configuration_is_complete() {
    let place = ConfigDir::new();
    let effective = Config::effective(&with_caller(), &place.path("gateway.toml")).unwrap();
    insta::assert_snapshot!(effective, @r#"
    [server]
    listen = "127.0.0.1:8080"
    request_timeout = "30s"
    header_timeout = "10s"
    idle_timeout = "2m"
    max_connections = 10000
    max_requests = 2048
    max_vendor_bytes = "64MiB"
    max_unread_bytes = "64MiB"
    drain_timeout = "20s"
    
    [paging]
    max_vendor_calls = 20
    max_sorted_rows = 50000
    max_export_sorted_rows = 100000
    
    [cache]
    max_bytes = "256MiB"
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [[connections]]
    name = "affiliates"
    vendor = "tolt"
    base_url = "https://api.tolt.com/"
    timeout = "10s"
    program_id = "x"
    
    [connections.credential]
    file = "secret"
    
    [connections.rate_limit]
    requests = 25
    per = "1s"
    max_wait = "5s"
    
    [connections.cache.customers]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [connections.cache.customer]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [connections.cache.transactions]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [[connections]]
    name = "tax"
    vendor = "corporation"
    base_url = "https://api.prod.commenda.io/api/v1"
    timeout = "10s"
    corporation_id = "x"
    
    [connections.credential]
    file = "secret"
    
    [connections.rate_limit]
    requests = 5
    per = "1s"
    max_wait = "5s"
    
    [connections.cache.customers]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [connections.cache.customer]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [connections.cache.transactions]
    fresh = "30s"
    stale_while_revalidate = "5m"
    stale_if_error = "1h"
    not_found = "10s"
    
    [[callers]]
    name = "app"
    key_digest = "blake3:ff8e2bab3b26e0c127002127905539b47eb421de85d554e15f55a446459b52b4"
    keys = []
    connections = ["tax"]
    may_see_raw = true
    may_purge = false
    share = 0.25
    
    [callers.fields]
    deny = []
    mask = []
    "#);
}

#[test]
fn effective_configuration_has_no_secret() {
    let place = ConfigDir::new();
    let secret = fs::read_to_string(place.path("secret")).unwrap();
    // Secrets are not read either.
    let text = minimal().replacen("{ file = \"secret\" }", "{ env = \"NO_SUCH_VARIABLE\" }", 1);
    let effective = Config::effective(&text, Path::new(&place.path("gateway.toml"))).unwrap();
    assert!(!effective.contains(secret.trim()), "{effective}");
}
