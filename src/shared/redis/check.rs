//! Check of the configured servers, for operators.

use std::{fmt, time::Duration};

use ::redis::{AsyncConnectionConfig, ErrorKind, InfoDict, RedisError, Script, aio::MultiplexedConnection};
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use crate::{
    clock::SharedClock,
    shared::{RedisUrl, Settings},
};

use super::Address;

/// Oldest supported version: `GETEX` and `SET` with `PX` and `GET` exist since then.
const MIN_VERSION: (u32, u32) = (6, 2);
/// Longest time for the connection, and for each command.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Difference of the clocks that is worth a warning. No result depends on it.
const MAX_CLOCK_DIFFERENCE: f64 = 1.0;

/// Result of the check of one server.
#[derive(Debug)]
pub struct ServerReport {
    /// Setting with the URL of the server.
    pub setting: &'static str,
    /// State of a usable server.
    pub result: Result<ServerState, ServerFault>,
}

/// State of a usable server. Displayed in one line.
#[derive(Debug)]
pub struct ServerState {
    version: String,
    policy: String,
    /// Seconds that the server's clock is ahead of this machine's clock.
    clock_difference: f64,
    round_trip: Duration,
    /// Settings of the server that operators should change, each with its remedy.
    pub warnings: Vec<String>,
}

/// Reason why a server cannot be used. No message contains a part of the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// No connection within two seconds.
    #[error("the connection to Redis failed; check the host, the port and TLS in the URL")]
    Unreachable,
    /// The sentinels name no primary.
    #[error("the sentinels name no primary; check the sentinels and the service in the URL")]
    NoPrimary,
    /// Wrong user or password.
    #[error("Redis rejected the credentials; check the user and the password in the URL")]
    Credentials,
    /// The user lacks a permission, or the server rejects commands.
    #[error("Redis rejected a command with `{0}`; use the ACL in docs/REPLICAS.md")]
    Rejected(String),
    /// The server is older than 6.2.
    #[error("Redis {0} is too old; install Redis 6.2, Valkey 7.2, or a later version")]
    TooOld(String),
    /// The server is a read-only replica of another server.
    #[error("the server rejects writes; write the URL of the primary, or of the sentinels")]
    ReadOnly,
    /// The server is a node of a Redis Cluster.
    #[error("the server is a node of a Redis Cluster; write the URL of a server without cluster mode")]
    Cluster,
    /// The responses are not responses of Redis.
    #[error("the response is unreadable; check that the URL leads to Redis or Valkey")]
    Unreadable,
}

/// Use of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    All,
    Pages,
    State,
}

/// Checks each configured server: its version, permissions, eviction policy, clock and
/// round trip.
pub async fn check(settings: &Settings, clock: &SharedClock) -> Vec<ServerReport> {
    let purpose = if settings.state_url.is_some() { Purpose::Pages } else { Purpose::All };
    let mut servers = vec![("shared.url", &settings.url, purpose)];
    servers.extend(settings.state_url.as_ref().map(|url| ("shared.state_url", url, Purpose::State)));
    let mut reports = Vec::new();
    for (setting, url, purpose) in servers {
        reports.push(ServerReport { setting, result: check_server(settings, url, purpose, clock).await });
    }
    reports
}

async fn check_server(
    settings: &Settings,
    url: &RedisUrl,
    purpose: Purpose,
    clock: &SharedClock,
) -> Result<ServerState, ServerFault> {
    let mut connection = within_timeout(connect(url)).await?;
    let info = within_timeout(info(&mut connection)).await?;
    let text = |name: &str| info.get::<String>(name).unwrap_or_default();
    let version = text("redis_version");
    if parse_version(&version).ok_or(ServerFault::Unreadable)? < MIN_VERSION {
        return Err(ServerFault::TooOld(version));
    }
    if text("cluster_enabled") == "1" {
        return Err(ServerFault::Cluster);
    }
    if text("role") == "slave" {
        return Err(ServerFault::ReadOnly);
    }
    let key = format!("{}:test:check", settings.prefix);
    within_timeout(try_script(&mut connection, key)).await?;
    let (sent, time) = (Instant::now(), clock.now());
    let server_time = within_timeout(server_time(&mut connection)).await?;
    let round_trip = sent.elapsed();
    let clock_difference = server_time - seconds(time) - round_trip.as_secs_f64() / 2.0;
    let version = match text("valkey_version") {
        valkey if valkey.is_empty() => format!("Redis {version}"),
        valkey => format!("Valkey {valkey}"),
    };
    let mut state =
        ServerState { version, policy: text("maxmemory_policy"), clock_difference, round_trip, warnings: Vec::new() };
    let has_memory_limit = !matches!(text("maxmemory").as_str(), "" | "0");
    state.warn(purpose, has_memory_limit, settings.timeout);
    Ok(state)
}

