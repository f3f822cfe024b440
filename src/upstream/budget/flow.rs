//! Queue of one caller, of the refreshes, or of the exports.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use super::schedule::QueueId;

/// Time constant of a flow's recent rate.
const USAGE_PERIOD: Duration = Duration::from_secs(2);
/// Weight of a new outcome in the recent fraction of abandoned requests.
const OUTCOME_WEIGHT: f64 = 0.02;
/// Fraction of abandoned requests that shows impatience: two in quick succession.
const IMPATIENT: f64 = 0.03;
/// Fraction of an abandoned wait within which requests must be answered.
const PATIENCE_FRACTION: f64 = 0.95;
/// Requests for each one that is admitted with a longer wait, as a probe.
const REQUESTS_PER_PROBE: u32 = 100;
/// Wait of a probe, relative to the known patience.
const PROBE_FACTOR: f64 = 1.1;
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
    reserved: BTreeMap<QueueId, u32>,
    /// Number of admitted requests, by the calls that they still need.
    requests_by_calls: BTreeMap<u32, u32>,
    backlog: u32,
    waiting: BTreeMap<QueueId, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    reservation: Option<QueueId>,
    /// Instant after which the call is not sent.
    latest: Duration,
    payload: T,
}

impl<T> Flow<T> {
    pub(super) fn new(weight: f64) -> Self {
        Self {
            weight,
            usage: Usage::default(),
            patience: Patience::default(),
            tag: 0.0,
            reserved: BTreeMap::new(),
            requests_by_calls: BTreeMap::new(),
            backlog: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Returns the calls that admitted requests still need.
    pub(super) fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Returns the number of waiting calls.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the calls that admitted requests may make within `elapsed`. Each
    /// request makes its calls one by one, and its next call waits or follows the
    /// current one.
    pub(super) fn calls_within(&self, elapsed: Duration, latency: Duration) -> u32 {
        let each = elapsed.as_secs_f64() / latency.as_secs_f64().max(f64::MIN_POSITIVE);
        let calls = |(calls, requests): (&u32, &u32)| f64::from(*calls).min(each) * f64::from(*requests);
        let calls = self.requests_by_calls.iter().map(calls).sum::<f64>() + self.waiting.len() as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
        let calls = calls as u32;
        calls.min(self.backlog)
    }

    /// Sets the calls that a request still needs.
    pub(super) fn reserve(&mut self, id: QueueId, calls: u32) {
        let before = self.reserved.insert(id, calls);
        self.forget(before);
        *self.requests_by_calls.entry(calls).or_default() += 1;
        self.backlog = self.backlog.saturating_add(calls);
    }

    /// Ends a request.
    pub(super) fn finish(&mut self, id: QueueId) {
        let before = self.reserved.remove(&id);
        self.forget(before);
    }

    fn forget(&mut self, calls: Option<u32>) {
        let Some(calls) = calls else { return };
        self.backlog = self.backlog.saturating_sub(calls);
        if let Entry::Occupied(mut requests) = self.requests_by_calls.entry(calls) {
            *requests.get_mut() -= 1;
            if *requests.get() == 0 {
                requests.remove();
            }
        }
    }

    /// Adds a waiting call.
    pub(super) fn push(&mut self, id: QueueId, reservation: Option<QueueId>, latest: Duration, payload: T) {
        self.waiting.insert(id, Waiting { reservation, latest, payload });
    }

    /// Removes a waiting call.
    pub(super) fn remove(&mut self, id: QueueId) {
        self.waiting.remove(&id);
    }

    /// Takes the first waiting call, with the instant after which it is not sent.
    pub(super) fn pop(&mut self) -> Option<(Duration, T)> {
        let (_, Waiting { reservation, latest, payload }) = self.waiting.pop_first()?;
        if let Some(id) = reservation
            && let Some(calls) = self.reserved.get(&id)
        {
            self.reserve(id, calls.saturating_sub(1));
        }
        Some((latest, payload))
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
        self.calls = self.decayed(now) + 1.0;
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

/// Time that a caller's clients wait for an answer, learned from the clients that
/// left. Calls for clients that will leave are wasted. Probes show whether
/// clients wait longer.
#[derive(Debug, Default)]
pub(super) struct Patience {
    limit: Option<Duration>,
    /// Recent fraction of abandoned requests.
    abandoned: f64,
    last_abandoned: Duration,
    requests_since_probe: u32,
}

impl Patience {
    /// Returns the time within which an answer is still useful, if known.
    pub(super) fn limit(&self, now: Duration) -> Option<Duration> {
        let limit = self.limit.filter(|_| now.saturating_sub(self.last_abandoned) < PATIENCE_MEMORY)?;
        let is_probe = self.requests_since_probe >= REQUESTS_PER_PROBE;
        Some(if is_probe { limit.mul_f64(PROBE_FACTOR) } else { limit })
    }

    /// Records a request that is admitted, with the expected time to its answer.
    pub(super) fn on_admitted(&mut self, answered: Duration) {
        let is_probe = self.limit.is_some_and(|limit| answered > limit);
        self.requests_since_probe = if is_probe { 0 } else { self.requests_since_probe.saturating_add(1) };
    }

    /// Records a client that left after `waited`. A single client shows nothing.
    pub(super) fn on_abandoned(&mut self, waited: Duration, now: Duration) {
        self.abandoned += OUTCOME_WEIGHT * (1.0 - self.abandoned);
        if self.abandoned > IMPATIENT {
            let waited = waited.mul_f64(PATIENCE_FRACTION);
            let is_known = now.saturating_sub(self.last_abandoned) < PATIENCE_MEMORY;
            self.limit = Some(self.limit.filter(|_| is_known).map_or(waited, |limit| limit.min(waited)));
            self.last_abandoned = now;
        }
    }

    /// Records a client that was answered after `waited`.
    pub(super) fn on_answered(&mut self, waited: Duration) {
        self.abandoned -= OUTCOME_WEIGHT * self.abandoned;
        self.limit = self.limit.map(|limit| limit.max(waited.min(limit.mul_f64(PROBE_FACTOR))));
    }
}
