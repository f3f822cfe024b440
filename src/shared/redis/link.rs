//! One connection to a server, kept open by a task.
//!
//! An operation waits at most the timeout. It does not wait for a connection, and
//! is not sent while the connection is lost. The connection is lost if it is closed,
//! or after consecutive failures. The task then tests the connection
//! once a second, and opens a new one if it does not recover.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ScriptInvocation, ServerErrorKind,
    aio::MultiplexedConnection,
};
use metrics::Gauge;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{shared::Unavailable, telemetry::metrics::Registry};

use super::server::Connector;

/// Consecutive failures after which the connection is lost.
const MAX_FAILURES: u32 = 3;
/// Interval of the tests of a lost connection.
const TEST_INTERVAL: Duration = Duration::from_secs(1);
/// Failed tests after which a new connection is opened. A stopped server may still
/// hold the connection open.
const MAX_FAILED_TESTS: u32 = 3;
/// Longest time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Shortest and longest pause after a connection could not be opened.
const CONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// Operations in flight on the connection. Further operations wait, within the
/// timeout.
const MAX_IN_FLIGHT: usize = 1024;

/// Connection to a server. Clones share the connection, which is closed with the last
/// clone.
#[derive(Clone)]
pub(super) struct Link {
    shared: Arc<Shared>,
    _task: Arc<AbortOnDropHandle<()>>,
}

struct Shared {
    name: &'static str,
    /// Write that tests the connection. A server that rejects writes answers `PING`,
    /// and a server without memory still deletes.
    test: Cmd,
    timeout: Duration,
    state: Mutex<State>,
    /// True while operations are sent.
    is_up: watch::Sender<bool>,
    /// True once a loss is logged, until the connection recovers.
    is_loss_logged: AtomicBool,
    lost: Notify,
    gauge: Gauge,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    is_lost: bool,
    /// True if the server no longer accepts writes, because another one is the
    /// primary.
    is_demoted: bool,
    /// Consecutive failures.
    failures: u32,
}

impl Link {
    /// Opens a connection in the background. `name` is the connection's purpose in
    /// logs and metrics. A write to `test_key` tests the connection.
    pub(super) fn open(
        name: &'static str,
        connector: Connector,
        test_key: &str,
        timeout: Duration,
        registry: &Registry,
    ) -> Self {
        let gauge = registry.gauge(
            "gateway_shared_connected",
            "1 if the connection to Redis works, by purpose.",
            &[("purpose", name)],
        );
        gauge.set(0.0);
        let shared = Arc::new(Shared {
            name,
            test: ::redis::cmd("DEL").arg(test_key).to_owned(),
            timeout,
            state: Mutex::default(),
            is_up: watch::Sender::new(false),
            is_loss_logged: AtomicBool::new(false),
            lost: Notify::new(),
            gauge,
        });
        let task = tokio::spawn(Arc::clone(&shared).keep_open(connector));
        Self { shared, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// Returns true while operations are sent.
    pub(super) fn is_up(&self) -> bool {
        *self.shared.is_up.borrow()
    }

    /// Returns a receiver of the state: true while operations are sent.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.shared.is_up.subscribe()
    }

    /// Runs a script, and loads it into the server if necessary.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, Unavailable> {
        let run = |mut connection| async move { script.invoke_async(&mut connection).await };
        self.send(run).await
    }

    /// Runs a command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Unavailable> {
        let query = |mut connection: MultiplexedConnection| async move { command.query_async(&mut connection).await };
        self.send(query).await
    }

    /// Runs several commands in one round trip.
    pub(super) async fn pipeline<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Unavailable> {
        let query = |mut connection: MultiplexedConnection| async move { pipeline.query_async(&mut connection).await };
        self.send(query).await
    }

    async fn send<T, F>(&self, operation: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let connection = {
            let state = self.shared.state.lock();
            state.connection.clone().filter(|_| !state.is_lost).ok_or(Unavailable::Lost)?
        };
        let error = match timeout(self.shared.timeout, operation(connection)).await {
            Ok(Ok(value)) => {
                self.shared.state.lock().failures = 0;
                return Ok(value);
            }
            Ok(Err(error)) => {
                self.shared.state.lock().is_demoted |= is_demotion(&error);
                failure(&error)
            }
            Err(_) => Unavailable::TimedOut,
        };
        self.shared.on_failure(&error);
        Err(error)
    }
}

