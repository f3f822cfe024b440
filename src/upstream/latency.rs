//! Recent latency of a connection's vendor.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;

/// Number of recent calls.
const CALLS: usize = 64;
/// Fraction of the recent calls that were at most as slow as the estimate.
const PERCENTILE: f64 = 0.95;

/// Estimate of the time until a vendor has answered a call.
#[derive(Debug, Default)]
pub struct Latency {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<Duration>,
    high: Duration,
}

impl Latency {
    /// Records the duration of a call.
    pub(super) fn record(&self, duration: Duration) {
        let mut state = self.state.lock();
        if state.recent.len() == CALLS {
            state.recent.pop_front();
        }
        state.recent.push_back(duration);
        let mut durations = [Duration::ZERO; CALLS];
        let durations = &mut durations[..state.recent.len()];
        for (to, from) in durations.iter_mut().zip(&state.recent) {
            *to = *from;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into at most `CALLS` values"
        )]
        let index = ((durations.len() - 1) as f64 * PERCENTILE).round() as usize;
        let (_, high, _) = durations.select_nth_unstable(index);
        state.high = *high;
    }

    /// Returns a high percentile of the recent durations. `None` before the first
    /// call.
    pub(super) fn high(&self) -> Option<Duration> {
        let state = self.state.lock();
        (!state.recent.is_empty()).then_some(state.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_count() {
        let latency = Latency::default();
        assert_eq!(latency.high(), None);
        for call in 0..100 {
            latency.record(Duration::from_millis(if call % 50 == 0 { 9_000 } else { 20 }));
        }
        assert_eq!(latency.high(), Some(Duration::from_millis(20)));
        for _ in 0..CALLS {
            latency.record(Duration::from_millis(900));
        }
        assert_eq!(latency.high(), Some(Duration::from_millis(900)));
    }
}
