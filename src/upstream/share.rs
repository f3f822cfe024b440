//! What one caller may take of a budget, so that it leaves the rest to others.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// The longest time between two calls of a share, however small it is.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24 * 365);

/// A part of a budget: a number above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

/// On whose account vendor calls are made, who has a share of each budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Payer {
    /// The caller's name.
    pub name: Arc<str>,
    /// Its share.
    pub share: Share,
}

impl Share {
    /// The share of a number, if it is one.
    #[must_use]
    pub fn new(part: f64) -> Option<Self> {
        (part > 0.0 && part <= 1.0).then_some(Self(part))
    }

    /// The burst and the interval of this part of a budget: one call at a time
    /// at least.
    pub(super) fn of(self, burst: u32, interval: Duration) -> (NonZeroU32, Duration) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a whole number: neither larger nor negative, and rounded down"
        )]
        let burst = (f64::from(burst) * self.0) as u32;
        let interval = Duration::try_from_secs_f64(interval.as_secs_f64() / self.0).unwrap_or(LONGEST_INTERVAL);
        (NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN), interval.min(LONGEST_INTERVAL))
    }
}
