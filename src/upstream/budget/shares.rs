//! Limiters of the callers that have a share of a budget.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{clock::SharedClock, rate::Rate, upstream::CallerShare};

use super::limiter::Limiter;

/// Caller shares of one budget.
pub(super) struct Shares {
    /// Rate of the whole budget.
    rate: Rate,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    configured: Vec<CallerShare>,
    /// Limiters of the callers that have made a call, one per caller name.
    limiters: Vec<(CallerShare, Arc<Limiter>)>,
}

impl Shares {
    pub(super) fn new(rate: Rate, clock: SharedClock) -> Self {
        Self { rate, clock, state: Mutex::default() }
    }

    /// Replaces the configured shares. Limiters of removed callers are dropped,
    /// and a changed share starts without free slots.
    pub(super) fn configure(&self, configured: &[CallerShare]) {
        let mut state = self.state.lock();
        state.configured = configured.to_vec();
        state.limiters.retain_mut(|(active, limiter)| {
            let Some(new) = configured.iter().find(|new| new.name == active.name) else { return false };
            if new != active {
                limiter.set_rate(new.share.scale(self.rate));
                *active = new.clone();
            }
            true
        });
    }

    /// Returns the limiter of a caller, and creates one for the first call.
    pub(super) fn get_or_create(&self, caller: &CallerShare) -> Arc<Limiter> {
        let mut state = self.state.lock();
        if let Some((_, limiter)) = state.limiters.iter().find(|(active, _)| active.name == caller.name) {
            return Arc::clone(limiter);
        }
        // A request that started before a reload may pass an outdated share. A
        // removed caller uses its old share until its request ends.
        let caller = state.configured.iter().find(|new| new.name == caller.name).unwrap_or(caller).clone();
        let limiter = Arc::new(Limiter::new(caller.share.scale(self.rate), Arc::clone(&self.clock)));
        state.limiters.push((caller, Arc::clone(&limiter)));
        limiter
    }

    /// Returns the free slots of each configured caller that has made a call.
    pub(super) fn remaining(&self) -> Vec<(Arc<str>, u32)> {
        let state = self.state.lock();
        let configured = state.limiters.iter().filter(|(active, _)| state.configured.contains(active));
        configured.map(|(active, limiter)| (Arc::clone(&active.name), limiter.remaining())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, num::NonZeroU32, pin::Pin, time::Duration};

    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        clock::Clock,
        domain::priority::Priority,
        upstream::{Budget, RateLimit, Share},
    };

    /// Clock that the test advances. Sleeps never end.
    #[derive(Default)]
    struct ManualClock(Mutex<Duration>);

    impl Clock for ManualClock {
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
        /// Upper bound: any window admits at most the burst plus the rate.
        /// Lower bound: a call is admitted one interval after the previous call.
        /// A second caller makes calls in between.
        #[test]
        fn share_bounds_and_guarantees_a_rate(
            (requests, fraction) in (1_u32..200, 0.001..=1.0),
            calls in proptest::collection::vec((0_u64..400, any::<bool>()), 1..300),
        ) {
            let clock = Arc::new(ManualClock::default());
            let limit = RateLimit {
                requests: NonZeroU32::new(requests).unwrap(),
                per: Duration::from_secs(1),
                max_wait: Duration::ZERO,
            };
            let budget = Budget::new(limit, Arc::clone(&clock) as _);
            let caller_share = |name: &str| CallerShare { name: name.into(), share: Share::new(fraction).unwrap() };
            let [batch, other] = ["batch", "other"].map(caller_share);
            let [spread, burst] = [requests * 4 / 5, requests / 10].map(|calls| f64::from(calls.max(1)));
            let [rate, burst] = [spread * fraction, (burst * fraction).floor().max(1.0)];

            let mut charged: Vec<f64> = Vec::new();
            for (wait, is_batch) in calls {
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
            for (index, start) in charged.iter().enumerate() {
                for (count, end) in (1_u32..).zip(&charged[index..]) {
                    let max = burst + (end - start) * rate + 1e-6;
                    prop_assert!(f64::from(count) <= max, "{count} calls from {start} to {end}, at most {max}");
                }
            }
        }
    }
}
