//! Queue of one caller, of the refreshes, or of the exports.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    forecast::Progress,
    schedule::{Admitted, QueueId},
};

/// Time constant of a flow's recent rate.
const USAGE_PERIOD: Duration = Duration::from_secs(2);
/// Weight of a new outcome in the recent fraction of abandoned requests.
const OUTCOME_WEIGHT: f64 = 0.02;
/// Fraction of abandoned requests that shows impatience: two in quick succession.
const IMPATIENT: f64 = 0.03;
/// Fraction of an abandoned wait within which requests must be answered.
const PATIENCE_FRACTION: f64 = 0.93;
/// Requests for each one that is admitted with a longer wait, as a probe.
const REQUESTS_PER_PROBE: u32 = 100;
/// Wait of a probe, relative to the known patience.
const PROBE_FACTOR: f64 = 1.1;
/// Part of a request's duration for which its first call waits in any case.
const TOLERANCE: u32 = 10;
/// Time after which an abandoned request no longer counts.
const PATIENCE_MEMORY: Duration = Duration::from_mins(5);

/// Identity of a flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FlowId {
    /// Calls of one caller, by name.
    Caller(Arc<str>),
    /// Background refreshes.
    Refresh,
    /// Exports.
    Export,
}

/// Waiting calls of one flow, and the calls that its requests still need.
#[derive(Debug)]
pub(super) struct Flow<T> {
    /// Weight among the callers.
    pub(super) weight: f64,
    pub(super) usage: Usage,
    pub(super) patience: Patience,
    /// Virtual time of the next call.
    tag: f64,
    /// Calls that admitted requests still need.
    reserved: BTreeMap<QueueId, Reserved>,
    backlog: u32,
    waiting: BTreeMap<QueueId, Waiting<T>>,
}

/// Admitted request.
#[derive(Debug, Default)]
struct Reserved {
    /// Calls that the request still needs.
    calls: u32,
    /// Send time of the last call.
    sent: Option<Duration>,
}

/// Waiting call.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// Request of the call, if it is admitted.
    pub(super) reservation: Option<QueueId>,
    /// Instant at which the call entered the queue.
    pub(super) queued: Duration,
    /// Instant after which the call is not sent.
    pub(super) latest: Duration,
    /// Expected time from this call to the last response of the request.
    pub(super) duration: Duration,
    pub(super) payload: T,
}

