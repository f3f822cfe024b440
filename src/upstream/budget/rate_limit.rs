//! Rate limits of vendors.

use std::{num::NonZeroU32, time::Duration};

/// Rate limit of a credential: one or more windows, which all apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Windows of the limit; at least one.
    pub windows: Vec<Window>,
    /// Maximum time a call waits for a slot.
    pub max_wait: Duration,
}

/// Window of a rate limit: at most `requests` in any period of length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Maximum number of requests per period.
    pub requests: NonZeroU32,
    /// Length of the period.
    pub per: Duration,
}

impl RateLimit {
    /// Returns the time between two calls that use a fraction of the limit.
    #[must_use]
    pub fn interval(&self, fraction: f64) -> Duration {
        let interval = |window: &Window| {
            let exact = window.per.as_secs_f64() / (f64::from(window.requests.get()) * fraction);
            Duration::try_from_secs_f64(exact).map_or(MAX_PERIOD, |interval| interval.min(MAX_PERIOD))
        };
        self.windows.iter().map(interval).max().unwrap_or_default()
    }
}

impl Window {
    /// Largest number of requests per period. The send log holds one entry per
    /// request of its largest window.
    pub const MAX_REQUESTS: u32 = 1_000_000;

    /// Scales the window to a fraction of its rate. The period is shortened by
    /// the fraction that rounding removes from the requests.
    pub(super) fn scale(self, fraction: f64) -> Self {
        let exact = f64::from(self.requests.get()) * fraction;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a whole number is neither larger nor negative; it is rounded down"
        )]
        let requests = NonZeroU32::new(exact as u32).unwrap_or(NonZeroU32::MIN);
        let per = self.per.as_secs_f64() * f64::from(requests.get()) / exact;
        Self { requests, per: Duration::try_from_secs_f64(per).map_or(MAX_PERIOD, |per| per.min(MAX_PERIOD)) }
    }
}

/// Longest period of a scaled window, however small the share is.
const MAX_PERIOD: Duration = Duration::from_hours(24 * 365 * 100);
