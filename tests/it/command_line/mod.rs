//! The command, run as a process.

mod commands;
mod deaf;
mod descriptors;
mod exporting;
mod leaks;
mod reloading;
mod replicas;
mod serving;
mod shared;
mod special_files;
mod stalled;
mod telemetry;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
};

use crate::support::{ACCOUNT, SECRET};

/// Returns the command with these arguments, without the environment variables
/// that it reads.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_customer-gateway"));
    command.args(arguments);
    for variable in ["RUST_LOG", "RUST_BACKTRACE", "GATEWAY_CONFIG", "GATEWAY_KEY", "GATEWAY_LOG_FORMAT", "GATEWAY_URL"]
    {
        command.env_remove(variable);
    }
    command
}

/// Runs the command to its end, without blocking the runtime.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    let mut command = command(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Checks a configuration that the sandbox has printed, with its environment variables.
/// Returns the output.
fn check_printed(printed: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    std::fs::write(&path, printed).unwrap();
    let mut check = command(&["check", "--live", "--config", path.to_str().unwrap()]);
    let exports = printed.lines().filter_map(|line| line.strip_prefix("#   export ")?.split_once('='));
    let output = check.envs(exports).output().unwrap();
    assert!(output.status.success(), "{output:?}\n{printed}");
    text(&output.stdout).to_owned()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Writes a configuration with one connection.
pub(crate) fn configure(path: &Path, base_url: &str, rest: &str) {
    std::fs::write(path.with_file_name("secret"), SECRET).unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n{rest}\n[[connections]]\nname = \"odd\"\nvendor = \"tolt\"\nbase_url = \"{base_url}\"\n\
         credential = {{ file = \"secret\" }}\nprogram_id = \"{ACCOUNT}\"\n"
    );
    std::fs::write(path, text).unwrap();
}

/// A running command, killed when dropped.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut command(arguments))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: BufReader::new(stdout), stderr: BufReader::new(stderr) }
    }

    /// Reads standard error up to the first line with these words.
    fn read_log_until(&mut self, words: &str) -> String {
        read_until(&mut self.stderr, words)
    }

    /// Reads standard output up to the first line with these words.
    fn read_stdout_until(&mut self, words: &str) -> String {
        read_until(&mut self.stdout, words)
    }

    /// Sends SIGTERM, as a process manager does.
    fn terminate(&self) {
        self.signal("TERM");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end. Returns the exit status and the last log lines.
    fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn read_until(reader: &mut impl BufRead, words: &str) -> String {
    let mut read = String::new();
    while !read.contains(words) {
        assert_ne!(reader.read_line(&mut read).unwrap(), 0, "the command ended without `{words}`: {read}");
    }
    read
}
