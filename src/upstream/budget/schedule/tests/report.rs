//! Figures of a simulation.

use std::time::Duration;

use super::{super::QueueId, simulation::Simulation};

/// Result of a simulation.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) simulation: Simulation,
    /// Arrivals at the vendor, with the index of the request.
    pub(super) arrivals: Vec<(Duration, usize)>,
    pub(super) requests: Vec<Request>,
}

/// Simulated request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) caller: usize,
    pub(super) arrived: Duration,
    pub(super) done: u32,
    pub(super) outcome: Option<Outcome>,
    pub(super) admitted: Option<QueueId>,
    pub(super) waiting: Option<QueueId>,
}

/// End of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Complete(Duration),
    /// A response with a cursor, because a call had no slot in time.
    Partial,
    Rejected,
    Left,
}

impl Report {
    /// Returns the used fraction of the limit after `from`.
    pub(super) fn used(&self, from: Duration) -> f64 {
        // Calls arrive in bursts, so the figure is a mean over several periods.
        let length = self.simulation.duration.saturating_sub(from + Duration::from_secs(1));
        let count = |start: Duration| {
            let count = self.arrivals.iter().filter(|(at, _)| start <= *at && *at < start + length).count();
            f64::from(u32::try_from(count).unwrap())
        };
        let total: f64 = (0..20).map(|step| count(from + Duration::from_millis(50) * step)).sum();
        total / 20.0 / length.as_secs_f64() / f64::from(self.simulation.limit)
    }

    /// Returns the fraction of the calls after `from` whose answer reached a
    /// client.
    pub(super) fn useful(&self, from: Duration) -> f64 {
        self.fraction(from, |outcome| matches!(outcome, Outcome::Complete(_) | Outcome::Partial))
    }

    fn fraction(&self, from: Duration, is_counted: impl Fn(&Outcome) -> bool) -> f64 {
        let calls: Vec<_> = self.arrivals.iter().filter(|(at, _)| *at >= from).collect();
        let counted =
            calls.iter().filter(|(_, request)| self.requests[*request].outcome.as_ref().is_some_and(&is_counted));
        f64::from(u32::try_from(counted.count()).unwrap()) / f64::from(u32::try_from(calls.len()).unwrap())
    }

    /// Returns the largest number of calls in any second.
    pub(super) fn worst_second(&self) -> usize {
        let count = |(index, (first, _)): (usize, &(Duration, usize))| {
            self.arrivals[index..].iter().take_while(|(at, _)| *at < *first + Duration::from_secs(1)).count()
        };
        self.arrivals.iter().enumerate().map(count).max().unwrap_or(0)
    }

    /// Returns whether all requests of a caller have complete responses.
    pub(super) fn answers_all(&self, caller: usize) -> bool {
        let mut requests = self.requests.iter().filter(|request| request.caller == caller);
        requests.all(|request| matches!(request.outcome, Some(Outcome::Complete(_))))
    }

    /// Returns the longest time to a caller's complete response, among the
    /// requests that arrive after `from`.
    pub(super) fn longest(&self, caller: usize, from: Duration) -> Duration {
        let requests = self.requests.iter().filter(|request| request.caller == caller && request.arrived >= from);
        let waits = requests.filter_map(|request| match request.outcome {
            Some(Outcome::Complete(wait)) => Some(wait),
            _ => None,
        });
        waits.max().unwrap_or_default()
    }
}
