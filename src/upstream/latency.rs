//! Recent latency of a connection's vendor.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;

/// Number of recent calls.
const CALLS: usize = 64;
/// Number of calls among `CALLS` that may be slower than the estimate: 5%.
const OUTLIERS: usize = 3;

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
        state.high = percentile(&state.recent);
    }

    /// Returns a high percentile of the recent durations. `None` before the first
    /// call.
    pub(super) fn high(&self) -> Option<Duration> {
        let state = self.state.lock();
        (!state.recent.is_empty()).then_some(state.high)
    }
}

/// Returns the 95th percentile of the recent durations. Of fewer than 22, returns the
/// longest.
fn percentile(recent: &VecDeque<Duration>) -> Duration {
    // The slowest calls, slowest first.
    let mut slowest = [Duration::ZERO; OUTLIERS + 1];
    for duration in recent {
        if *duration > slowest[OUTLIERS] {
            slowest[OUTLIERS] = *duration;
            slowest.sort_unstable_by(|one, other| other.cmp(one));
        }
    }
    slowest[recent.len() * OUTLIERS / CALLS]
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
        for (slow, expected) in [(3, 20), (4, 9_000)] {
            let latency = Latency::default();
            for call in 0..CALLS {
                latency.record(Duration::from_millis(if call < slow { 9_000 } else { 20 }));
            }
            assert_eq!(latency.high(), Some(Duration::from_millis(expected)), "{slow} slow calls");
        }
        for _ in 0..CALLS {
            latency.record(Duration::from_millis(900));
        }
        assert_eq!(latency.high(), Some(Duration::from_millis(900)));
    }
}
