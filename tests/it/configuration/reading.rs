//! Values of valid files.

use std::{path::Path, time::Duration};

use customer_gateway::{
    cache::Policy,
    callers::CallerKey,
    domain::query::Resource,
    identity::{Jwks, Settings},
    shared::{self, OnLoss, RedisUrl},
    upstream::Share,
};

use super::{ConfigDir, VARIABLE, minimal};

/// The example of DESIGN, as printed there except for its placeholder.
const DESIGN: &str = r#"
[server]
listen = "127.0.0.1:8080"

[[connections]]
name = "affiliates"
vendor = "tolt"
base_url = "https://api.tolt.com"
credential = { env = "TOLT_API_KEY" }
program_id = "prg_YRsbPDAKhWfdqJbFACheh"

[[connections]]
name = "tax"
vendor = "corporation"
base_url = "https://api.prod.commenda.io/api/v1"
credential = { file = "/run/secrets/corporation-token" }
corporation_id = "corp_123"
rate_limit = { requests = 5, per = "1s" }
timeout = "10s"

[cache]
max_bytes = "256MiB"
fresh = "30s"
stale_while_revalidate = "5m"
stale_if_error = "1h"
not_found = "10s"

[[callers]]
name = "billing"
key_digest = "blake3:<hex>"
connections = ["affiliates", "tax"]
"#;

/// Returns a file with the secrets of a test's directory.
fn with_test_secrets(text: &str) -> String {
    let digest = blake3::hash(b"key").to_hex();
    text.replace("TOLT_API_KEY", VARIABLE).replace("/run/secrets/corporation-token", "secret").replace("<hex>", &digest)
}

#[test]
fn example_of_the_design_is_valid() {
    let config = ConfigDir::new().parse(&with_test_secrets(DESIGN)).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    let [affiliates, tax] = &config.connections[..] else { panic!("{config:?}") };
    assert_eq!((affiliates.name.as_str(), affiliates.kind.name), ("affiliates", "tolt"));
    assert_eq!(affiliates.base_url.as_str(), "https://api.tolt.com/");
    assert_eq!(affiliates.account_id, "prg_YRsbPDAKhWfdqJbFACheh");
    assert_eq!((affiliates.rate_limit.windows[0].requests.get(), affiliates.timeout), (25, Duration::from_secs(10)));
    assert_eq!((tax.name.as_str(), tax.kind.name), ("tax", "corporation"));
    assert_eq!(tax.base_url.as_str(), "https://api.prod.commenda.io/api/v1");
    assert_eq!(tax.account_id, "corp_123");
    assert_eq!((tax.rate_limit.windows[0].requests.get(), tax.rate_limit.windows[0].per), (5, Duration::from_secs(1)));
    assert_eq!(config.cache.max_bytes, 256 << 20);
    for connection in &config.connections {
        let policies = connection.policies;
        assert_eq!(policies.customers, policies.transactions);
        assert_eq!(
            policies.customer,
            Policy {
                fresh: Duration::from_secs(30),
                stale_while_revalidate: Duration::from_mins(5),
                stale_if_error: Duration::from_hours(1),
                not_found: Duration::from_secs(10),
            }
        );
    }
    let [billing] = &config.callers[..] else { panic!("{config:?}") };
    assert_eq!((&*billing.name, &billing.keys[..]), ("billing", &[CallerKey::permanent(blake3::hash(b"key"))][..]));
    assert_eq!(billing.connections.iter().map(ToString::to_string).collect::<Vec<_>>(), ["affiliates", "tax"]);
}

#[test]
fn example_file_is_valid_and_shows_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway.example.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let place = ConfigDir::new();
    let shown = place.parse(&with_test_secrets(&text)).unwrap();
    let least = place.parse(&minimal()).unwrap();
    assert_eq!(shown.server.listen, least.server.listen);
    assert_eq!(shown.server.request_timeout, least.server.request_timeout);
    assert_eq!(shown.server.max_vendor_bytes, least.server.max_vendor_bytes);
    assert_eq!(shown.server.max_unread_bytes, least.server.max_unread_bytes);
    assert_eq!(shown.paging.limits(), least.paging.limits());
    assert_eq!(shown.cache.max_bytes, least.cache.max_bytes);
    assert_eq!(shown.connections[0].policies, least.connections[0].policies);
    let tax = shown.connections[1].policies;
    assert_eq!((tax.customers.fresh, tax.customer.fresh), (Duration::from_mins(1), Duration::from_secs(30)));
    for (shown, least) in shown.connections.iter().zip(&least.connections) {
        assert_eq!(shown.base_url, least.base_url);
        assert_eq!((&shown.rate_limit, shown.timeout), (&least.rate_limit, least.timeout));
    }
    // The example of the only default that is absent is commented out.
    let with_key =
        text.replace("# cursor_key = { env = \"GATEWAY_CURSOR_KEY\" }", "cursor_key = { file = \"secret\" }");
    assert!(place.parse(&with_test_secrets(&with_key)).unwrap().paging.cursor_key.is_some());
    let (rest, identity) = text.split_once("# [identity]").unwrap();
    let rest = rest.replace("# claims = ", "claims = ");
    let with_identity = format!("{rest}[identity]{}", identity.replace("\n# ", "\n"));
    let identity = place.parse(&with_test_secrets(&with_identity)).unwrap().identity.unwrap();
    assert_eq!(identity.refresh, Settings::DEFAULT_REFRESH);
}

