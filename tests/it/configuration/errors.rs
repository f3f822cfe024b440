//! Errors in the file: each names the line, the key, and the remedy.

use insta::assert_snapshot;

use super::ConfigDir;

const TOLT: &str = r#"
[[connections]]
name = "affiliates"
vendor = "tolt"
credential = { file = "secret" }
program_id = "prg_1"
"#;

/// Returns the error when a line of a valid file is replaced.
fn replacing(line: &str, other: &str) -> String {
    assert!(TOLT.contains(line), "{line}");
    ConfigDir::new().error_for(&TOLT.replace(line, other))
}

/// Returns the error when text is added to a valid file.
fn adding(addition: &str) -> String {
    ConfigDir::new().error_for(&format!("{TOLT}{addition}"))
}

#[test]
fn unknown_key_is_named_at_every_level() {
    assert_snapshot!(adding("[sever]\nlisten = 1"), @"gateway.toml:7: sever: unknown field `sever`, expected one of `server`, `paging`, `cache`, `shared`, `telemetry`, `connections`, `callers`, `identity`");
    assert_snapshot!(adding("[server]\nport = 8080"), @"gateway.toml:8: server.port: unknown field `port`, expected one of `listen`, `tls`, `cors`, `request_timeout`, `header_timeout`, `idle_timeout`, `max_connections`, `max_requests`, `max_vendor_bytes`, `max_unread_bytes`, `shutdown_delay`, `drain_timeout`, `watch`");
    assert_snapshot!(adding("[paging]\nlimit = 100"), @"gateway.toml:8: paging.limit: unknown field `limit`, expected one of `cursor_key`, `max_vendor_calls`, `max_sorted_rows`, `max_export_sorted_rows`");
    assert_snapshot!(adding("[cache]\nttl = \"30s\""), @"gateway.toml:8: cache.ttl: unknown field `ttl`, expected one of `max_bytes`, `fresh`, `stale_while_revalidate`, `stale_if_error`, `not_found`");
    assert_snapshot!(adding("[[callers]]\nname = \"a\"\nkey = \"b\"\nconnections = []"), @r"
    gateway.toml:9: callers.a.key: unknown field `key`, expected one of `name`, `key_digest`, `keys`, `claims`, `connections`, `fields`, `may_see_raw`, `may_purge`, `quota`, `share`
    gateway.toml:10: callers.a.connections: `connections` must not be empty; list names of [[connections]] sections
    ");
    assert_snapshot!(replacing("vendor = \"tolt\"", "vendor = \"tolt\"\nretries = 3"), @"gateway.toml:5: connections.affiliates.retries: unknown key `retries`; the keys of a connection are name, vendor, base_url, credential, rate_limit, timeout, cache, sync, program_id");
    assert_snapshot!(adding("rate_limit = { requests = 1, per = \"1s\", burst = 2 }"), @"gateway.toml:7: connections.affiliates.rate_limit.burst: unknown field `burst`, expected one of `requests`, `per`, `max_wait`");
    assert_snapshot!(replacing("{ file = \"secret\" }", "{ vault = \"secret\" }"), @r#"gateway.toml:5: connections.affiliates.credential: secrets must not be inline; write { env = "VARIABLE" } or { file = "path" }"#);
}

#[test]
fn missing_key_is_named() {
    for line in TOLT.trim().lines().skip(1) {
        let complaint = replacing(line, "");
        let key = line.split(' ').next().unwrap();
        assert!(complaint.starts_with("gateway.toml:") && complaint.contains(key), "{line}: {complaint}");
    }
    assert_snapshot!(replacing("name = \"affiliates\"", ""), @"gateway.toml:2: connections.0: missing field `name`");
    assert_snapshot!(replacing("program_id = \"prg_1\"", ""), @r#"gateway.toml:2: connections.affiliates: `program_id` is missing; a connection to vendor "tolt" requires program_id = "…""#);
    assert_snapshot!(adding("[[callers]]\nname = \"a\""), @r#"
    gateway.toml:7: callers.a: missing field `connections`
    gateway.toml:7: callers.a: the caller has neither a key nor claims; write key_digest = "blake3:…", keys = [{ digest = "blake3:…", expires = "…" }], or claims = { … }
    "#);
    assert_snapshot!(ConfigDir::new().error_for(""), @"gateway.toml: connections: no connections are configured; add a [[connections]] section");
    assert_snapshot!(ConfigDir::new().error_for("connections = []"), @"gateway.toml:1: connections: no connections are configured; add a [[connections]] section");
}

#[test]
fn missing_secret_is_named_by_its_source() {
    assert_snapshot!(replacing("{ file = \"secret\" }", "{ env = \"NO_SUCH_VARIABLE\" }"), @r#"gateway.toml:5: connections.affiliates.credential: the environment variable NO_SUCH_VARIABLE is not set; set the variable, or write { file = "…" }"#);
    // A secret where the name of a variable is expected.
    let misplaced = replacing("{ file = \"secret\" }", "{ env = \"sk_live_123\" }");
    assert!(
        misplaced.contains("the named environment variable is not set") && !misplaced.contains("sk_live_123"),
        "{misplaced}"
    );
    assert_snapshot!(replacing("{ file = \"secret\" }", "{ file = \"nowhere\" }"), @"gateway.toml:5: connections.affiliates.credential: the file nowhere cannot be read: No such file or directory (os error 2); write the path of a file that contains only the secret");
    assert_snapshot!(replacing("{ file = \"secret\" }", "{ file = \"empty\" }"), @"gateway.toml:5: connections.affiliates.credential: the file empty is empty; write only the secret into the file");
    assert_snapshot!(replacing("{ file = \"secret\" }", "\"sk_live_in_the_file\""), @r#"gateway.toml:5: connections.affiliates.credential: secrets must not be inline; write { env = "VARIABLE" } or { file = "path" }"#);
    assert_snapshot!(adding("[paging]\ncursor_key = { env = \"NO_SUCH_VARIABLE\" }"), @r#"gateway.toml:8: paging.cursor_key: the environment variable NO_SUCH_VARIABLE is not set; set the variable, or write { file = "…" }"#);
    assert_snapshot!(adding("[paging]\ncursor_key = { file = \"empty\" }"), @"gateway.toml:8: paging.cursor_key: the file empty is empty; write only the secret into the file");
    assert_snapshot!(adding("[paging]\ncursor_key = { env = \"A\", file = \"b\" }"), @r#"gateway.toml:8: paging.cursor_key: secrets must not be inline; write { env = "VARIABLE" } or { file = "path" }"#);
}

#[test]
fn inline_secret_is_not_repeated() {
    for written in
        ["\"sk_live_1\"", "sk_live_1", "{ sk_live_1 = 1 }", "{ env = [\"sk_live_1\"] }", "{ key = \"sk_live_1\" }"]
    {
        let complaint = replacing("{ file = \"secret\" }", written);
        assert!(
            complaint.starts_with("gateway.toml:5: ") && !complaint.contains("sk_live_1"),
            "{written}: {complaint}"
        );
    }
}

#[test]
fn unsendable_secret_is_not_shown() {
    let place = ConfigDir::new();
    std::fs::write(place.path("secret"), "two\nlines").unwrap();
    assert_snapshot!(place.error_for(TOLT), @"gateway.toml:5: connections.affiliates.credential: the secret is empty or contains a character that is not allowed in a header; check the variable or file that contains the secret");
}

#[test]
fn section_without_double_brackets_is_named() {
    assert_snapshot!(replacing("[[connections]]", "[connections]"), @"gateway.toml:2: connections: `connections` must be a list of sections; write [[connections]] with double brackets above each section");
    assert_snapshot!(adding("[callers]\nname = \"a\""), @"gateway.toml:7: callers: `callers` must be a list of sections; write [[callers]] with double brackets above each section");
}

#[test]
fn connection_name_is_well_formed_and_unique() {
    assert_snapshot!(replacing("\"affiliates\"", "\"Affiliates.EU\""), @"gateway.toml:3: connections.0.name: a connection name starts with a lowercase letter and contains only lowercase letters, digits and hyphens, at most 63 characters");
    assert_snapshot!(replacing("\"affiliates\"", "\"\""), @"gateway.toml:3: connections.0.name: a connection name starts with a lowercase letter and contains only lowercase letters, digits and hyphens, at most 63 characters");
    assert_snapshot!(adding(TOLT), @"gateway.toml:9: connections.affiliates.name: duplicate connection name `affiliates`; give each connection a unique name");
}

#[test]
fn vendor_is_known_and_has_its_account_key() {
    assert_snapshot!(replacing("\"tolt\"", "\"stripe\""), @r#"gateway.toml:4: connections.affiliates.vendor: unknown vendor `stripe`; write one of "tolt", "corporation""#);
    assert_snapshot!(replacing("program_id", "corporation_id"), @r#"gateway.toml:6: connections.affiliates.corporation_id: `corporation_id` belongs to vendor "corporation"; a connection to vendor "tolt" requires `program_id`"#);
    assert_snapshot!(replacing("\"prg_1\"", "\"\""), @r#"gateway.toml:6: connections.affiliates.program_id: `program_id` must be a non-empty string; write program_id = "…""#);
    assert_snapshot!(replacing("\"prg_1\"", "7"), @r#"gateway.toml:6: connections.affiliates.program_id: `program_id` must be a non-empty string; write program_id = "…""#);
}

#[test]
fn base_url_accepts_appended_paths() {
    for url in
        ["api.tolt.com", "ftp://api.tolt.com", "https://", "https://a/?b=c", "https://a/#b", "https://me:pw@a/", ""]
    {
        let complaint = adding(&format!("base_url = \"{url}\""));
        assert_eq!(
            complaint,
            "gateway.toml:7: connections.affiliates.base_url: invalid base URL; write an http or https URL without \
             query and password, such as \"https://api.tolt.com\"",
            "{url}"
        );
    }
}

#[test]
fn duration_has_a_unit_and_is_positive() {
    assert_snapshot!(adding("timeout = \"soon\""), @r#"gateway.toml:7: connections.affiliates.timeout: invalid duration; write a positive duration such as "30s" or "5m""#);
    assert_snapshot!(adding("timeout = 10"), @r#"gateway.toml:7: connections.affiliates.timeout: invalid duration; write a positive duration such as "30s" or "5m""#);
    for none in ["-1s", "10", "", "9000000h"] {
        assert!(adding(&format!("timeout = \"{none}\"")).contains("invalid duration"), "{none}");
    }
    assert_snapshot!(adding("[server]\nrequest_timeout = \"0s\""), @r#"gateway.toml:8: server.request_timeout: a duration of zero does not disable this setting; write a positive duration such as "30s" or "5m""#);
    assert_snapshot!(adding("[cache]\nfresh = \"never\""), @r#"gateway.toml:8: cache.fresh: invalid duration; write a positive duration such as "30s" or "5m""#);
}

#[test]
fn limit_allows_at_least_one() {
    assert_snapshot!(adding("rate_limit = { requests = 0, per = \"1s\" }"), @"gateway.toml:7: connections.affiliates.rate_limit.requests: the number is zero; write a whole number of at least 1, or remove the key");
    assert_snapshot!(adding("rate_limit = { requests = 1, per = \"0s\" }"), @r#"gateway.toml:7: connections.affiliates.rate_limit.per: a duration of zero does not disable this setting; write a positive duration such as "1s" or "1d""#);
    assert_snapshot!(adding("rate_limit = 5"), @r#"gateway.toml:7: connections.affiliates.rate_limit: invalid type: integer `5`, expected { requests = 5, per = "1s" }, or a list of such windows"#);
    assert_snapshot!(adding("rate_limit = []"), @"gateway.toml:7: connections.affiliates.rate_limit: the list of windows is empty; write at least one window, or remove the key");
    assert_snapshot!(adding("rate_limit = [{ requests = 25, per = \"1s\" }, { requests = 0, per = \"1d\" }]"), @"gateway.toml:7: connections.affiliates.rate_limit.1.requests: the number is zero; write a whole number of at least 1, or remove the key");
    assert_snapshot!(adding("rate_limit = { requests = 1000001, per = \"1d\" }"), @"gateway.toml:7: connections.affiliates.rate_limit: `requests` is above 1000000; write an equal limit with a shorter period, or remove this window");
    assert_snapshot!(adding("rate_limit = [{ requests = 5, per = \"1s\", max_wait = \"1s\" }, { requests = 9, per = \"1m\", max_wait = \"1s\" }]"), @"gateway.toml:7: connections.affiliates.rate_limit: duplicate `max_wait`; write `max_wait` in one window; it applies to all");
    assert_snapshot!(adding("[paging]\nmax_vendor_calls = 0"), @"gateway.toml:8: paging.max_vendor_calls: the number is zero; write a whole number of at least 1, or remove the key");
    assert_snapshot!(adding("[server]\nmax_unread_bytes = \"16MiB\""), @"gateway.toml:8: server.max_unread_bytes: the size is below 32 MiB, and large responses would be rejected; write at least \"32MiB\"");
    assert_snapshot!(adding("[cache]\nmax_bytes = \"much\""), @r#"gateway.toml:8: cache.max_bytes: invalid size; write a number of bytes, such as "256MiB""#);
}

#[test]
fn caller_has_a_digest_and_known_connections() {
    let caller = |digest: &str, connections: &str| {
        adding(&format!("[[callers]]\nname = \"a\"\nkey_digest = \"{digest}\"\nconnections = [{connections}]"))
    };
    let digest = format!("blake3:{}", blake3::hash(b"key").to_hex());
    assert_snapshot!(caller("cgk_the_key_itself", "\"affiliates\""), @r#"gateway.toml:9: callers.a.key_digest: invalid key digest; write "blake3:" and 64 hexadecimal digits, as printed by `customer-gateway key`"#);
    assert_snapshot!(caller("blake3:abc", "\"affiliates\""), @r#"gateway.toml:9: callers.a.key_digest: invalid key digest; write "blake3:" and 64 hexadecimal digits, as printed by `customer-gateway key`"#);
    assert_snapshot!(caller(&digest, "\"affiliates\", \"tax\""), @"gateway.toml:10: callers.a.connections: unknown connection `tax`; list names of [[connections]] sections");
    assert_snapshot!(caller(&digest, "\"Tax\""), @"gateway.toml:10: callers.a.connections: a connection name starts with a lowercase letter and contains only lowercase letters, digits and hyphens, at most 63 characters");
    let keyed = |rest: &str| adding(&format!("[[callers]]\nname = \"a\"\nconnections = [\"affiliates\"]\n{rest}"));
    assert_snapshot!(keyed(""), @r#"gateway.toml:7: callers.a: the caller has neither a key nor claims; write key_digest = "blake3:…", keys = [{ digest = "blake3:…", expires = "…" }], or claims = { … }"#);
    assert_snapshot!(keyed("keys = [{ digest = \"cgk_the_key_itself\" }]"), @r#"gateway.toml:10: callers.a.keys.0.digest: invalid key digest; write "blake3:" and 64 hexadecimal digits, as printed by `customer-gateway key`"#);
    assert_snapshot!(keyed(&format!("keys = [{{ digest = \"{digest}\", expires = \"2027-01-31\" }}]")), @r#"gateway.toml:10: callers.a.keys.0.expires: invalid timestamp; write a timestamp with an offset, such as "2027-01-31T00:00:00Z""#);
    assert_snapshot!(keyed(&format!("key_digest = \"{digest}\"\nquota = 50")), @r#"gateway.toml:11: callers.a.quota: invalid type: integer `50`, expected { requests = 50, per = "1s" }"#);
    let other = format!("[[callers]]\nname = \"b\"\nconnections = [\"affiliates\"]\nkey_digest = \"{digest}\"");
    assert_snapshot!(keyed(&format!("key_digest = \"{digest}\"\n{other}")), @"gateway.toml:11: callers.b: another caller has the same key; generate separate keys for each caller");
    let namesake = other.replace("\"b\"", "\"a\"").replace(&digest, &format!("blake3:{}", "1".repeat(64)));
    assert_snapshot!(keyed(&format!("key_digest = \"{digest}\"\n{namesake}")), @"gateway.toml:12: callers.a.name: duplicate caller name `a`; give each caller a unique name; list several keys of one caller in `keys`");
    for name in ["-", ""] {
        let caller =
            format!("[[callers]]\nname = \"{name}\"\nconnections = [\"affiliates\"]\nkey_digest = \"{digest}\"");
        let complaint = format!(
            "gateway.toml:8: callers.0.name: invalid caller name `{name}`; write another name; in logs and metrics, `-` marks requests without a known caller"
        );
        assert_eq!(adding(&caller), complaint);
    }
    assert_snapshot!(keyed(&format!("key_digest = \"{digest}\"\nmay_see_raw = \"no\"")), @"gateway.toml:11: callers.a.may_see_raw: invalid type: string, expected a boolean");
}

/// Returns a caller with this name and these claims, in two lines.
fn caller_with_claims(name: &str, claims: &str) -> String {
    format!("[[callers]]\nname = \"{name}\"\nconnections = [\"affiliates\"]\nclaims = {claims}\n")
}

const ISSUER: &str = "issuer = \"https://login.example.com/\"\naudience = \"gateway\"\n";

#[test]
fn identity_provider_has_readable_keys() {
    let identity =
        |rest: &str| adding(&format!("[identity]\n{ISSUER}{rest}\n{}", caller_with_claims("a", "{ azp = \"a\" }")));
    assert_snapshot!(identity(""), @"gateway.toml:7: identity: missing field `jwks`");
    assert_snapshot!(identity("jwks = \"https://login.example.com/jwks.json\""), @r#"gateway.toml:10: identity.jwks: invalid location of the keys; write { url = "https://…" } or { file = "path" }"#);
    assert_snapshot!(identity("jwks = { url = \"https://a/\", file = \"b\" }"), @r#"gateway.toml:10: identity.jwks: invalid location of the keys; write { url = "https://…" } or { file = "path" }"#);
    assert_snapshot!(identity("jwks = { url = \"http://login.example.com/jwks.json\" }"), @r#"gateway.toml:10: identity.jwks.url: invalid JWKS URL; write an https URL without user, such as "https://login.example.com/.well-known/jwks.json""#);
    for url in ["login.example.com/jwks.json", "https://me:pw@login.example.com/", "file:///etc/jwks.json", "https://"]
    {
        assert!(identity(&format!("jwks = {{ url = \"{url}\" }}")).contains("invalid JWKS URL"), "{url}");
    }
    assert_snapshot!(identity("jwks = { file = \"nowhere.json\" }"), @"gateway.toml:10: identity.jwks.file: the file nowhere.json cannot be read: No such file or directory (os error 2); write the path of the provider's JSON Web Key Set");
    assert_snapshot!(identity("jwks = { file = \"secret\" }"), @"gateway.toml:10: identity.jwks.file: the file secret is not a JSON Web Key Set (RFC 7517): an object with a list `keys`; write the path of the provider's JSON Web Key Set");
    let place = ConfigDir::new();
    let jwks = |document: &str| {
        std::fs::write(place.path("jwks.json"), document).unwrap();
        let file = format!("jwks = {{ file = \"jwks.json\" }}\n{}", caller_with_claims("a", "{ azp = \"a\" }"));
        place.error_for(&format!("{TOLT}[identity]\n{ISSUER}{file}"))
    };
    assert_snapshot!(jwks("{\"keys\": []}"), @"gateway.toml:10: identity.jwks.file: the file jwks.json contains no key that can verify a token; write the path of the provider's JSON Web Key Set");
    assert_eq!(jwks("{\"keys\": []}"), jwks("{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}]}"));
    let right = "jwks = { url = \"https://login.example.com/jwks.json\" }";
    assert_snapshot!(identity(&format!("{right}\nrefresh = \"29s\"")), @r#"gateway.toml:11: identity.refresh: the refresh interval is too short; write "30s" or longer"#);
    assert_snapshot!(identity(&format!("{right}\nalgorithms = [\"none\"]")), @"gateway.toml:11: identity.algorithms: unknown field `algorithms`, expected one of `issuer`, `audience`, `jwks`, `refresh`");
    let without = |line: &str, other: &str| {
        let identity = format!("[identity]\n{}{right}\n", ISSUER.replace(line, other));
        adding(&format!("{identity}{}", caller_with_claims("a", "{ azp = \"a\" }")))
    };
    assert_snapshot!(without("audience = \"gateway\"\n", ""), @"gateway.toml:7: identity: missing field `audience`");
    assert_snapshot!(without("\"https://login.example.com/\"", "\"\""), @"gateway.toml:8: identity.issuer: `issuer` must not be empty; write the exact value from the provider's tokens");
}

#[test]
fn claims_distinguish_callers() {
    let identity = format!("[identity]\n{ISSUER}jwks = {{ url = \"http://127.0.0.1:1/jwks.json\" }}\n");
    let callers = |callers: &[(&str, &str)]| {
        let callers: Vec<_> = callers.iter().map(|(name, claims)| caller_with_claims(name, claims)).collect();
        adding(&format!("{identity}{}", callers.concat()))
    };
    assert_snapshot!(adding(&caller_with_claims("a", "{ azp = \"a\" }")), @"gateway.toml:10: callers.a.claims: `claims` requires an identity provider; add an [identity] section, or give the caller a key");
    assert_snapshot!(adding(&identity), @"gateway.toml:7: identity: no caller has claims, so every token would be rejected; write claims = { … } in a [[callers]] section, or remove this section");
    assert_snapshot!(callers(&[("a", "{}")]), @r#"gateway.toml:14: callers.a.claims: `claims` must not be empty, because every token would match; write claims = { azp = "…" }"#);
    assert_snapshot!(callers(&[("a", "{ roles = [\"a\"] }")]), @"gateway.toml:14: callers.a.claims.roles: invalid type: sequence, expected a string");
    assert_snapshot!(callers(&[("a", "{ azp = \"a\" }"), ("b", "{ azp = \"a\" }")]), @"gateway.toml:18: callers.b.claims: every token with these claims matches the earlier caller `a`; write claims that distinguish the callers, or move this section before the other");
    assert_snapshot!(callers(&[("a", "{ azp = \"a\" }"), ("b", "{ tid = \"t\", azp = \"a\" }")]), @"gateway.toml:18: callers.b.claims: every token with these claims matches the earlier caller `a`; write claims that distinguish the callers, or move this section before the other");
}

#[test]
fn share_is_above_zero_and_at_most_one() {
    let with_share = |share: &str| {
        let digest = blake3::hash(b"key").to_hex();
        adding(&format!(
            "[[callers]]\nname = \"a\"\nconnections = [\"affiliates\"]\nkey_digest = \"blake3:{digest}\"\nshare = {share}"
        ))
    };
    assert_snapshot!(with_share("0"), @"gateway.toml:11: callers.a.share: invalid share; write a number above 0 and at most 1, such as 0.25");
    assert_snapshot!(with_share("1.5"), @"gateway.toml:11: callers.a.share: invalid share; write a number above 0 and at most 1, such as 0.25");
    assert_snapshot!(with_share("\"a quarter\""), @"gateway.toml:11: callers.a.share: invalid share; write a number above 0 and at most 1, such as 0.25");
    for share in ["0.0", "-0.25", "2", "nan", "inf", "25", "true", "[0.25]"] {
        assert!(with_share(share).contains("invalid share; write"), "{share}");
    }
}

#[test]
fn missing_callers_require_a_loopback_address() {
    assert_snapshot!(adding("[server]\nlisten = \"0.0.0.0:8080\""), @"gateway.toml:8: server.listen: without callers, only a loopback address is allowed; add a [[callers]] section (`customer-gateway key` generates a key), or listen on 127.0.0.1");
    assert_snapshot!(adding("[server]\nlisten = \"[::]:8080\""), @"gateway.toml:8: server.listen: without callers, only a loopback address is allowed; add a [[callers]] section (`customer-gateway key` generates a key), or listen on 127.0.0.1");
    assert_snapshot!(adding("[server]\nlisten = \"192.168.1.1:8080\""), @"gateway.toml:8: server.listen: without callers, only a loopback address is allowed; add a [[callers]] section (`customer-gateway key` generates a key), or listen on 127.0.0.1");
}

#[test]
fn collector_has_a_url_sample_and_valid_headers() {
    let telemetry = |rest: &str| adding(&format!("[telemetry]\n{rest}"));
    let to = |rest: &str| telemetry(&format!("otlp_endpoint = \"http://collector:4318\"\n{rest}"));
    assert_snapshot!(telemetry("sample = 1"), @"gateway.toml:7: telemetry: missing field `otlp_endpoint`");
    assert_snapshot!(telemetry("otlp_endpoint = \"collector:4318\""), @r#"gateway.toml:8: telemetry.otlp_endpoint: invalid collector URL; write an http or https URL without query and password, such as "http://collector:4318""#);
    assert_snapshot!(telemetry("otlp_endpoint = \"http://collector:4318?a=b\""), @r#"gateway.toml:8: telemetry.otlp_endpoint: invalid collector URL; write an http or https URL without query and password, such as "http://collector:4318""#);
    assert_snapshot!(to("sample = 2"), @"gateway.toml:9: telemetry.sample: invalid ratio; write a number from 0 to 1, such as 0.1");
    assert_snapshot!(to("sample = -0.1"), @"gateway.toml:9: telemetry.sample: invalid ratio; write a number from 0 to 1, such as 0.1");
    assert_snapshot!(to("sample = nan"), @"gateway.toml:9: telemetry.sample: invalid ratio; write a number from 0 to 1, such as 0.1");
    assert_snapshot!(to("sample = \"all\""), @"gateway.toml:9: telemetry.sample: invalid ratio; write a number from 0 to 1, such as 0.1");
    assert_snapshot!(to("headers = { authorization = \"Bearer s3cr3t\" }"), @r#"gateway.toml:9: telemetry.headers.authorization: secrets must not be inline; write { env = "VARIABLE" } or { file = "path" }"#);
    assert_snapshot!(to("headers = { authorization = { file = \"empty\" } }"), @"gateway.toml:9: telemetry.headers.authorization: the file empty is empty; write only the secret into the file");
    assert_snapshot!(to("headers = { \"no name\" = { file = \"secret\" } }"), @"gateway.toml:9: telemetry.headers.no name: invalid header name; write a name such as authorization");
    assert_snapshot!(to("headers = { X-Key = { file = \"secret\" }, x-key = { file = \"secret\" } }"), @"gateway.toml:9: telemetry.headers.x-key: duplicate header; write each header once; names are case-insensitive");
    assert_snapshot!(to("service_name = \"\""), @"gateway.toml:9: telemetry.service_name: `service_name` must not be empty; write a name, or remove the key");
    assert_snapshot!(to("protocol = \"grpc\""), @"gateway.toml:9: telemetry.protocol: unknown field `protocol`, expected one of `otlp_endpoint`, `service_name`, `sample`, `headers`");
}

#[test]
fn unsendable_collector_secret_is_not_shown() {
    let place = ConfigDir::new();
    std::fs::write(place.path("two"), "two\nlines").unwrap();
    let telemetry = "[telemetry]\notlp_endpoint = \"http://c\"\nheaders = { authorization = { file = \"two\" } }";
    assert_snapshot!(place.error_for(&format!("{TOLT}{telemetry}")), @"gateway.toml:9: telemetry.headers.authorization: the secret contains a character that is not allowed in a header; check the variable or file that contains the secret");
}

#[test]
fn misplaced_secret_is_not_shown() {
    let caller = |line: &str| format!("[[callers]]\nname = \"a\"\nconnections = [\"affiliates\"]\n{line}");
    let headers = adding("[telemetry]\notlp_endpoint = \"http://c\"\nheaders = \"s3cret, expected \\\"it\"");
    assert_snapshot!(headers, @"gateway.toml:9: telemetry.headers: invalid type: string, expected a map");
    let places = ["rate_limit", "timeout", "cache", "[server]\ntls", "[server]\nlisten", "[server]\nmax_requests"];
    let mut texts: Vec<_> = places.map(|place| adding(&format!("{place} = \"s3cret\""))).into();
    texts.extend(["keys", "claims", "quota", "share"].map(|key| adding(&caller(&format!("{key} = \"s3cret\"")))));
    texts.push(adding(&caller("keys = [\"s3cret\"]")));
    texts.push(adding(&caller("keys = [{ digest = \"s3cret\", expires = \"s3cret\" }]")));
    texts.push(adding("timeout = { token = \"s3cret\" }"));
    texts.push(adding("[paging]\ncursor_key = \"s3cret\""));
    texts.push(adding("paging = \"s3cret\""));
    texts.push(adding("shared = \"s3cret\""));
    for key in SHARED_KEYS {
        texts.push(adding(&format!("[shared]\nurl = {{ file = \"secret\" }}\n{key} = \"s3cret of the server\"")));
        texts.push(adding(&format!("[shared]\nurl = {{ file = \"secret\" }}\n{key} = {{ s3cret = \"s3cret\" }}")));
    }
    for text in texts {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

const SHARED_KEYS: [&str; 9] =
    ["state_url", "prefix", "timeout", "replicas", "on_loss", "cache", "limits", "leases", "quotas"];

/// Returns the error of a file with a section `[shared]` of these lines, and a key
/// of all replicas.
fn sharing(lines: &str) -> String {
    let place = ConfigDir::new();
    std::fs::write(place.path("redis"), "redis://:s3cret@localhost").unwrap();
    place.error_for(&format!("{TOLT}[paging]\ncursor_key = {{ file = \"secret\" }}\n[shared]\n{lines}"))
}

#[test]
fn shared_state_has_a_server_and_a_key() {
    assert_snapshot!(adding("[shared]\nurl = { file = \"secret\" }"), @r#"
    gateway.toml:7: shared: [shared] requires `paging.cursor_key`; write cursor_key = { env = "VARIABLE" } or { file = "path" } into [paging], equal for all replicas
    gateway.toml:8: shared.url: the URL of the Redis server is invalid; write redis://host:6379, rediss://user:password@host or redis+sentinel://host:26379,host/service into the variable or file
    "#);
    assert_snapshot!(sharing("prefix = \"a\""), @"gateway.toml:9: shared: missing field `url`");
    assert_snapshot!(sharing("url = \"redis://:s3cret@localhost\""), @r#"gateway.toml:10: shared.url: secrets must not be inline; write { env = "VARIABLE" } or { file = "path" }"#);
    assert_snapshot!(sharing("url = { env = \"NO_SUCH_VARIABLE\" }"), @r#"gateway.toml:10: shared.url: the environment variable NO_SUCH_VARIABLE is not set; set the variable, or write { file = "…" }"#);
    assert_snapshot!(sharing("url = { file = \"secret\" }"), @"gateway.toml:10: shared.url: the URL of the Redis server is invalid; write redis://host:6379, rediss://user:password@host or redis+sentinel://host:26379,host/service into the variable or file");
    assert_snapshot!(sharing("url = { file = \"redis\" }\nstate_url = { file = \"secret\" }"), @"gateway.toml:11: shared.state_url: the URL of the Redis server is invalid; write redis://host:6379, rediss://user:password@host or redis+sentinel://host:26379,host/service into the variable or file");
    assert_snapshot!(sharing("url = { file = \"redis\" }\nstate_url = { file = \"empty\" }"), @"gateway.toml:11: shared.state_url: the file empty is empty; write only the secret into the file");
}

#[test]
fn settings_of_shared_state_are_bounded() {
    let with = |line: &str| sharing(&format!("url = {{ file = \"redis\" }}\n{line}"));
    assert_snapshot!(with("nodes = 3"), @"gateway.toml:11: shared.nodes: unknown field `nodes`, expected one of `url`, `state_url`, `prefix`, `timeout`, `replicas`, `on_loss`, `cache`, `limits`, `leases`, `quotas`");
    assert_snapshot!(with("replicas = 0"), @"gateway.toml:11: shared.replicas: the number is zero; write a whole number of at least 1, or remove the key");
    assert_snapshot!(with("replicas = -1"), @"gateway.toml:11: shared.replicas: the value is not a positive whole number; write a whole number of at least 1, or remove the key");
    assert_snapshot!(with("timeout = \"0s\""), @r#"gateway.toml:11: shared.timeout: a duration of zero does not disable this setting; write a positive duration such as "30s" or "5m""#);
    assert_snapshot!(with("timeout = \"501ms\""), @r#"gateway.toml:11: shared.timeout: the timeout is above 500 ms, and requests would wait for a lost server; write at most "500ms""#);
    assert_snapshot!(with("on_loss = \"open\""), @r#"gateway.toml:11: shared.on_loss: invalid use of the limits without Redis; write "share" or "reject""#);
    assert_snapshot!(with("cache = \"on\""), @"gateway.toml:11: shared.cache: invalid type: string, expected a boolean");
    assert_snapshot!(with("prefix = \"\""), @r#"gateway.toml:11: shared.prefix: invalid prefix; write 1 to 64 letters, digits, `-`, `_`, `.` or `:`, such as "customer-gateway""#);
    for prefix in ["a{b}", "a b", "a\\n", "ä", &"a".repeat(65)] {
        assert!(with(&format!("prefix = \"{prefix}\"")).contains("invalid prefix; write 1 to 64"), "{prefix}");
    }
}

#[test]
fn listen_address_has_a_port() {
    assert_snapshot!(adding("[server]\nlisten = \"localhost\""), @r#"gateway.toml:8: server.listen: invalid address; write an IP address with a port, such as "127.0.0.1:8080""#);
}

#[test]
fn invalid_toml_names_the_line() {
    assert_snapshot!(adding("[server\nlisten = 1"), @"gateway.toml:7: unclosed table, expected `]`");
    assert_snapshot!(adding("name = \"again\""), @"gateway.toml:7: duplicate key");
}

#[test]
fn missing_file_names_the_remedy() {
    let path = ConfigDir::new().path("gateway.toml");
    let error = customer_gateway::config::Config::load(&path).unwrap_err().to_string();
    assert_snapshot!(error.rsplit('/').next().unwrap(), @"gateway.toml: cannot be read: No such file or directory (os error 2); pass another path with --config, or copy gateway.example.toml");
}

#[test]
fn field_that_cannot_be_hidden_is_named() {
    let digest = format!("blake3:{}", "a".repeat(64));
    let with = |fields: &str| {
        adding(&format!(
            "[[callers]]\nname = \"a\"\nkey_digest = \"{digest}\"\nconnections = [\"affiliates\"]\n[callers.fields]\n{fields}"
        ))
    };
    let lines = [
        "deny = [\"email\",\n  \"emial\"]",
        "deny = [\"raw\"]",
        "deny = [\"source.*\"]",
        "mask = [\"created_at\"]",
        "mask = [\"name\", \"tax.*\"]",
        "mask = \"name\"",
        "hide = [\"name\"]",
    ];
    assert_snapshot!(lines.map(with).join("\n"), @r#"
    gateway.toml:13: callers.a.fields.deny.1: no row has a field of this name; write a field of the API, such as "email", or an object, such as "tax.*"
    gateway.toml:12: callers.a.fields.deny.0: no row has a field of this name; write may_see_raw = false to deny the vendors' own objects
    gateway.toml:12: callers.a.fields.deny.0: `source.connection` cannot be hidden, because ids and cursors contain it; remove the field
    gateway.toml:12: callers.a.fields.mask.0: `created_at` cannot be hidden, because ids and cursors contain it; remove the field
    gateway.toml:12: callers.a.fields.mask.1: `tax.exemption.total_certificates` cannot be masked, because it is not free text; deny the field instead, or list only text fields
    gateway.toml:12: callers.a.fields.mask: invalid type: string, expected a sequence
    gateway.toml:12: callers.a.fields.hide: unknown field `hide`, expected `deny` or `mask`
    "#);
}

#[test]
fn origin_is_written_as_browsers_send_it() {
    assert_snapshot!(adding("[server.cors]\norigins = []"), @"gateway.toml:8: server.cors.origins: the list of origins is empty; write at least one origin, or remove the section");
    for origin in [
        "*",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "HTTPS://app.example.com",
        "file:///app",
        "null",
    ] {
        let complaint = adding(&format!("[server.cors]\norigins = [\"https://a.example.com\", \"{origin}\"]"));
        assert!(
            complaint.starts_with(&format!("gateway.toml:8: server.cors.origins.1: `{origin}` is not an origin; ")),
            "{complaint}"
        );
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let text = r#"
[server]
port = 8080
request_timeout = "soon"
max_vendor_bytes = "1MiB"
cors = { origins = ["app.example.com"] }

[cache]
fresh = 30

[[connections]]
name = "affiliates"
vendor = "tolt"
base_url = "api.tolt.com"
credential = { env = "NO_SUCH_VARIABLE" }

[[connections]]
name = "tax"
vendor = "acme"
credential = { file = "secret" }

[connections.cache]
fresh = "1x"

[[connections]]
name = "other"
vendor = "tolt"
program_id = "prg_1"
rate_limit = { requests = 0, per = "1s" }

[[callers]]
name = "app"
key_digest = "blake3:1"
connections = ["tax", "nowhere"]
fields = { deny = ["nothing"] }
"#;
    assert_snapshot!(ConfigDir::new().error_for(text), @r#"
    gateway.toml:3: server.port: unknown field `port`, expected one of `listen`, `tls`, `cors`, `request_timeout`, `header_timeout`, `idle_timeout`, `max_connections`, `max_requests`, `max_vendor_bytes`, `max_unread_bytes`, `shutdown_delay`, `drain_timeout`, `watch`
    gateway.toml:4: server.request_timeout: invalid duration; write a positive duration such as "30s" or "5m"
    gateway.toml:5: server.max_vendor_bytes: the size is below 32 MiB, and large responses would be rejected; write at least "32MiB"
    gateway.toml:6: server.cors.origins.0: `app.example.com` is not an origin; write the scheme, the host and a port that is not the default, such as "https://app.example.com"
    gateway.toml:9: cache.fresh: invalid duration; write a positive duration such as "30s" or "5m"
    gateway.toml:11: connections.affiliates: `program_id` is missing; a connection to vendor "tolt" requires program_id = "…"
    gateway.toml:14: connections.affiliates.base_url: invalid base URL; write an http or https URL without query and password, such as "https://api.tolt.com"
    gateway.toml:15: connections.affiliates.credential: the environment variable NO_SUCH_VARIABLE is not set; set the variable, or write { file = "…" }
    gateway.toml:19: connections.tax.vendor: unknown vendor `acme`; write one of "tolt", "corporation"
    gateway.toml:23: connections.tax.cache.fresh: invalid duration; write a positive duration such as "30s" or "5m"
    gateway.toml:25: connections.other: missing field `credential`
    gateway.toml:29: connections.other.rate_limit.requests: the number is zero; write a whole number of at least 1, or remove the key
    gateway.toml:33: callers.app.key_digest: invalid key digest; write "blake3:" and 64 hexadecimal digits, as printed by `customer-gateway key`
    gateway.toml:34: callers.app.connections: unknown connection `nowhere`; list names of [[connections]] sections
    gateway.toml:35: callers.app.fields.deny.0: no row has a field of this name; write a field of the API, such as "email", or an object, such as "tax.*"
    "#);
    // Without the keys that cannot be read, the rest of each section is validated.
    let readable = text.replace("port = 8080\nrequest_timeout = \"soon\"\n", "").replace("fresh = 30", "");
    let readable = readable.replace("fresh = \"1x\"", "").replace("requests = 0", "requests = 1");
    let readable = readable.replace("program_id", "credential = { file = \"secret\" }\nprogram_id");
    assert_snapshot!(ConfigDir::new().error_for(&readable), @r#"
    gateway.toml:3: server.max_vendor_bytes: the size is below 32 MiB, and large responses would be rejected; write at least "32MiB"
    gateway.toml:4: server.cors.origins.0: `app.example.com` is not an origin; write the scheme, the host and a port that is not the default, such as "https://app.example.com"
    gateway.toml:9: connections.affiliates: `program_id` is missing; a connection to vendor "tolt" requires program_id = "…"
    gateway.toml:12: connections.affiliates.base_url: invalid base URL; write an http or https URL without query and password, such as "https://api.tolt.com"
    gateway.toml:13: connections.affiliates.credential: the environment variable NO_SUCH_VARIABLE is not set; set the variable, or write { file = "…" }
    gateway.toml:17: connections.tax.vendor: unknown vendor `acme`; write one of "tolt", "corporation"
    gateway.toml:32: callers.app.key_digest: invalid key digest; write "blake3:" and 64 hexadecimal digits, as printed by `customer-gateway key`
    gateway.toml:33: callers.app.connections: unknown connection `nowhere`; list names of [[connections]] sections
    gateway.toml:34: callers.app.fields.deny.0: no row has a field of this name; write a field of the API, such as "email", or an object, such as "tax.*"
    "#);
}

#[test]
fn syntax_error_is_reported_alone() {
    assert_snapshot!(adding("[server]\nlisten = \"127.0.0.1:1\nport = 1"), @r#"gateway.toml:8: invalid basic string, expected `"`"#);
}

#[test]
fn removed_statement_causes_no_other_error() {
    for (line, other) in [
        ("credential = { file = \"secret\" }", "credential = \"inline\""),
        ("name = \"affiliates\"", "name = 1"),
        ("vendor = \"tolt\"", "vendor = [1,\n2]"),
        (
            "program_id = \"prg_1\"",
            "program_id = \"prg_1\"\n[connections.cache]\nfresh = 1\n[connections.cache.customer]\nfresh = \"1s\"",
        ),
        (
            "program_id = \"prg_1\"",
            "program_id = \"prg_1\"\nrate_limit = [{ requests = 1, per = \"1s\" }, { requests = \"x\", per = \"1d\" }]",
        ),
    ] {
        let callers = "[[callers]]\nname = \"a\"\nconnections = [\"affiliates\"]\nclaims = { azp = \"a\" }\n[identity]\nissuer = 1\n";
        let complaint = ConfigDir::new().error_for(&format!("{}{callers}", TOLT.replace(line, other)));
        assert_eq!(complaint.lines().count(), 4, "{complaint}");
    }
}

#[test]
fn error_hides_no_error_of_another_key() {
    let text = r#"
[server]
listen = "127.0.0.1"
cors = { origins = ["a", "https://b.example.com/"] }

[paging]
max_vendor_calls = "many"

[shared]
url = { file = "nowhere" }
timeout = "2s"

[[connections]]
name = "Tax"
vendor = "stripe"
rate_limit = { requests = 0, per = "1s" }

[[callers]]
name = "app"
connections = ["taxx"]

[telemetry]
sample = 2
service_name = ""

[identity]
issuer = ""
refresh = "1s"
"#;
    assert_snapshot!(ConfigDir::new().error_for(text), @r#"
    gateway.toml:3: server.listen: invalid address; write an IP address with a port, such as "127.0.0.1:8080"
    gateway.toml:4: server.cors.origins.0: `a` is not an origin; write the scheme, the host and a port that is not the default, such as "https://app.example.com"
    gateway.toml:4: server.cors.origins.1: `https://b.example.com/` is not an origin; write the scheme, the host and a port that is not the default, such as "https://app.example.com"
    gateway.toml:7: paging.max_vendor_calls: the value is not a positive whole number; write a whole number of at least 1, or remove the key
    gateway.toml:10: shared.url: the file nowhere cannot be read: No such file or directory (os error 2); write the path of a file that contains only the secret
    gateway.toml:11: shared.timeout: the timeout is above 500 ms, and requests would wait for a lost server; write at most "500ms"
    gateway.toml:13: connections.0: missing field `credential`
    gateway.toml:14: connections.Tax.name: a connection name starts with a lowercase letter and contains only lowercase letters, digits and hyphens, at most 63 characters
    gateway.toml:15: connections.0.vendor: unknown vendor `stripe`; write one of "tolt", "corporation"
    gateway.toml:16: connections.0.rate_limit.requests: the number is zero; write a whole number of at least 1, or remove the key
    gateway.toml:18: callers.app: the caller has neither a key nor claims; write key_digest = "blake3:…", keys = [{ digest = "blake3:…", expires = "…" }], or claims = { … }
    gateway.toml:22: telemetry: missing field `otlp_endpoint`
    gateway.toml:23: telemetry.sample: invalid ratio; write a number from 0 to 1, such as 0.1
    gateway.toml:24: telemetry.service_name: `service_name` must not be empty; write a name, or remove the key
    gateway.toml:26: identity: no caller has claims, so every token would be rejected; write claims = { … } in a [[callers]] section, or remove this section
    gateway.toml:26: identity: missing field `audience`
    gateway.toml:26: identity: missing field `jwks`
    gateway.toml:27: identity.issuer: `issuer` must not be empty; write the exact value from the provider's tokens
    gateway.toml:28: identity.refresh: the refresh interval is too short; write "30s" or longer
    "#);
}

#[test]
fn unknown_connection_is_one_of_the_errors() {
    let callers = "[server]\nport = 1\n[[callers]]\nname = \"a\"\nconnections = [\"taxx\"]\nclaims = {}\n";
    assert_snapshot!(adding(callers), @r#"
    gateway.toml:8: server.port: unknown field `port`, expected one of `listen`, `tls`, `cors`, `request_timeout`, `header_timeout`, `idle_timeout`, `max_connections`, `max_requests`, `max_vendor_bytes`, `max_unread_bytes`, `shutdown_delay`, `drain_timeout`, `watch`
    gateway.toml:11: callers.a.connections: unknown connection `taxx`; list names of [[connections]] sections
    gateway.toml:12: callers.a.claims: `claims` must not be empty, because every token would match; write claims = { azp = "…" }
    gateway.toml:12: callers.a.claims: `claims` requires an identity provider; add an [identity] section, or give the caller a key
    "#);
}
