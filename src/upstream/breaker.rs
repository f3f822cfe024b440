//! Circuit breaker of a connection.
//!
//! - Closed → open: after consecutive failures, or at a high failure rate.
//! - Open → half-open: after a period that doubles with each failed probe.
//! - Half-open → closed or open: after one probe, by its outcome.

use std::{pin::pin, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

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
    state: Mutex<Generation>,
    opened: Notify,
    clock: SharedClock,
}

/// State of a breaker, with its number. Each change of the state is a new
/// generation.
#[derive(Debug)]
struct Generation {
    number: u64,
    state: State,
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
    /// Generation of the state that permitted the call.
    generation: u64,
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
    Open {
        until: Duration,
        period: Duration,
    },
    /// One probe is in flight, or none if the last probe was not made.
    HalfOpen {
        probing: bool,
        period: Duration,
    },
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
        let state = State::Closed(CallHistory::new(clock.elapsed()));
        Self { state: Mutex::new(Generation { number: 0, state }), opened: Notify::new(), clock }
    }

    /// Returns a snapshot of the breaker.
    pub(super) fn state(&self) -> BreakerState {
        match self.state.lock().state {
            State::Closed(_) => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Open { until, .. } => match until.saturating_sub(self.clock.elapsed()) {
                Duration::ZERO => BreakerState::HalfOpen,
                remaining => BreakerState::Open(remaining),
            },
        }
    }

    /// Waits until the breaker is open. Returns the time to wait.
    pub(super) async fn opened(&self) -> Duration {
        loop {
            let mut opened = pin!(self.opened.notified());
            opened.as_mut().enable();
            if let BreakerState::Open(remaining) = self.state() {
                return remaining;
            }
            opened.await;
        }
    }

    /// Permits a call, or returns the time to wait.
    pub(super) fn permit(&self) -> Result<Permit<'_>, Duration> {
        let now = self.clock.elapsed();
        let mut current = self.state.lock();
        let is_probe = match &mut current.state {
            State::Closed(_) => false,
            State::Open { until, period } => match until.saturating_sub(now) {
                Duration::ZERO => {
                    let period = *period;
                    current.enter(State::HalfOpen { probing: true, period });
                    true
                }
                remaining => return Err(remaining),
            },
            State::HalfOpen { probing: true, period } => return Err(*period),
            State::HalfOpen { probing, .. } => {
                *probing = true;
                true
            }
        };
        Ok(Permit { breaker: self, generation: current.number, is_probe, outcome: CallOutcome::Unknown })
    }

    /// Records the outcome of a call. The state has changed since the call was
    /// permitted if the generation differs; then the outcome says nothing.
    fn settle(&self, generation: u64, outcome: CallOutcome) {
        let now = self.clock.elapsed();
        let mut current = self.state.lock();
        if current.number != generation {
            return;
        }
        let period = match (&mut current.state, outcome) {
            (State::HalfOpen { probing, .. }, CallOutcome::Unknown) => {
                *probing = false;
                return;
            }
            (State::Open { .. }, _) | (_, CallOutcome::Unknown) => return,
            (State::Closed(history), outcome) => {
                history.record(outcome == CallOutcome::Failed, now);
                if !history.is_failing() {
                    return;
                }
                MIN_OPEN
            }
            (State::HalfOpen { .. }, CallOutcome::Succeeded) => {
                current.enter(State::Closed(CallHistory::new(now)));
                return;
            }
            (State::HalfOpen { period, .. }, CallOutcome::Failed) => (*period * 2).min(MAX_OPEN),
        };
        current.enter(State::Open { until: now + period, period });
        drop(current);
        self.opened.notify_waiters();
    }
}

impl Generation {
    fn enter(&mut self, state: State) {
        self.number += 1;
        self.state = state;
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
        self.breaker.settle(self.generation, self.outcome);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// A call that was sent before the breaker opened says nothing about the
    /// probe.
    #[test]
    fn straggler_settles_no_probe() {
        let breaker = Breaker::new(SystemClock::shared());
        let (first, second) = (breaker.permit().unwrap(), breaker.permit().unwrap());
        for _ in 0..CONSECUTIVE_FAILURES {
            breaker.permit().unwrap().settle(CallOutcome::Failed);
        }
        assert!(matches!(breaker.state(), BreakerState::Open(_)));
        breaker.state.lock().state = State::Open { until: Duration::ZERO, period: MIN_OPEN };
        let probe = breaker.permit().unwrap();
        assert!(probe.is_probe());
        first.settle(CallOutcome::Failed);
        second.settle(CallOutcome::Succeeded);
        assert_eq!((breaker.state(), breaker.permit().err()), (BreakerState::HalfOpen, Some(MIN_OPEN)));
        probe.settle(CallOutcome::Succeeded);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
