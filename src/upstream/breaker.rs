//! Circuit breaker of a connection.
//!
//! - Closed → open: after consecutive failures, at a high failure rate, or when
//!   several calls hang and none has been answered since they began.
//! - Open → half-open: after a period that doubles with each failed probe.
//! - Half-open → closed or open: after one probe, by its outcome.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::SharedClock;

use super::call_history::{CONSECUTIVE_FAILURES, CallHistory};

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
    /// Start of each call in flight that this generation has permitted, by its id.
    in_flight: BTreeMap<u64, Duration>,
    next_id: u64,
    /// Last time that the vendor has answered.
    last_answer: Duration,
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
    id: u64,
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

impl Breaker {
    /// Returns a closed breaker.
    pub(super) fn new(clock: SharedClock) -> Self {
        let state = State::Closed(CallHistory::new(clock.elapsed()));
        Self { state: Mutex::new(Generation::new(state)), opened: Notify::new(), clock }
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

    /// Permits a call, or returns the time to wait. Calls in flight for `hang_limit`
    /// may open the breaker.
    pub(super) fn permit(&self, hang_limit: Option<Duration>) -> Result<Permit<'_>, Duration> {
        let now = self.clock.elapsed();
        let mut current = self.state.lock();
        if hang_limit.is_some_and(|limit| current.is_hanging(now, limit)) {
            current.enter(State::Open { until: now + MIN_OPEN, period: MIN_OPEN });
            drop(current);
            self.opened.notify_waiters();
            return Err(MIN_OPEN);
        }
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
        let id = current.begin(now);
        Ok(Permit { breaker: self, generation: current.number, id, is_probe, outcome: CallOutcome::Unknown })
    }

    /// Records the outcome of a call. The state has changed since the call was
    /// permitted if the generation differs. The outcome is then ignored.
    fn settle(&self, generation: u64, id: u64, outcome: CallOutcome) {
        let now = self.clock.elapsed();
        let mut current = self.state.lock();
        if current.number != generation {
            return;
        }
        current.in_flight.remove(&id);
        if outcome == CallOutcome::Succeeded {
            current.last_answer = now;
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
    fn new(state: State) -> Self {
        Self { number: 0, state, in_flight: BTreeMap::new(), next_id: 0, last_answer: Duration::ZERO }
    }

    fn enter(&mut self, state: State) {
        self.number += 1;
        self.state = state;
        self.in_flight.clear();
    }

    /// Records the start of a call, and returns its id.
    fn begin(&mut self, now: Duration) -> u64 {
        self.next_id += 1;
        self.in_flight.insert(self.next_id, now);
        self.next_id
    }

    /// Returns true if `CONSECUTIVE_FAILURES` calls have been in flight for `limit`.
    /// A response since their start shows that the vendor works.
    fn is_hanging(&self, now: Duration, limit: Duration) -> bool {
        // Ids ascend with the starts.
        let last = self.in_flight.values().nth(CONSECUTIVE_FAILURES as usize - 1);
        let is_closed = matches!(self.state, State::Closed(_));
        is_closed && last.is_some_and(|&start| now.saturating_sub(start) >= limit && self.last_answer <= start)
    }
}

impl Permit<'_> {
    /// Returns whether the call is a probe. Probes are not retried.
    pub(super) fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Records that the vendor has responded to an attempt of the call.
    pub(super) fn on_response(&self) {
        let now = self.breaker.clock.elapsed();
        let mut current = self.breaker.state.lock();
        if current.number == self.generation {
            current.last_answer = now;
        }
    }

    /// Reports the outcome of the call.
    pub(super) fn settle(mut self, outcome: CallOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.generation, self.id, self.outcome);
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

    /// The outcome of a call that was sent before the breaker opened settles no
    /// probe.
    #[test]
    fn straggler_settles_no_probe() {
        let breaker = Breaker::new(SystemClock::shared());
        let (first, second) = (breaker.permit(None).unwrap(), breaker.permit(None).unwrap());
        for _ in 0..CONSECUTIVE_FAILURES {
            breaker.permit(None).unwrap().settle(CallOutcome::Failed);
        }
        assert!(matches!(breaker.state(), BreakerState::Open(_)));
        breaker.state.lock().state = State::Open { until: Duration::ZERO, period: MIN_OPEN };
        let probe = breaker.permit(None).unwrap();
        assert!(probe.is_probe());
        first.settle(CallOutcome::Failed);
        second.settle(CallOutcome::Succeeded);
        assert_eq!((breaker.state(), breaker.permit(None).err()), (BreakerState::HalfOpen, Some(MIN_OPEN)));
        probe.settle(CallOutcome::Succeeded);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn answer_since_calls_began_is_no_hang() {
        let seconds = Duration::from_secs;
        let mut calls = Generation::new(State::Closed(CallHistory::new(Duration::ZERO)));
        for start in 1..=5 {
            calls.begin(seconds(start));
        }
        assert!(!calls.is_hanging(seconds(9), seconds(5)));
        assert!(calls.is_hanging(seconds(10), seconds(5)));
        calls.last_answer = seconds(6);
        assert!(!calls.is_hanging(seconds(10), seconds(5)));
    }
}
