//! Request quotas.

use std::{num::NonZeroU32, time::Duration};

use crate::rate::Rate;

/// A burst of requests, replenished evenly over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Size of the burst.
    pub requests: NonZeroU32,
    /// Length of the period.
    pub per: Duration,
}

/// State of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaStatus {
    /// The quota.
    pub quota: Quota,
    /// Number of requests that are admitted now.
    pub remaining: u32,
    /// Time until one more request is admitted.
    pub next: Duration,
}

impl From<Quota> for Rate {
    fn from(quota: Quota) -> Self {
        Self::new(quota.requests, quota.per / quota.requests.get())
    }
}