impl<T> Flow<T> {
    pub(super) fn new(weight: f64) -> Self {
        Self {
            weight,
            usage: Usage::default(),
            patience: Patience::default(),
            tag: 0.0,
            reserved: BTreeMap::new(),
            backlog: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Returns the calls that admitted requests still need.
    pub(super) fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Returns the number of admitted requests.
    pub(super) fn requests(&self) -> u32 {
        u32::try_from(self.reserved.len()).unwrap_or(u32::MAX)
    }

    /// Returns the admitted requests that still need calls, oldest first.
    pub(super) fn progress(&self, latency: Duration, now: Duration) -> Vec<Progress> {
        let unfinished = self.reserved.values().filter(|reserved| reserved.calls > 0);
        let progress = |reserved: &Reserved| {
            let ready = reserved.sent.map_or(now, |sent| sent.saturating_add(latency).max(now));
            Progress { ready, calls: reserved.calls }
        };
        unfinished.map(progress).collect()
    }

    /// Returns the number of waiting calls.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Sets the calls that a request still needs.
    pub(super) fn reserve(&mut self, id: QueueId, calls: u32) {
        let reserved = self.reserved.entry(id).or_default();
        let before = std::mem::replace(&mut reserved.calls, calls);
        self.backlog = self.backlog.saturating_sub(before).saturating_add(calls);
    }

    /// Ends a request.
    pub(super) fn finish(&mut self, id: QueueId) {
        let calls = self.reserved.remove(&id).map_or(0, |reserved| reserved.calls);
        self.backlog = self.backlog.saturating_sub(calls);
    }

    /// Adds a waiting call.
    pub(super) fn push(&mut self, id: QueueId, waiting: Waiting<T>) {
        self.waiting.insert(id, waiting);
    }

    /// Removes a waiting call.
    pub(super) fn remove(&mut self, id: QueueId) {
        self.waiting.remove(&id);
    }

    /// Takes the first waiting call, with the instant after which it is not sent.
    /// A call that is sent counts for its request.
    pub(super) fn pop(&mut self, now: Duration) -> Option<(Duration, T)> {
        let (_, waiting) = self.waiting.pop_first()?;
        let latest = self.latest(&waiting, now);
        if latest >= now
            && let Some(reserved) = waiting.reservation.and_then(|id| self.reserved.get_mut(&id))
        {
            reserved.sent = Some(now);
            reserved.calls = reserved.calls.saturating_sub(1);
            self.backlog = self.backlog.saturating_sub(1);
        }
        Some((latest, waiting.payload))
    }

    /// Returns the instant after which a call is not sent. The first call of a
    /// request waits only as long as clients await the response. A started request
    /// continues.
    fn latest(&self, waiting: &Waiting<T>, now: Duration) -> Duration {
        let reserved = waiting.reservation.and_then(|id| self.reserved.get(&id));
        let is_first = reserved.is_some_and(|reserved| reserved.sent.is_none());
        let Some(patience) = self.patience.limit(now).filter(|_| is_first) else { return waiting.latest };
        let wait = patience.saturating_sub(waiting.duration).max(waiting.duration / TOLERANCE);
        waiting.latest.min(waiting.queued.saturating_add(wait))
    }

    /// Returns the virtual start time of the next call.
    pub(super) fn start(&self, virtual_time: f64) -> f64 {
        self.tag.max(virtual_time)
    }

    /// Moves the flow past one call. Returns the new virtual time.
    pub(super) fn advance(&mut self, virtual_time: f64, step: f64) -> f64 {
        let start = self.start(virtual_time);
        self.tag = start + step;
        start
    }
}

/// Recent rate of a flow's calls.
#[derive(Debug, Default)]
pub(super) struct Usage {
    calls: f64,
    at: Duration,
}

impl Usage {
    /// Records a call.
    pub(super) fn record(&mut self, now: Duration) {
        self.record_calls(1, now);
    }

    /// Records several calls.
    pub(super) fn record_calls(&mut self, calls: u32, now: Duration) {
        self.calls = self.decayed(now) + f64::from(calls);
        self.at = now;
    }

    /// Returns the calls per second.
    pub(super) fn rate(&self, now: Duration) -> f64 {
        self.decayed(now) / USAGE_PERIOD.as_secs_f64()
    }

    fn decayed(&self, now: Duration) -> f64 {
        let age = now.saturating_sub(self.at).as_secs_f64();
        self.calls * (-age / USAGE_PERIOD.as_secs_f64()).exp()
    }
}

/// Time that a caller's clients wait for a response, learned from the clients that
/// left. Calls for clients that will leave are wasted. The limit applies to
/// expected times, so it also corrects the error of the forecast. Probes show
/// whether clients wait longer.
#[derive(Debug, Default)]
pub(super) struct Patience {
    limit: Option<Duration>,
    changed: Duration,
    /// Recent fraction of abandoned requests.
    abandoned: f64,
    last_abandoned: Duration,
    requests_since_probe: u32,
}

impl Patience {
    /// Returns the time within which a response is still useful, if known.
    pub(super) fn limit(&self, now: Duration) -> Option<Duration> {
        let limit = self.known(now)?;
        let is_probe = self.requests_since_probe >= REQUESTS_PER_PROBE;
        Some(if is_probe { limit.mul_f64(PROBE_FACTOR) } else { limit })
    }

    /// Records a request that is admitted.
    pub(super) fn on_admitted(&mut self, expected: Duration) {
        let is_probe = self.limit.is_some_and(|limit| expected > limit);
        self.requests_since_probe = if is_probe { 0 } else { self.requests_since_probe.saturating_add(1) };
    }

    /// Records a client that left after `waited`. A single client shows nothing.
    /// Only a request that was admitted with the current limit shows that the
    /// limit is too long.
    pub(super) fn on_abandoned(&mut self, admitted: &Admitted, waited: Duration, now: Duration) {
        self.abandoned += OUTCOME_WEIGHT * (1.0 - self.abandoned);
        if self.abandoned <= IMPATIENT {
            return;
        }
        let shorter = match self.known(now) {
            None => waited,
            Some(limit) if admitted.at >= self.changed && admitted.answered <= limit => limit.min(waited),
            Some(_) => return,
        };
        self.limit = Some(shorter.mul_f64(PATIENCE_FRACTION));
        (self.changed, self.last_abandoned) = (now, now);
    }

    /// Records a client that was answered after `waited`.
    pub(super) fn on_answered(&mut self, admitted: &Admitted, waited: Duration) {
        self.abandoned -= OUTCOME_WEIGHT * self.abandoned;
        self.limit = self.limit.map(|limit| limit.max(admitted.answered.min(waited).min(limit.mul_f64(PROBE_FACTOR))));
    }

    fn known(&self, now: Duration) -> Option<Duration> {
        self.limit.filter(|_| now.saturating_sub(self.last_abandoned) < PATIENCE_MEMORY)
    }
}
