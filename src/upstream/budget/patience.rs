//! Time that a caller's clients wait for a response, learned from the clients that
//! left.

use std::time::Duration;

/// Weight of a new outcome in the recent fraction of abandoned requests.
const OUTCOME_WEIGHT: f64 = 0.02;
/// Fraction of abandoned requests that shows impatience: two in quick succession.
const IMPATIENT: f64 = 0.03;
/// Part of an abandoned wait that remains for the way of a response to the client.
const WAY_PART: u32 = 14;
/// Longest time for the way of a response to the client.
const MAX_WAY: Duration = Duration::from_millis(50);
/// Fraction of the spare time in which a request of several calls starts. The rest
/// is for waits of its later calls.
const START_FRACTION: f64 = 0.85;
/// Part of a request's duration that it may wait, if clients leave earlier than any
/// response.
const TOLERANCE: u32 = 10;
/// Requests for each one that is admitted with a longer wait, as a probe.
const REQUESTS_PER_PROBE: u32 = 200;
/// Time that the client of a probe waits, relative to the known time.
const PROBE_FACTOR: f64 = 1.1;
/// Time after which an abandoned request no longer counts.
const MEMORY: Duration = Duration::from_mins(5);

/// Time that a caller's clients wait for a response. Calls for clients that will
/// leave are wasted. Probes show whether clients wait longer.
#[derive(Debug, Default)]
pub(super) struct Patience {
    limit: Option<Duration>,
    /// Recent fraction of abandoned requests.
    abandoned: f64,
    last_abandoned: Duration,
    requests_since_probe: u32,
}

impl Patience {
    /// Returns the time within which a response is still useful, if known.
    pub(super) fn known(&self, now: Duration) -> Option<Duration> {
        self.limit.filter(|_| now.saturating_sub(self.last_abandoned) < MEMORY)
    }

    /// Returns the longer time that a probe assumes, if one is due.
    pub(super) fn due_probe(&self, now: Duration) -> Option<Duration> {
        let limit = self.known(now).filter(|_| self.requests_since_probe >= REQUESTS_PER_PROBE)?;
        Some(limit.mul_f64(PROBE_FACTOR))
    }

    /// Records a request that is admitted.
    pub(super) fn on_admitted(&mut self, is_probe: bool) {
        self.requests_since_probe = if is_probe { 0 } else { self.requests_since_probe.saturating_add(1) };
    }

    /// Records a client that left after `waited`. A single client shows nothing.
    pub(super) fn on_abandoned(&mut self, waited: Duration, now: Duration) {
        self.abandoned += OUTCOME_WEIGHT * (1.0 - self.abandoned);
        if self.abandoned > IMPATIENT {
            let useful = waited.saturating_sub((waited / WAY_PART).min(MAX_WAY));
            self.limit = Some(self.known(now).map_or(useful, |limit| limit.min(useful)));
            self.last_abandoned = now;
        }
    }

    /// Records a client that was answered after `waited`.
    pub(super) fn on_answered(&mut self, waited: Duration) {
        self.abandoned -= OUTCOME_WEIGHT * self.abandoned;
        self.limit = self.limit.map(|limit| limit.max(waited.min(limit.mul_f64(PROBE_FACTOR))));
    }
}

/// Returns the time that the first call of a request may wait, if clients wait for
/// `patience`. `duration` is the time of all `calls` without waits.
pub(super) fn wait(patience: Duration, duration: Duration, calls: u32) -> Duration {
    match patience.checked_sub(duration) {
        Some(spare) if calls > 1 => spare.mul_f64(START_FRACTION),
        Some(spare) => spare,
        None => duration / TOLERANCE,
    }
}

/// Returns the time from the start of a request to the last response that is useful.
pub(super) fn last_answer(patience: Duration, duration: Duration) -> Duration {
    if duration <= patience { patience } else { duration.saturating_add(duration / TOLERANCE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn two_clients_that_leave_show_the_patience() {
        let mut patience = Patience::default();
        patience.on_abandoned(SECOND * 2, SECOND);
        assert_eq!(patience.known(SECOND), None);
        patience.on_abandoned(SECOND * 2, SECOND);
        let known = Duration::from_millis(1_950);
        assert_eq!(patience.known(SECOND), Some(known));
        assert_eq!(patience.known(SECOND + MEMORY), None);
        // An answer shows that clients wait longer.
        patience.on_answered(known + MAX_WAY);
        assert_eq!(patience.known(SECOND), Some(known + MAX_WAY));
    }

    #[test]
    fn request_starts_within_its_spare_time() {
        assert_eq!(wait(SECOND * 3, SECOND, 1), SECOND * 2);
        assert_eq!(wait(SECOND * 3, SECOND, 2), Duration::from_millis(1_700));
        assert_eq!(last_answer(SECOND * 3, SECOND), SECOND * 3);
    }

    #[test]
    fn longer_request_than_the_patience_is_tolerated() {
        assert_eq!(wait(SECOND, SECOND * 10, 10), SECOND);
        assert_eq!(last_answer(SECOND, SECOND * 10), SECOND * 11);
    }
}