impl ServerState {
    fn warn(&mut self, purpose: Purpose, has_memory_limit: bool, timeout: Duration) {
        if self.policy.starts_with("allkeys") {
            let effect = match purpose {
                Purpose::Pages => "evicts the list of purges, and each eviction purges all pages; set",
                Purpose::All | Purpose::State => {
                    "evicts rate limits, and each eviction stops vendor calls for a period; set noeviction or"
                }
            };
            self.warnings.push(format!("maxmemory-policy {} {effect} volatile-lru", self.policy));
        }
        if purpose != Purpose::State && has_memory_limit && self.policy == "noeviction" {
            self.warnings.push(
                "maxmemory-policy noeviction rejects new pages while the memory is full; set volatile-lru".to_owned(),
            );
        }
        if self.clock_difference.abs() > MAX_CLOCK_DIFFERENCE {
            self.warnings.push("the clocks differ; synchronize this machine and the server with NTP".to_owned());
        }
        if self.round_trip > timeout {
            self.warnings.push(format!(
                "the response took longer than shared.timeout, {} ms; use a closer server, or raise shared.timeout",
                timeout.as_millis()
            ));
        }
    }
}

impl fmt::Display for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, policy, clock_difference, round_trip, .. } = self;
        let millis = round_trip.as_secs_f64() * 1000.0;
        write!(f, "ok, {version}, maxmemory-policy {policy}, clock {clock_difference:+.3} s, round trip {millis:.1} ms")
    }
}

/// Runs an operation for at most [`TIMEOUT`], and classifies its error.
async fn within_timeout<T>(operation: impl Future<Output = Result<T, RedisError>>) -> Result<T, ServerFault> {
    match timeout(TIMEOUT, operation).await {
        Ok(result) => result.map_err(|error| fault(&error)),
        Err(_) => Err(ServerFault::Unreachable),
    }
}

async fn connect(url: &RedisUrl) -> Result<MultiplexedConnection, RedisError> {
    let invalid = || RedisError::from((ErrorKind::InvalidClientConfig, "invalid URL"));
    let mut connector = Address::parse(url).map_err(|_| invalid())?.connector()?;
    let client = connector.client().await?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
    client.get_multiplexed_async_connection_with_config(&config).await
}

async fn info(connection: &mut MultiplexedConnection) -> Result<InfoDict, RedisError> {
    // Redis 6.2 accepts one section per command.
    let mut pipeline = ::redis::pipe();
    for section in ["server", "memory", "replication", "cluster"] {
        pipeline.cmd("INFO").arg(section);
    }
    let sections: Vec<String> = pipeline.query_async(connection).await?;
    Ok(InfoDict::new(&sections.concat()))
}

/// Writes in a script. Other permissions are not tested.
async fn try_script(connection: &mut MultiplexedConnection, key: String) -> Result<(), RedisError> {
    let script = Script::new("return redis.call('DEL', KEYS[1])");
    script.key(key).invoke_async(connection).await
}

/// Returns the server's Unix time in seconds.
async fn server_time(connection: &mut MultiplexedConnection) -> Result<f64, RedisError> {
    let (seconds, micros): (f64, f64) = ::redis::cmd("TIME").query_async(connection).await?;
    Ok(seconds + micros / 1_000_000.0)
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

/// Parses the major and the minor version.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Classifies an error without its text, which may quote a value.
fn fault(error: &RedisError) -> ServerFault {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => ServerFault::Credentials,
        (ErrorKind::MasterNameNotFoundBySentinel | ErrorKind::NoValidReplicasFoundBySentinel, _) => {
            ServerFault::NoPrimary
        }
        (ErrorKind::Server(_) | ErrorKind::Extension, code) => {
            ServerFault::Rejected(code.unwrap_or("ERR").chars().take(32).collect())
        }
        (ErrorKind::UnexpectedReturnType | ErrorKind::Parse, _) => ServerFault::Unreadable,
        _ => ServerFault::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared() {
        for (text, is_new_enough) in [("6.0.16", false), ("5.0", false), ("6.2.0", true), ("7.4.1-rc1", true)] {
            assert_eq!(parse_version(text).map(|version| version >= MIN_VERSION), Some(is_new_enough), "{text}");
        }
        for text in ["", "seven", "7", "7.x"] {
            assert_eq!(parse_version(text), None, "{text}");
        }
    }
}
