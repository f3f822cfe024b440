//! Gateway process with one connection and several callers.

use std::{path::Path, time::Duration};

use bench_servers::process::{Launch, Process, key};

/// Settings of a gateway.
#[derive(Clone)]
pub struct Settings {
    /// Calls per second.
    pub limit: u32,
    /// Maximum duration of a vendor call.
    pub timeout: Duration,
    pub callers: &'static [&'static str],
    /// Lines of the `[cache]` section.
    pub cache: &'static str,
}

/// Gateway process, stopped when dropped.
pub struct Gateway {
    pub port: u16,
    /// Keys of the callers, in the order of the settings.
    pub keys: Vec<String>,
    settings: Settings,
    digests: Vec<String>,
    vendor: u16,
    process: Process,
}

impl Gateway {
    /// Starts a gateway and waits until it listens.
    pub async fn start(binary: &Path, settings: Settings, vendor: u16) -> Self {
        let (keys, digests): (Vec<_>, Vec<_>) = settings.callers.iter().map(|_| key(binary)).unzip();
        let config = |port| Config { port, vendor, settings: &settings, digests: &digests }.text(settings.limit);
        let process = Launch::new(binary).start(config).await;
        Self { port: process.port, keys, settings, digests, vendor, process }
    }

    /// Changes the limit and reloads the configuration.
    pub fn reload(&self, limit: u32) {
        let Self { port, vendor, settings, digests, .. } = self;
        self.process.reload(&Config { port: *port, vendor: *vendor, settings, digests }.text(limit));
    }
}

struct Config<'c> {
    port: u16,
    vendor: u16,
    settings: &'c Settings,
    digests: &'c [String],
}

impl Config<'_> {
    fn text(&self, limit: u32) -> String {
        let Self { port, vendor, settings, digests } = self;
        let Settings { timeout, callers, cache, .. } = settings;
        let mut text = format!(
            r#"
            [server]
            listen = "127.0.0.1:{port}"
            [paging]
            cursor_key = {{ file = "secret" }}
            [cache]
            {cache}
            [[connections]]
            name = "tolt"
            vendor = "tolt"
            base_url = "http://127.0.0.1:{vendor}"
            credential = {{ file = "secret" }}
            program_id = "prg_YRsbPDAKhWfdqJbFACheh"
            rate_limit = {{ requests = {limit}, per = "1s" }}
            timeout = "{}ms"
            "#,
            timeout.as_millis()
        );
        for (name, digest) in callers.iter().zip(*digests) {
            text += &format!(
                r#"
                [[callers]]
                name = "{name}"
                key_digest = "{digest}"
                connections = ["tolt"]
                "#
            );
        }
        text
    }
}
