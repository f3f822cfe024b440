//! Configuration of the gateway under test.

use std::fmt::Write;

use bench_servers::vendor::ACCOUNT;

/// Files with the credentials of the vendors.
pub const SECRETS: &[&str] = &["cursor", "stable", "changing", "forward", "failing"];

/// Names of the callers with their connections. The last caller comes and goes.
pub const CALLERS: [(&str, &str); 7] = [
    ("app", r#"["alpha", "beta", "gamma", "delta"]"#),
    ("batch", r#"["alpha", "gamma", "delta"]"#),
    ("limited", r#"["alpha", "gamma"]"#),
    ("narrow", r#"["alpha"]"#),
    ("steady", r#"["steady"]"#),
    ("healthy", r#"["delta"]"#),
    ("guest", r#"["delta"]"#),
];

/// Settings that reloads change.
#[derive(Clone)]
pub struct Variant {
    /// Calls per second of `alpha` and `beta`.
    pub alpha: u32,
    /// Calls per second of `gamma`.
    pub gamma: u32,
    pub share: &'static str,
    pub quota: u32,
    pub has_guest: bool,
}

impl Default for Variant {
    fn default() -> Self {
        Self { alpha: 30, gamma: 15, share: "0.3", quota: 10, has_guest: false }
    }
}

/// Limit of the other connections, in calls per second.
pub const LIMIT: u32 = 30;

/// Ports of the vendors.
#[derive(Clone, Copy)]
pub struct Ports {
    pub changing: u16,
    pub forward: u16,
    pub stable: u16,
    pub failing: u16,
}

/// Returns the configuration file.
pub fn text(port: u16, ports: Ports, digests: &[String], variant: &Variant) -> String {
    let mut text = format!(
        r#"
        [server]
        listen = "127.0.0.1:{port}"
        request_timeout = "15s"
        [paging]
        cursor_key = {{ file = "cursor" }}
        [cache]
        max_bytes = "24MiB"
        fresh = "1s"
        stale_while_revalidate = "2s"
        stale_if_error = "1h"
        not_found = "1s"
        "#
    );
    let connections = [
        ("alpha", "tolt", "program_id", ports.changing, "changing", variant.alpha),
        ("beta", "tolt", "program_id", ports.changing, "changing", variant.alpha),
        ("gamma", "corporation", "corporation_id", ports.forward, "forward", variant.gamma),
        ("delta", "tolt", "program_id", ports.stable, "stable", LIMIT),
        ("steady", "tolt", "program_id", ports.failing, "failing", LIMIT),
    ];
    for (name, vendor, account, port, secret, limit) in connections {
        write!(
            text,
            r#"
            [[connections]]
            name = "{name}"
            vendor = "{vendor}"
            base_url = "http://127.0.0.1:{port}"
            credential = {{ file = "{secret}" }}
            {account} = "{ACCOUNT}"
            rate_limit = {{ requests = {limit}, per = "1s" }}
            timeout = "3s"
            "#
        )
        .expect("text can be written");
    }
    for ((name, connections), digest) in CALLERS.iter().zip(digests) {
        let more = match *name {
            "app" => "may_purge = true".to_owned(),
            "batch" => format!("share = {}", variant.share),
            "limited" => format!(r#"quota = {{ requests = {}, per = "1s" }}"#, variant.quota),
            _ => String::new(),
        };
        if *name != "guest" || variant.has_guest {
            write!(
                text,
                r#"
                [[callers]]
                name = "{name}"
                key_digest = "{digest}"
                connections = {connections}
                {more}
                "#
            )
            .expect("text can be written");
        }
    }
    text
}
