//! Limiters of the callers that have a share of a budget.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{clock::SharedClock, shared::SharedLimit, upstream::CallerShare};

use super::{Window, share_limiter::ShareLimiter};

/// Caller shares of one budget.
pub(super) struct Shares {
    clock: SharedClock,
    /// Limit that the replicas share, if any.
    limit: Option<Arc<dyn SharedLimit>>,
    state: Mutex<State>,
}

struct State {
    /// Windows of the whole budget.
    windows: Vec<Window>,
    configured: Vec<CallerShare>,
    /// Limiters of the callers that have made a call, one per caller name.
    limiters: Vec<(CallerShare, Arc<ShareLimiter>)>,
}

impl Shares {
    pub(super) fn new(windows: Vec<Window>, limit: Option<Arc<dyn SharedLimit>>, clock: SharedClock) -> Self {
        Self { clock, limit, state: Mutex::new(State { windows, configured: Vec::new(), limiters: Vec::new() }) }
    }

    /// Replaces the windows of the whole budget.
    pub(super) fn set_windows(&self, windows: Vec<Window>) {
        let mut state = self.state.lock();
        state.windows = windows;
        for (caller, limiter) in &state.limiters {
            limiter.set_windows(state.scaled_windows(caller));
        }
    }

    /// Replaces the configured shares. Limiters of removed callers are dropped.
    /// The calls already charged count for a changed share.
    pub(super) fn configure(&self, configured: &[CallerShare]) {
        let mut state = self.state.lock();
        state.configured = configured.to_vec();
        state.limiters.retain_mut(|(active, _)| {
            let Some(new) = configured.iter().find(|new| new.name == active.name) else { return false };
            *active = new.clone();
            new.share.is_some()
        });
        for (caller, limiter) in &state.limiters {
            limiter.set_windows(state.scaled_windows(caller));
        }
    }

    /// Returns the limiter of a caller, and creates one for the first call.
    /// `None` if the caller has no share.
    pub(super) fn get_or_create(&self, caller: &CallerShare) -> Option<Arc<ShareLimiter>> {
        caller.share?;
        let mut state = self.state.lock();
        if let Some((_, limiter)) = state.limiters.iter().find(|(active, _)| active.name == caller.name) {
            return Some(Arc::clone(limiter));
        }
        // A request that started before a reload may pass an outdated share. A
        // removed caller uses its old share until its request ends.
        let caller = state.configured.iter().find(|new| new.name == caller.name).unwrap_or(caller).clone();
        caller.share?;
        let shared = self.limit.as_ref().map(|limit| limit.share(&caller.name));
        let limiter = Arc::new(ShareLimiter::new(state.scaled_windows(&caller), shared, Arc::clone(&self.clock)));
        state.limiters.push((caller, Arc::clone(&limiter)));
        Some(limiter)
    }

    /// Returns the free slots of each configured caller that has made a call.
    pub(super) fn remaining(&self) -> Vec<(Arc<str>, u32)> {
        let state = self.state.lock();
        let configured = state.limiters.iter().filter(|(active, _)| state.configured.contains(active));
        configured.map(|(active, limiter)| (Arc::clone(&active.name), limiter.remaining())).collect()
    }
}

impl State {
    fn scaled_windows(&self, caller: &CallerShare) -> Vec<Window> {
        self.windows.iter().map(|window| window.scale(caller.weight())).collect()
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
        /// Upper bound: any period admits at most the share, rounded up to one
        /// call. Lower bound: a rejected call is within one period of the last
        /// calls. A second caller makes calls in between.
        #[test]
        fn share_bounds_and_guarantees_a_rate(
            (requests, fraction) in (1_u32..200, 0.001..=1.0),
            calls in proptest::collection::vec((0_u64..400, any::<bool>()), 1..300),
        ) {
            let clock = Arc::new(ManualClock::default());
            let window = Window { requests: NonZeroU32::new(requests).unwrap(), per: Duration::from_secs(1) };
            let limit = RateLimit { windows: vec![window], max_wait: Duration::ZERO };
            let budget = Budget::new(&limit, Arc::clone(&clock) as _);
            let caller_share = |name: &str| CallerShare { name: name.into(), share: Share::new(fraction) };
            let [batch, other] = ["batch", "other"].map(caller_share);
            let share = window.scale(fraction);

            let mut charged: Vec<Duration> = Vec::new();
            for (wait, is_batch) in calls {
                *clock.0.lock() += Duration::from_millis(wait);
                let caller_share = if is_batch { &batch } else { &other };
                let outcome = budget.charge(caller_share).now_or_never().unwrap();
                if !is_batch {
                    continue;
                }
                let now = clock.elapsed();
                let recent = charged.iter().filter(|charged| now < **charged + share.per).count();
                prop_assert_eq!(outcome.is_ok(), recent < share.requests.get() as usize);
                if outcome.is_ok() {
                    charged.push(now);
                }
            }
        }
    }
}
