//! Queue of one caller, of the refreshes, or of the exports.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    forecast::Progress,
    patience::{self, Patience},
    schedule::QueueId,
};

/// Time constant of a flow's recent rate.
const USAGE_PERIOD: Duration = Duration::from_secs(2);
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
    /// Waiting calls, oldest request first: those of started requests, and first
    /// calls.
    waiting: BTreeMap<(bool, QueueId), Waiting<T>>,
}

/// Admitted request.
#[derive(Debug, Default)]
struct Reserved {
    /// Calls that the request still needs.
    calls: u32,
    /// Time that the client waits, if the request is a probe.
    probe: Option<Duration>,
    started: Option<Started>,
}

/// Progress of a started request.
#[derive(Debug, Clone, Copy)]
struct Started {
    /// Send time of the last call.
    sent: Duration,
    /// Expected time from the first call to the last response, without waits.
    duration: Duration,
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
    /// Calls that the request needs, from this one on.
    pub(super) calls: u32,
    /// Expected time from this call to the last response of the request, without
    /// waits.
    pub(super) duration: Duration,
    /// Expected time from this call to its response.
    pub(super) latency: Duration,
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
            let ready = reserved.started.map_or(now, |started| started.sent.saturating_add(latency).max(now));
            Progress { ready, calls: reserved.calls, is_started: reserved.started.is_some() }
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

    /// Lets a request wait longer than clients are known to wait.
    pub(super) fn probe(&mut self, id: QueueId, patience: Duration) {
        self.reserved.entry(id).or_default().probe = Some(patience);
    }

    /// Adds a waiting call.
    pub(super) fn push(&mut self, id: QueueId, waiting: Waiting<T>) {
        self.waiting.insert((self.is_first(&waiting), id), waiting);
    }

    /// Removes a waiting call.
    pub(super) fn remove(&mut self, id: QueueId) {
        self.waiting.remove(&(false, id));
        self.waiting.remove(&(true, id));
    }

    /// Returns the next call if it starts a request of several calls.
    pub(super) fn next_start(&self) -> Option<&Waiting<T>> {
        self.waiting.values().next().filter(|waiting| waiting.calls > 1 && self.is_first(waiting))
    }

    /// Returns the started requests that soon need a call, and the number of their
    /// calls. A request that makes no call for two latencies is busy elsewhere.
    pub(super) fn started(&self, latency: Duration, now: Duration) -> (u32, u32) {
        let is_active = |started: Started| now <= started.sent.saturating_add(latency.saturating_mul(2));
        let active = self.reserved.values().filter(|it| it.calls > 0 && it.started.is_some_and(is_active));
        active.fold((0, 0), |(requests, calls), it| (requests + 1, calls.saturating_add(it.calls)))
    }

    /// Takes the first waiting call, with the instant after which it is not sent.
    /// A call that is sent counts for its request.
    pub(super) fn pop(&mut self, now: Duration) -> Option<(Duration, T)> {
        let (_, waiting) = self.waiting.pop_first()?;
        let latest = self.latest(&waiting, now);
        if latest >= now
            && let Some(reserved) = waiting.reservation.and_then(|id| self.reserved.get_mut(&id))
        {
            let duration = reserved.started.map_or(waiting.duration, |started| started.duration);
            reserved.started = Some(Started { sent: now, duration });
            reserved.calls = reserved.calls.saturating_sub(1);
            self.backlog = self.backlog.saturating_sub(1);
        }
        Some((latest, waiting.payload))
    }

    /// Returns the instant after which a call is not sent: clients await neither a
    /// request that starts later, nor the response of a later call.
    fn latest(&self, waiting: &Waiting<T>, now: Duration) -> Duration {
        let Some((id, reserved)) = waiting.reservation.and_then(|id| Some((id, self.reserved.get(&id)?))) else {
            return waiting.latest;
        };
        let Some(patience) = reserved.probe.or_else(|| self.patience.known(now)) else { return waiting.latest };
        let latest = match reserved.started {
            None => waiting.queued.saturating_add(patience::wait(patience, waiting.duration, waiting.calls)),
            Some(started) => {
                let answered = id.since.saturating_add(patience::last_answer(patience, started.duration));
                answered.saturating_sub(waiting.latency)
            }
        };
        waiting.latest.min(latest)
    }

    fn is_first(&self, waiting: &Waiting<T>) -> bool {
        let reserved = waiting.reservation.and_then(|id| self.reserved.get(&id));
        reserved.is_some_and(|reserved| reserved.started.is_none())
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
