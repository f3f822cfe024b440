//! Log lines on standard error.
//!
//! A thread of its own writes the lines (`queue`). Nothing else in the process
//! may write to standard error while it serves: a stalled reader would block the
//! thread.

mod queue;
mod request;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::Display,
    io::{self, IsTerminal},
    panic::{self, PanicHookInfo},
    sync::OnceLock,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use queue::LogQueue;
pub use request::{LineLabels, RequestLine};

/// Maximum time that the exit of the process waits for log lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Queue of the process.
static QUEUE: OnceLock<LogQueue> = OnceLock::new();
/// Queue of the process if its log has the JSON format.
static JSON_LINES: OnceLock<LogQueue> = OnceLock::new();

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Human-readable lines.
    Human,
    /// One JSON object per line.
    Json,
}

/// The started log. A drop waits until the lines are written, for at most one
/// second.
#[must_use]
pub struct Log(LogQueue);

impl Log {
    /// Starts logging for the process. `RUST_LOG` sets the filter; the default is
    /// `info`. Panics are logged, too.
    pub fn start(format: LogFormat) -> io::Result<Self> {
        let queue = LogQueue::start(io::stderr(), |lines| tracing::warn!(lines, "log lines dropped"))?;
        let queue = QUEUE.get_or_init(|| queue).clone();
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let registry = tracing_subscriber::registry().with(filter);
        let lines = queue.clone();
        let writer = move || lines.clone();
        let started = match format {
            LogFormat::Human => {
                registry.with(fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(writer)).try_init()
            }
            LogFormat::Json => registry.with(fmt::layer().json().with_writer(writer)).try_init(),
        };
        // Only a second start fails, and the first start keeps logging.
        if started.is_ok() && format == LogFormat::Json {
            JSON_LINES.get_or_init(|| queue.clone());
        }
        panic::set_hook(Box::new(log_panic));
        Ok(Self(queue))
    }

    /// Adds a line without the format of the log.
    pub fn print(&self, line: impl Display) {
        self.0.push(format!("{line}\n").as_bytes());
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIMEOUT);
    }
}

/// Returns the number of lines of this process that were dropped.
pub(super) fn dropped_lines() -> u64 {
    QUEUE.get().map_or(0, LogQueue::dropped)
}

/// Logs a panic. The default hook would write to standard error and block the
/// panicking thread.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let reason = panic.payload_as_str();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(location, reason, backtrace, "thread panicked");
}
