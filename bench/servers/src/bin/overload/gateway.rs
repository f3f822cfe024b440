//! Gateway process with one connection and several callers.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

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
    directory: TempDir,
    process: Child,
}

impl Gateway {
    /// Starts a gateway and waits until it listens.
    pub async fn start(binary: &Path, settings: Settings, vendor: u16) -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        let port = free_port();
        let (keys, digests): (Vec<_>, Vec<_>) = settings.callers.iter().map(|_| key(binary)).unzip();
        let config = Config { directory: directory.path(), port, vendor, settings: &settings, digests: &digests };
        let path = config.write(settings.limit);
        let log = fs::File::create(directory.path().join("log")).expect("the temporary directory is writable");
        let process = Command::new(binary)
            .args(["--log-format", "json", "serve", "--config"])
            .arg(path)
            .env("RUST_LOG", "info,request=warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the gateway starts");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { port, keys, settings, digests, vendor, directory, process }
    }

    /// Changes the limit and reloads the configuration.
    pub fn reload(&self, limit: u32) {
        let Self { port, vendor, settings, digests, .. } = self;
        Config { directory: self.directory.path(), port: *port, vendor: *vendor, settings, digests }.write(limit);
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the gateway ended");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

struct Config<'c> {
    directory: &'c Path,
    port: u16,
    vendor: u16,
    settings: &'c Settings,
    digests: &'c [String],
}

impl Config<'_> {
    fn write(&self, limit: u32) -> PathBuf {
        let Self { directory, port, vendor, settings, digests } = self;
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
        let path = directory.join("gateway.toml");
        fs::write(directory.join("secret"), "sk_bench").expect("the temporary directory is writable");
        fs::write(&path, text).expect("the temporary directory is writable");
        path
    }
}

/// Returns a caller's key and its digest.
fn key(binary: &Path) -> (String, String) {
    let output = Command::new(binary).arg("key").output().expect("the gateway starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let word = |prefix: &str| {
        let found = text.split(|c: char| !(c.is_alphanumeric() || "_-:".contains(c)));
        found.into_iter().find(|word| word.starts_with(prefix)).expect("the command prints a key").to_owned()
    };
    (word("cgk_"), word("blake3:"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("the socket is bound").port()
}
