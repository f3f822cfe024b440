//! Recent outcomes of a connection's calls, for its breaker.

use std::time::Duration;

/// Consecutive failures that open the breaker.
pub(super) const CONSECUTIVE_FAILURES: u32 = 5;
/// Window length. The failure rate covers the current and the previous window.
const WINDOW: Duration = Duration::from_secs(15);
/// Minimum number of calls for a failure rate.
const MIN_CALLS: u32 = 20;

/// Recent outcomes.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallHistory {
    consecutive_failures: u32,
    window_start: Duration,
    current: Counts,
    previous: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u32,
    failures: u32,
}

impl CallHistory {
    /// Returns an empty history.
    pub(super) fn new(now: Duration) -> Self {
        Self { consecutive_failures: 0, window_start: now, current: Counts::default(), previous: Counts::default() }
    }

    /// Records the outcome of a call.
    pub(super) fn record(&mut self, failed: bool, now: Duration) {
        let age = now.saturating_sub(self.window_start);
        if age >= WINDOW {
            self.previous = if age < 2 * WINDOW { self.current } else { Counts::default() };
            self.current = Counts::default();
            self.window_start = now;
        }
        self.consecutive_failures = if failed { self.consecutive_failures + 1 } else { 0 };
        self.current.calls += 1;
        self.current.failures += u32::from(failed);
    }

    /// Returns whether the outcomes open the breaker.
    pub(super) fn is_failing(&self) -> bool {
        let calls = self.current.calls + self.previous.calls;
        let failures = self.current.failures + self.previous.failures;
        self.consecutive_failures >= CONSECUTIVE_FAILURES || (calls >= MIN_CALLS && failures * 2 >= calls)
    }
}