#[test]
fn identity_provider_replaces_keys() {
    let place = ConfigDir::new();
    std::fs::write(place.path("jwks.json"), r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}"#).unwrap();
    let read = |jwks: &str| {
        let identity = format!("[identity]\nissuer = \"i\"\naudience = \"a\"\njwks = {jwks}\n");
        let caller = "[[callers]]\nname = \"a\"\nclaims = { azp = \"a\", tid = \"t\" }\nconnections = [\"tax\"]\n";
        // Callers without keys count as callers, so any address is allowed.
        let config =
            place.parse(&format!("[server]\nlisten = \"0.0.0.0:1\"\n{}{identity}{caller}", minimal())).unwrap();
        assert!(config.callers[0].keys.is_empty() && !config.callers[0].claims.is_empty());
        config.identity.unwrap()
    };
    let identity = read("{ file = \"jwks.json\" }");
    assert_eq!((&*identity.issuer, &*identity.audience, identity.refresh), ("i", "a", Duration::from_mins(10)));
    assert!(matches!(&identity.jwks, Jwks::File { path, keys } if *path == place.path("jwks.json") && keys.len() == 1));
    for url in ["https://login.example.com/keys?p=1", "http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/"] {
        assert_eq!(read(&format!("{{ url = \"{url}\" }}")).jwks, Jwks::Url(url.parse().unwrap()));
    }
    assert_eq!(read("{ file = \"jwks.json\" }"), identity);
    std::fs::write(place.path("jwks.json"), r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AQ"}]}"#).unwrap();
    assert_ne!(read("{ file = \"jwks.json\" }"), identity, "changed keys are changed settings");
}

/// Returns the example's section that is commented out, without the `#`.
fn example_telemetry() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway.example.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let keys = ["[telemetry]", "otlp_endpoint = ", "service_name = ", "sample = ", "headers = "];
    let lines = text.lines().filter_map(|line| line.strip_prefix("# "));
    let lines: Vec<_> = lines.filter(|line| keys.iter().any(|key| line.starts_with(key))).collect();
    lines.join("\n").replace("COLLECTOR_AUTHORIZATION", VARIABLE)
}

#[test]
fn telemetry_section_configures_the_exporter() {
    let place = ConfigDir::new();
    let read = |telemetry: &str| place.parse(&format!("{telemetry}\n{}", minimal())).unwrap().telemetry;
    assert!(read("").is_none());
    let shown = read(&example_telemetry()).unwrap();
    let least = read("[telemetry]\notlp_endpoint = \"http://collector:4318/\"").unwrap();
    assert_eq!(shown.traces_url.as_str(), "http://collector:4318/v1/traces");
    assert_eq!(
        (shown.traces_url, shown.service_name, shown.sample),
        (least.traces_url, least.service_name, least.sample)
    );
    assert_eq!(shown.headers["authorization"], std::env::var(VARIABLE).unwrap());
    assert!(least.headers.is_empty());
    let below = read("[telemetry]\notlp_endpoint = \"https://c/otlp\"\nsample = 0\nservice_name = \"x\"").unwrap();
    assert_eq!(below.traces_url.as_str(), "https://c/otlp/v1/traces");
    assert_eq!((below.sample, &*below.service_name), (0.0, "x"));
}

/// Returns the settings of a section `[shared]`. The file `redis` is a URL.
fn shared(section: &str) -> Option<shared::Settings> {
    let place = ConfigDir::new();
    std::fs::write(place.path("redis"), "redis://:s3cr3t@localhost\n").unwrap();
    let paging = "[paging]\ncursor_key = { file = \"secret\" }";
    place.parse(&format!("{paging}\n{section}\n{}", minimal())).unwrap().shared
}

