//! Redis server of a sandbox with several replicas.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

/// Programs that are a suitable server, in order of preference.
const PROGRAMS: [&str; 2] = ["valkey-server", "redis-server"];
/// Pages are evicted beyond this memory.
const MAX_MEMORY: &str = "256mb";
/// Number of ports to try. Another process may take a port that was free.
const MAX_PORTS: u32 = 3;
/// Longest time until the server responds.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two attempts to reach the server.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a server, and ends it when standard input is closed: at the end of the sandbox,
/// however it ends. A background command reads no standard input, hence the copy.
const SCRIPT: &str = r#"exec 3<&0; { cat > /dev/null; kill "$$"; } <&3 & exec "$@" < /dev/null 3<&-"#;
/// Longest time until the server ends. Without files, it needs a few milliseconds.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A Redis or Valkey server without files, which ends when this value is dropped.
pub(super) struct RedisProcess {
    address: SocketAddr,
    child: Child,
}

impl RedisProcess {
    /// Starts a server on a free port, and waits until it responds.
    pub(super) async fn start() -> anyhow::Result<Self> {
        for _ in 0..MAX_PORTS {
            let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot find a free port")?;
            let address = socket.local_addr()?;
            drop(socket);
            let mut process = Self { address, child: spawn(address.port())? };
            if timeout(START_TIMEOUT, process.responds()).await.unwrap_or_default() {
                return Ok(process);
            }
        }
        bail!("the Redis server does not start; run `redis-server --port 0` to see the reason")
    }

    /// Returns the URL of the server.
    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Waits until the server responds. Returns false if it exits.
    async fn responds(&mut self) -> bool {
        while matches!(self.child.try_wait(), Ok(None)) {
            if ping(self.address).await.unwrap_or_default() {
                return true;
            }
            sleep(PAUSE).await;
        }
        false
    }
}

impl Drop for RedisProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > STOP_TIMEOUT {
                // Fails only if the server has exited.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Returns true if a server accepts commands.
async fn ping(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut response = [0; 7];
    stream.read_exact(&mut response).await?;
    Ok(response == *b"+PONG\r\n")
}

fn spawn(port: u16) -> anyhow::Result<Child> {
    let is_installed = |program: &&str| {
        let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok()
    };
    let Some(program) = PROGRAMS.into_iter().find(is_installed) else {
        bail!(
            "--replicas requires a Redis server; install the package redis-server or valkey-server (Debian, Ubuntu), \
             valkey or redis (Fedora, Alpine, Homebrew), or omit --replicas"
        );
    };
    Command::new("sh")
        .args(["-c", SCRIPT, "sh", program])
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--maxmemory", MAX_MEMORY, "--maxmemory-policy", "volatile-lru"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal reaches the sandbox, which ends the server last.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}
