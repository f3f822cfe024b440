//! Quotas of callers that replicas count together.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use super::Unavailable;

/// Requests that a replica has admitted since its last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaReport {
    /// Number of requests.
    pub requests: u32,
    /// Time in which the quota refills by one request.
    pub interval: Duration,
    /// Time in which the quota refills completely.
    pub capacity: Duration,
    /// Time until the quota is full again, as far as this replica knows.
    pub own_wait: Duration,
}

/// Quotas with names. The names are hashed.
#[async_trait]
pub trait Quotas: Send + Sync + Debug {
    /// Adds the requests of this replica to a quota. Returns the time until the quota is
    /// full again, at most its capacity for each replica, and once more.
    async fn report(&self, name: &[&[u8]], report: QuotaReport) -> Result<Duration, Unavailable>;
}
