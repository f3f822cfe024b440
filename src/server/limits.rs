//! Limits of connections and of the shutdown.

use std::time::Duration;

/// Limits of connections and of the shutdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum time from the TCP connection to the complete head of the first
    /// request.
    pub header_timeout: Duration,
    /// Maximum time without a request in progress, and maximum time for a
    /// client to read a part of a response.
    pub idle_timeout: Duration,
    /// Maximum number of open connections, unless the limit of file descriptors
    /// requires a lower number. Further connections wait in the listener's backlog.
    pub max_connections: u32,
    /// Time from withdrawing readiness to closing the listener.
    pub shutdown_delay: Duration,
    /// Maximum time for requests in flight to finish after `shutdown_delay`.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(2),
            max_connections: 10_000,
            shutdown_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(20),
        }
    }
}
