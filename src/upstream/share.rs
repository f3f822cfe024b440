//! Caller shares of a budget.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use crate::rate::Rate;

/// Longest time between two calls of a share, however small the share is.
const MAX_INTERVAL: Duration = Duration::from_hours(24 * 365);

/// Fraction of a budget: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

/// Caller with a share of each budget.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerShare {
    /// Name of the caller.
    pub name: Arc<str>,
    /// Fraction of each budget that the caller may use.
    pub share: Share,
}

impl Share {
    /// Returns a share, or `None` if `fraction` is out of range.
    #[must_use]
    pub fn new(fraction: f64) -> Option<Self> {
        (fraction > 0.0 && fraction <= 1.0).then_some(Self(fraction))
    }

    /// Scales the rate of a budget to this share. The burst is at least one call.
    pub(super) fn scale(self, rate: Rate) -> Rate {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a whole number is neither larger nor negative; it is rounded down"
        )]
        let burst = (f64::from(rate.burst().get()) * self.0) as u32;
        let interval = Duration::try_from_secs_f64(rate.interval().as_secs_f64() / self.0).unwrap_or(MAX_INTERVAL);
        Rate::new(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN), interval.min(MAX_INTERVAL))
    }
}
