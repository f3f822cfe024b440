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

impl From<Quota> for Rate {
    fn from(quota: Quota) -> Self {
        Self::new(quota.requests, quota.per / quota.requests.get())
    }
}
