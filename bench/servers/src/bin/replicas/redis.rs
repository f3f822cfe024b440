//! Redis server process.

use std::{
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use bench_servers::process::free_port;

/// Redis server on a free port, killed when dropped.
pub struct Redis {
    pub port: u16,
    child: Child,
}

impl Redis {
    /// Starts a server and waits until it listens.
    pub fn start() -> Self {
        let port = free_port();
        Self { port, child: spawn(port) }
    }

    /// Kills the server and starts it again, without its data.
    pub fn restart(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.child = spawn(self.port);
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        run("kill", &[format!("-{name}"), self.child.id().to_string()]);
    }

    /// Runs a command.
    pub fn command(&self, words: &[&str]) {
        let port = self.port.to_string();
        let words = ["-p", &port].iter().chain(words).map(ToString::to_string).collect::<Vec<_>>();
        run("redis-cli", &words);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(port: u16) -> Child {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is not installed: install the package redis-server");
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        sleep(Duration::from_millis(5));
    }
    child
}

fn run(program: &str, arguments: &[String]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} failed");
}
