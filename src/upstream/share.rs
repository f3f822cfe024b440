//! What one caller may take of a budget, so that it leaves the rest to others.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// The longest time between two calls of a share, however small it is.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24 * 365);

/// A part of a budget: a number above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

/// On whose account vendor calls are made, who has a share of each budget.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerShare {
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

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::Pin};

    use futures_util::FutureExt as _;
    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        clock::Clock,
        domain::priority::Priority,
        upstream::{Budget, RateLimit},
    };

    /// A clock that is moved, and on which nobody sleeps.
    #[derive(Default)]
    struct Moved(Mutex<Duration>);

    impl Clock for Moved {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            *self.0.lock()
        }

        fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(std::future::pending())
        }
    }

    proptest! {
        /// GCRA's bound, whatever is asked when, beside another who asks too:
        /// in any period a burst, and what the rate gives in that time. And
        /// whoever has waited for a turn of its rate gets it.
        #[test]
        fn a_share_takes_its_part_of_any_period_and_gets_it(
            (requests, part) in (1_u32..200, 0.001..=1.0),
            asked in proptest::collection::vec((0_u64..400, any::<bool>()), 1..300),
        ) {
            let clock = Arc::new(Moved::default());
            let limit = RateLimit {
                requests: NonZeroU32::new(requests).unwrap(),
                per: Duration::from_secs(1),
                max_wait: Duration::ZERO,
            };
            let budget = Budget::new(limit, Arc::clone(&clock) as _);
            let caller_share = |name: &str| CallerShare { name: name.into(), share: Share::new(part).unwrap() };
            let [batch, other] = ["batch", "other"].map(caller_share);
            let [spread, burst] = [requests * 4 / 5, requests / 10].map(|it| f64::from(it.max(1)));
            let [rate, burst] = [spread * part, (burst * part).floor().max(1.0)];

            let mut charged: Vec<f64> = Vec::new();
            for (wait, is_batch) in asked {
                *clock.0.lock() += Duration::from_millis(wait);
                let caller_share = if is_batch { &batch } else { &other };
                let outcome = budget.charge(caller_share, Priority::Background).now_or_never().unwrap();
                if !is_batch {
                    continue;
                }
                let now = clock.elapsed().as_secs_f64();
                match outcome {
                    Ok(()) => charged.push(now),
                    Err(_) => prop_assert!(charged.last().is_some_and(|last| (now - last) * rate < 1.0 + 1e-6)),
                }
            }
            for (at, from) in charged.iter().enumerate() {
                for (count, until) in (1_u32..).zip(&charged[at..]) {
                    let most = burst + (until - from) * rate + 1e-6;
                    prop_assert!(f64::from(count) <= most, "{count} from {from} to {until}, not {most}");
                }
            }
        }
    }
}