impl Shared {
    /// Keeps the connection open, forever.
    async fn keep_open(self: Arc<Self>, mut connector: Connector) {
        let mut pause = CONNECT_PAUSE.0;
        loop {
            match timeout(CONNECT_TIMEOUT, connect(&mut connector)).await {
                Ok(Ok(connection)) => {
                    pause = CONNECT_PAUSE.0;
                    self.state.lock().connection = Some(connection.clone());
                    self.recover();
                    self.supervise(connection).await;
                    self.state.lock().connection = None;
                }
                Ok(Err(error)) => self.log_loss(&failure(&error)),
                Err(_) => self.log_loss(&Unavailable::TimedOut),
            }
            sleep(pause.mul_f64(1.0 + fastrand::f64())).await;
            pause = (pause * 2).min(CONNECT_PAUSE.1);
        }
    }

    /// Tests the connection whenever it is lost. Returns if it does not recover.
    async fn supervise(&self, mut connection: MultiplexedConnection) {
        loop {
            {
                let mut lost = pin!(self.lost.notified());
                lost.as_mut().enable();
                if !self.state.lock().is_lost {
                    lost.await;
                }
            }
            let mut failed = 0;
            loop {
                if self.state.lock().is_demoted {
                    return;
                }
                match timeout(self.timeout, self.test.query_async::<()>(&mut connection)).await {
                    Ok(Ok(())) => {
                        self.recover();
                        break;
                    }
                    Ok(Err(error)) if error.is_unrecoverable_error() || is_demotion(&error) => return,
                    Ok(Err(_)) | Err(_) => {
                        failed += 1;
                        if failed == MAX_FAILED_TESTS {
                            return;
                        }
                        sleep(TEST_INTERVAL).await;
                    }
                }
            }
        }
    }

    fn on_failure(&self, error: &Unavailable) {
        // A rejection concerns one operation, unless the server rejects all of them.
        if matches!(error, Unavailable::Rejected(code) if !is_general(code)) || *error == Unavailable::Unreadable {
            return;
        }
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        let is_closed = *error == Unavailable::Disconnected || state.is_demoted;
        let is_lost = is_closed || state.failures >= MAX_FAILURES;
        if !is_lost || state.is_lost {
            return;
        }
        state.is_lost = true;
        drop(state);
        self.is_up.send_replace(false);
        self.gauge.set(0.0);
        self.lost.notify_one();
        self.log_loss(error);
    }

    fn recover(&self) {
        let mut state = self.state.lock();
        (state.is_lost, state.is_demoted) = (false, false);
        state.failures = 0;
        drop(state);
        self.is_up.send_replace(true);
        self.gauge.set(1.0);
        if self.is_loss_logged.swap(false, Relaxed) {
            tracing::info!(purpose = self.name, "redis connection restored");
        }
    }

    /// Logs a loss once.
    fn log_loss(&self, error: &Unavailable) {
        if !self.is_loss_logged.swap(true, Relaxed) {
            tracing::warn!(purpose = self.name, %error, "redis connection lost");
        }
    }
}

/// Opens a connection to the current primary.
async fn connect(connector: &mut Connector) -> Result<MultiplexedConnection, RedisError> {
    let client = connector.client().await?;
    // The callers' timeouts are shorter, and do not affect the connection.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(CONNECT_TIMEOUT))
        .set_concurrency_limit(MAX_IN_FLIGHT);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Classifies an error without its text, which may quote a value.
fn failure(error: &RedisError) -> Unavailable {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => {
            Unavailable::Rejected(error.code().unwrap_or("ERR").chars().take(32).collect())
        }
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse => Unavailable::Unreadable,
        _ if error.is_timeout() => Unavailable::TimedOut,
        _ => Unavailable::Disconnected,
    }
}

/// Returns true if another server is the primary now.
fn is_demotion(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// Returns true if the server rejects all operations with this code.
fn is_general(code: &str) -> bool {
    matches!(
        code,
        "READONLY"
            | "LOADING"
            | "MASTERDOWN"
            | "NOREPLICAS"
            | "MISCONF"
            | "NOAUTH"
            | "WRONGPASS"
            | "NOPERM"
            | "BUSY"
            | "CLUSTERDOWN"
            | "TRYAGAIN"
    )
}
