//! Request quotas.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::clock::{SharedClock, Ticks};

/// A burst of requests, replenished evenly over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Size of the burst.
    pub requests: NonZeroU32,
    /// Length of the period.
    pub per: Duration,
}

/// Counts one caller's requests against its quota.
pub(super) struct QuotaLimiter {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>,
    clock: SharedClock,
}

impl QuotaLimiter {
    /// Creates a limiter with an unused quota.
    pub(super) fn new(quota: Quota, clock: &SharedClock) -> Self {
        let interval = (quota.per / quota.requests.get()).max(Duration::from_nanos(1));
        let cells = governor::Quota::with_period(interval).unwrap_or(governor::Quota::per_second(NonZeroU32::MIN));
        let limiter = RateLimiter::direct_with_clock(cells.allow_burst(quota.requests), Ticks::of(clock));
        Self { limiter, clock: clock.clone() }
    }

    /// Counts a request. If the quota is exhausted, returns the time until the
    /// next request is admitted.
    pub(super) fn check(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|refused| refused.wait_time_from(Ticks::of(&self.clock).now()))
    }
}
