//! A breaker per connection: a vendor that is down is asked no more until a
//! probe finds it up again.
//!
//! Closed → open after failures in a row, or too large a share of failures;
//! open → half-open after a while, which doubles with every failed probe;
//! half-open lets one probe pass, whose outcome closes or opens it again.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::SharedClock;

/// So many failures in a row open the breaker.
const FAILURES_IN_A_ROW: u32 = 5;
/// Over this length, two of which are looked at, the share is measured.
const WINDOW: Duration = Duration::from_secs(15);
/// Below so many calls there is no share to speak of.
const FEWEST_CALLS: u32 = 20;
/// The first time that the breaker stays open, and the longest.
const OPEN: Duration = Duration::from_secs(5);
const LONGEST_OPEN: Duration = Duration::from_mins(1);

/// Whether a vendor is asked.
pub struct Breaker {
    state: Mutex<State>,
    clock: SharedClock,
}

/// What a breaker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes for so long.
    Open(Duration),
    /// One call passes, to see.
    HalfOpen,
}

#[derive(Debug)]
enum State {
    Closed(CallHistory),
    Open { until: Duration, length: Duration },
    HalfOpen { probing: bool, length: Duration },
}

/// The outcomes of late.
#[derive(Debug, Clone, Copy, Default)]
struct CallHistory {
    in_a_row: u32,
    began: Duration,
    current: Counts,
    previous: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u32,
    failures: u32,
}

/// Leave to make one call. Dropped without an outcome, it is as if the call
/// had not been made.
#[must_use]
pub(super) struct Permit<'b> {
    breaker: &'b Breaker,
    probe: bool,
    outcome: CallOutcome,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// The vendor answered.
    Succeeded,
    /// The vendor failed.
    Failed,
    /// The vendor was not asked.
    Unknown,
}

impl Breaker {
    /// A breaker that is closed.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        let began = clock.elapsed();
        Self { state: Mutex::new(State::Closed(CallHistory { began, ..CallHistory::default() })), clock }
    }

    /// What the breaker shows at this moment.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match &*self.state.lock() {
            State::Closed(_) => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Open { until, .. } => match until.checked_sub(self.clock.elapsed()) {
                Some(left) if !left.is_zero() => BreakerState::Open(left),
                _ => BreakerState::HalfOpen,
            },
        }
    }

    /// Leave to make a call, or how long to wait for it.
    pub(super) fn permit(&self) -> Result<Permit<'_>, Duration> {
        let now = self.clock.elapsed();
        let mut state = self.state.lock();
        match &mut *state {
            State::Closed(_) => {}
            State::Open { until, length } => match until.saturating_sub(now) {
                Duration::ZERO => *state = State::HalfOpen { probing: true, length: *length },
                left => return Err(left),
            },
            State::HalfOpen { probing: true, length } => return Err(*length),
            State::HalfOpen { probing, .. } => *probing = true,
        }
        let probe = matches!(*state, State::HalfOpen { .. });
        Ok(Permit { breaker: self, probe, outcome: CallOutcome::Unknown })
    }

    fn settle(&self, outcome: CallOutcome) {
        let now = self.clock.elapsed();
        let mut state = self.state.lock();
        let length = match (&mut *state, outcome) {
            (State::HalfOpen { probing, .. }, CallOutcome::Unknown) => {
                *probing = false;
                return;
            }
            // A call that was under way when the breaker opened.
            (_, CallOutcome::Unknown) | (State::Open { .. }, _) => return,
            (State::Closed(record), outcome) => {
                record.note(outcome == CallOutcome::Failed, now);
                if !record.is_bad() {
                    return;
                }
                OPEN
            }
            (State::HalfOpen { .. }, CallOutcome::Succeeded) => {
                *state = State::Closed(CallHistory { began: now, ..CallHistory::default() });
                return;
            }
            (State::HalfOpen { length, .. }, CallOutcome::Failed) => (*length * 2).min(LONGEST_OPEN),
        };
        *state = State::Open { until: now + length, length };
    }
}

impl Permit<'_> {
    /// Whether the call is to find out if the vendor is up again: it is made
    /// once, and not tried again.
    pub(super) fn is_probe(&self) -> bool {
        self.probe
    }

    /// Says how the call went.
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
    fn note(&mut self, failed: bool, now: Duration) {
        let age = now.saturating_sub(self.began);
        if age >= WINDOW {
            self.previous = if age < 2 * WINDOW { self.current } else { Counts::default() };
            self.current = Counts::default();
            self.began = now;
        }
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        self.current.calls += 1;
        self.current.failures += u32::from(failed);
    }

    fn is_bad(&self) -> bool {
        let calls = self.current.calls + self.previous.calls;
        let failures = self.current.failures + self.previous.failures;
        self.in_a_row >= FAILURES_IN_A_ROW || (calls >= FEWEST_CALLS && failures * 2 >= calls)
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Breaker").field(&self.state()).finish()
    }
}
