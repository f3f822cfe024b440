//! A real Redis server for tests, and replicas of a gateway that share it.

use std::{
    net::Ipv4Addr,
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    time::Duration,
};

use customer_gateway::{
    clock::SystemClock,
    config::Config,
    shared::{OnLoss, RedisUrl, Settings, SharedKey},
};
use redis::{Client, FromRedisValue, ToRedisArgs};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use super::Gateway;

/// A Redis server, killed when dropped.
pub(crate) struct RedisServer {
    port: u16,
    options: Vec<String>,
    folder: TempDir,
    process: Child,
}

/// A proxy in front of a port, which delays the requests or closes the connections.
pub(crate) struct Proxy {
    port: u16,
    delay: watch::Sender<Duration>,
    /// False while connections are closed and rejected.
    is_open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Longest time to wait for a condition.
const PATIENCE: Duration = Duration::from_secs(20);

impl RedisServer {
    /// Starts a server on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with further command line options.
    pub(crate) async fn start_with(options: &[&str]) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        let process = spawn(port, &folder, &options);
        let server = Self { port, options, folder, process };
        server.ready().await;
        server
    }

    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns settings of replicas that share the server, with a timeout for a slow
    /// machine.
    pub(crate) fn settings(&self) -> Settings {
        settings(&self.url())
    }

    /// Runs a command.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &str, arguments: &[impl ToRedisArgs]) -> T {
        let client = Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut query = redis::cmd(command);
        for argument in arguments {
            query.arg(argument);
        }
        query.query_async(&mut connection).await.unwrap()
    }

    /// Removes all keys.
    pub(crate) async fn flush(&self) {
        self.run::<()>("FLUSHALL", &[] as &[&str]).await;
    }

    /// Kills the server.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts a killed server again, without its data.
    pub(crate) async fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder, &self.options);
        self.ready().await;
    }

    /// Stops the server, which keeps its connections and responds to nothing.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues a stopped server.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    async fn ready(&self) {
        let client = Client::open(self.url()).unwrap();
        eventually(async || {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
            redis::cmd("PING").query_async::<()>(&mut connection).await.is_ok()
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A stopped process also ends at SIGKILL.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Proxy {
    /// Starts a proxy on a free port.
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (delay, is_open) = (watch::Sender::new(Duration::ZERO), watch::Sender::new(true));
        let (delays, gates) = (delay.clone(), is_open.clone());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if !*gates.borrow() {
                    continue;
                }
                let (delay, mut is_open) = (delays.subscribe(), gates.subscribe());
                connections.spawn(async move {
                    tokio::select! {
                        () = forward(client, target, delay) => {}
                        _ = is_open.wait_for(|is_open| !*is_open) => {}
                    }
                });
            }
        });
        Self { port, delay, is_open, task }
    }

    /// Returns the port of the proxy.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL of a Redis server behind the proxy.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Delays each request and each response by half of this time.
    pub(crate) fn delay(&self, round_trip: Duration) {
        self.delay.send_replace(round_trip / 2);
    }

    /// Closes all connections, and rejects further ones.
    pub(crate) fn close(&self) {
        self.is_open.send_replace(false);
    }

    /// Accepts connections again.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Forwards a connection until either side closes it.
async fn forward(client: TcpStream, port: u16, delay: watch::Receiver<Duration>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = copy(from_client, to_server, delay.clone()) => {}
        () = copy(from_server, to_client, delay) => {}
    }
}

/// Copies bytes, each after the delay. Later bytes do not wait for earlier ones.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: watch::Receiver<Duration>) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(read) = from.read(&mut buffer).await
            && read > 0
        {
            let due = Instant::now() + *delay.borrow();
            if sender.send((due, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write);
}

/// Returns settings of replicas that share a server.
pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        url: RedisUrl::parse(url).unwrap(),
        state_url: None,
        prefix: "test".to_owned(),
        timeout: Duration::from_millis(500),
        replicas: NonZeroU32::MIN,
        on_loss: OnLoss::Share,
        cache: true,
        limits: true,
        leases: true,
        quotas: true,
        key: SharedKey::derive(b"tests"),
    }
}

/// Starts replicas of a gateway on the system's clock. Each replica knows the
/// others before this function returns.
pub(crate) async fn replicas<const N: usize>(configuration: impl Fn() -> Config) -> [Gateway; N] {
    let mut replicas = Vec::new();
    for _ in 0..N {
        replicas.push(Gateway::start_on(SystemClock::shared(), configuration()).await);
    }
    replicas.try_into().unwrap_or_else(|_| unreachable!())
}

/// Waits until a condition is true. Panics if it stays false.
pub(crate) async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "the condition stays false");
        sleep(Duration::from_millis(10)).await;
    }
}

fn spawn(port: u16, folder: &TempDir, options: &[String]) -> Child {
    let program = ["redis-server", "valkey-server"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok());
    let program = program.expect("redis-server is not installed: run .ci/setup, or install the package redis-server");
    Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(options)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
