//! Circuit breaker of a connection.
//!
//! - Closed → open: after consecutive failures, or at a high failure rate.
//! - Open → half-open: after a period that doubles with each failed probe.
//! - Half-open → closed or open: after one probe, by its outcome.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::SharedClock;

/// Consecutive failures that open the breaker.
const CONSECUTIVE_FAILURES: u32 = 5;
/// Window length. The failure rate covers the current and the previous window.
const WINDOW: Duration = Duration::from_secs(15);
/// Minimum number of calls for a failure rate.
const MIN_CALLS: u32 = 20;
/// First open period.
const MIN_OPEN: Duration = Duration::from_secs(5);
/// Longest open period.
const MAX_OPEN: Duration = Duration::from_mins(1);

/// Circuit breaker.
pub(super) struct Breaker {
    state: Mutex<State>,
    clock: SharedClock,
}

/// Snapshot of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls are sent.
    Closed,
    /// Calls are rejected for the remaining time.
    Open(Duration),
    /// One probe is allowed.
    HalfOpen,
}

/// Permission to make one call. Dropped without an outcome, the call does not
/// count.
#[must_use]
pub(super) struct Permit<'b> {
    breaker: &'b Breaker,
    is_probe: bool,
    outcome: CallOutcome,
}

/// Outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// The vendor responded.
    Succeeded,
    /// The vendor failed.
    Failed,
    /// The call was not made.
    Unknown,
}

#[derive(Debug)]
enum State {
    Closed(CallHistory),
    Open { until: Duration, period: Duration },
    HalfOpen { probing: bool, period: Duration },
}

/// Recent outcomes.
#[derive(Debug, Clone, Copy)]
struct CallHistory {
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

impl Breaker {
    /// Returns a closed breaker.
    pub(super) fn new(clock: SharedClock) -> Self {
        let history = CallHistory::new(clock.elapsed());
        Self { state: Mutex::new(State::Closed(history)), clock }
    }

    /// Returns a snapshot of the breaker.
    pub(super) fn state(&self) -> BreakerState {
        match &*self.state.lock() {
            State::Closed(_) => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Open { until, .. } => match until.saturating_sub(self.clock.elapsed()) {
                Duration::ZERO => BreakerState::HalfOpen,
                remaining => BreakerState::Open(remaining),
            },
        }
    }

    /// Permits a call, or returns the time to wait.
    pub(super) fn permit(&self) -> Result<Permit<'_>, Duration> {
        let now = self.clock.elapsed();
        let mut state = self.state.lock();
        match &mut *state {
            State::Closed(_) => {}
            State::Open { until, period } => match until.saturating_sub(now) {
                Duration::ZERO => *state = State::HalfOpen { probing: true, period: *period },
                remaining => return Err(remaining),
            },
            State::HalfOpen { probing: true, period } => return Err(*period),
            State::HalfOpen { probing, .. } => *probing = true,
        }
        let is_probe = matches!(*state, State::HalfOpen { .. });
        Ok(Permit { breaker: self, is_probe, outcome: CallOutcome::Unknown })
    }

    fn settle(&self, outcome: CallOutcome) {
        let now = self.clock.elapsed();
        let mut state = self.state.lock();
        let period = match (&mut *state, outcome) {
            (State::HalfOpen { probing, .. }, CallOutcome::Unknown) => {
                *probing = false;
                return;
            }
            // The breaker opened while the call was in flight.
            (State::Open { .. }, _) | (_, CallOutcome::Unknown) => return,
            (State::Closed(history), outcome) => {
                history.record(outcome == CallOutcome::Failed, now);
                if !history.is_failing() {
                    return;
                }
                MIN_OPEN
            }
            (State::HalfOpen { .. }, CallOutcome::Succeeded) => {
                *state = State::Closed(CallHistory::new(now));
                return;
            }
            (State::HalfOpen { period, .. }, CallOutcome::Failed) => (*period * 2).min(MAX_OPEN),
        };
        *state = State::Open { until: now + period, period };
    }
}

impl Permit<'_> {
    /// Returns whether the call is a probe. Probes are not retried.
    pub(super) fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Reports the outcome of the call.
    pub(super) fn settle(mut self, outcome: CallOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.outcome);
    }
}

impl CallHistory {
    fn new(now: Duration) -> Self {
        Self { consecutive_failures: 0, window_start: now, current: Counts::default(), previous: Counts::default() }
    }

    fn record(&mut self, failed: bool, now: Duration) {
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
    fn is_failing(&self) -> bool {
        let calls = self.current.calls + self.previous.calls;
        let failures = self.current.failures + self.previous.failures;
        self.consecutive_failures >= CONSECUTIVE_FAILURES || (calls >= MIN_CALLS && failures * 2 >= calls)
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Breaker").field(&self.state()).finish()
    }
}
