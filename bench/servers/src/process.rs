//! Gateway process on a loopback port.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Gateway process with a directory of its own, stopped when dropped.
pub struct Process {
    pub port: u16,
    directory: TempDir,
    child: Child,
}

/// Start of a gateway process.
pub struct Launch<'l> {
    pub binary: &'l Path,
    /// Command that executes the gateway, such as `prlimit --nofile=128`. May be empty.
    pub wrapper: &'l [String],
    /// Files with vendor credentials in the process's directory.
    pub secrets: &'l [&'l str],
    /// Further files in the process's directory, by name.
    pub files: &'l [(&'l str, &'l str)],
    /// Log filter, as in `RUST_LOG`.
    pub filter: &'l str,
    /// Standard error. A file in the process's directory if absent.
    pub stderr: Option<Stdio>,
}

impl<'l> Launch<'l> {
    pub fn new(binary: &'l Path) -> Self {
        Self { binary, wrapper: &[], secrets: &["secret"], files: &[], filter: "info,request=warn", stderr: None }
    }

    /// Starts a gateway with the configuration that `config` makes for a port, and
    /// waits until the gateway listens.
    pub async fn start(self, config: impl FnOnce(u16) -> String) -> Process {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        let port = free_port();
        let path = directory.path().join("gateway.toml");
        for name in self.secrets {
            fs::write(directory.path().join(name), format!("sk_{name}")).expect("the temporary directory is writable");
        }
        for (name, text) in self.files {
            fs::write(directory.path().join(name), text).expect("the temporary directory is writable");
        }
        fs::write(&path, config(port)).expect("the temporary directory is writable");
        let log = fs::File::create(directory.path().join("log")).expect("the temporary directory is writable");
        let words: Vec<_> = self.wrapper.iter().map(PathBuf::from).chain([self.binary.to_owned()]).collect();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(["--log-format", "json", "serve", "--config"])
            .arg(path)
            .env("RUST_LOG", self.filter)
            .stdout(Stdio::null())
            .stderr(self.stderr.unwrap_or_else(|| log.into()))
            .spawn()
            .expect("the gateway starts");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Ok(Some(status)) = child.try_wait() {
                let log = fs::read_to_string(directory.path().join("log")).unwrap_or_default();
                panic!("the gateway ended with {status}: {log}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Process { port, directory, child }
    }
}

impl Process {
    /// Returns the path of a file in the process's directory, such as `log`,
    /// `secret` or `gateway.toml`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Replaces the configuration and reloads it.
    pub fn reload(&self, config: &str) {
        fs::write(self.file("gateway.toml"), config).expect("the temporary directory is writable");
        self.signal("HUP");
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the gateway ended");
    }

    /// Returns the resident memory in KiB.
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
    }

    /// Returns the number of open file descriptors.
    pub fn descriptors(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok()?.count())
    }

    /// Returns the exit status if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends SIGTERM. Returns the exit status and the time until the exit, or
    /// nothing if the process has not ended within `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> Option<(ExitStatus, Duration)> {
        let start = Instant::now();
        self.signal("TERM");
        while start.elapsed() < limit {
            if let Some(status) = self.ended() {
                return Some((status, start.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns a caller's key and its digest.
pub fn key(binary: &Path) -> (String, String) {
    let output = Command::new(binary).arg("key").output().expect("the gateway starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let word = |prefix: &str| {
        let found = text.split(|c: char| !(c.is_alphanumeric() || "_-:".contains(c)));
        found.into_iter().find(|word| word.starts_with(prefix)).expect("the command prints a key").to_owned()
    };
    (word("cgk_"), word("blake3:"))
}

/// Returns a port that is free at the time of the call.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("the socket is bound").port()
}