#[test]
fn shared_section_configures_the_replicas() {
    assert_eq!(shared(""), None);
    let least = shared("[shared]\nurl = { file = \"redis\" }").unwrap();
    assert_eq!(least.url, RedisUrl::parse("redis://:s3cr3t@localhost").unwrap());
    assert_eq!((&least.state_url, &*least.prefix), (&None, "customer-gateway"));
    assert_eq!((least.timeout, least.replicas.get(), least.on_loss), (Duration::from_millis(25), 1, OnLoss::Share));
    assert_eq!((least.cache, least.limits, least.leases, least.quotas), (true, true, true, true));
    let all = "[shared]\nurl = { file = \"redis\" }\nstate_url = { file = \"redis\" }\nprefix = \"eu:blue-1\"\n\
        timeout = \"500ms\"\nreplicas = 4\non_loss = \"reject\"\n\
        cache = false\nlimits = false\nleases = false\nquotas = false";
    let all = shared(all).unwrap();
    assert_eq!((all.state_url.as_ref(), &*all.prefix), (Some(&least.url), "eu:blue-1"));
    assert_eq!((all.timeout, all.replicas.get(), all.on_loss), (Duration::from_millis(500), 4, OnLoss::Reject));
    assert_eq!((all.cache, all.limits, all.leases, all.quotas), (false, false, false, false));
    assert_eq!(all.key, least.key, "replicas with the same cursor key have the same key");
    let printed = format!("{all:?}");
    assert!(printed.contains("eu:blue-1") && !printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn example_shows_the_defaults_of_shared_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway.example.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("# [shared]\n").unwrap();
    let section = section.split("\n\n").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = "));
    let lines: Vec<_> =
        lines.map(|line| line.replace("{ env = \"GATEWAY_REDIS_URL\" }", "{ file = \"redis\" }")).collect();
    let shown = shared(&format!("[shared]\n{}", lines.join("\n"))).unwrap();
    let least = shared("[shared]\nurl = { file = \"redis\" }").unwrap();
    // The example of the only default that is absent is the same server.
    assert_eq!(shown, shared::Settings { state_url: Some(least.url.clone()), ..least });
    assert_eq!(lines.len(), 10, "the example shows each key: {lines:?}");
}

#[test]
fn share_of_one_is_accepted() {
    let share = |share: &str| {
        let digest = blake3::hash(b"key").to_hex();
        let caller = format!("[[callers]]\nname = \"a\"\nconnections = [\"tax\"]\nkey_digest = \"blake3:{digest}\"\n");
        ConfigDir::new().parse(&format!("{}{caller}{share}", minimal())).unwrap().callers.remove(0).share
    };
    for part in [1.0, 0.25, 1e-300] {
        assert_eq!(share(&format!("share = {part:?}")), Share::new(part));
    }
    assert_eq!((share("share = 1"), share("")), (Share::new(1.0), None));
}

#[test]
fn secret_is_read_without_its_line_end() {
    let place = ConfigDir::new();
    let read = |contents: &str| {
        std::fs::write(place.path("secret"), contents).unwrap();
        place.parse(&minimal()).unwrap().connections.remove(0).credential
    };
    for contents in ["abc\n", "abc\r\n", "abc\n\n"] {
        assert_eq!(read(contents), read("abc"), "{contents:?}");
    }
    assert_ne!(read("abc "), read("abc"));
}

#[test]
fn relative_paths_start_at_the_configuration() {
    let place = ConfigDir::new();
    std::fs::create_dir(place.path("secrets")).unwrap();
    std::fs::write(place.path("secrets/token"), "abc").unwrap();
    assert!(place.parse(&minimal().replace("\"secret\"", "\"secrets/token\"")).is_ok());
}

#[test]
fn debug_output_contains_no_secret() {
    let place = ConfigDir::new();
    let telemetry = "[telemetry]\notlp_endpoint = \"http://c\"\nheaders = { x-api-key = { file = \"secret\" } }";
    let text = format!("{telemetry}\n[paging]\ncursor_key = {{ file = \"secret\" }}\n{}", minimal());
    let printed = format!("{0:?} {0:#?}", place.parse(&text).unwrap());
    assert!(printed.contains("affiliates") && !printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn loopback_addresses_need_no_callers() {
    for listen in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
        let text = format!("[server]\nlisten = \"{listen}\"\n{}", minimal());
        assert_eq!(ConfigDir::new().parse(&text).unwrap().server.listen.to_string(), listen);
    }
}

#[test]
fn field_policy_follows_its_caller() {
    let callers = r#"
[[callers]]
name = "support"
key_digest = "blake3:0000000000000000000000000000000000000000000000000000000000000000"
connections = ["affiliates"]
[callers.fields]
deny = ["email", "tax.*"]
mask = ["name"]
[[callers]]
name = "billing"
key_digest = "blake3:1111111111111111111111111111111111111111111111111111111111111111"
connections = ["affiliates"]
"#;
    let config = ConfigDir::new().parse(&format!("{}{callers}", minimal())).unwrap();
    let hidden = config.callers[0].fields.hidden(Resource::Transactions);
    assert_eq!((&hidden.denied[..], &hidden.masked[..]), (&["customer.email"][..], &["customer.name"][..]));
    assert!(config.callers[1].fields.is_empty());
}
