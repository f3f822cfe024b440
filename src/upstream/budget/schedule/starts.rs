//! Start of requests: the number of requests in progress.
//!
//! A request makes its calls one by one, so a started request needs one slot for each
//! latency of the vendor. By Little's law, `rate × latency` requests use the limit. With
//! more of them, each call waits, and all requests are late together. With fewer,
//! slots are unused.

use std::time::Duration;

use super::{
    super::flow::{Flow, FlowId},
    Schedule,
};

impl<T> Schedule<T> {
    /// Returns the time until which no waiting call may be sent, because each would
    /// start a request. A call in flight that ends may change this earlier.
    pub(in crate::upstream::budget) fn pause(&self, now: Duration) -> Option<Duration> {
        let is_paused = self.next_flow(|id, flow| self.may_send(id, flow, now)).is_none();
        is_paused.then(|| now.saturating_add(self.interval().max(Duration::from_millis(1))))
    }

    /// Returns whether the next call of a flow may be sent in a free slot. Only a
    /// request that needs further calls delays those of started requests.
    pub(super) fn may_send(&self, id: &FlowId, flow: &Flow<T>, now: Duration) -> bool {
        let Some(start) = flow.next_start() else { return true };
        let (started, calls) = flow.started(start.latency, now);
        started < self.max_started(id, flow.weight, start.latency, now) || self.are_free(calls, start.calls, now)
    }

    /// Returns the number of started requests of a flow above which a request that
    /// needs `calls` calls does not start.
    pub(super) fn start_limit(&self, id: &FlowId, weight: f64, calls: u32, latency: Duration, now: Duration) -> u32 {
        let (_, started_calls) = self.flows.get(id).map_or((0, 0), |flow| flow.started(latency, now));
        if self.are_free(started_calls, calls, now) { u32::MAX } else { self.max_started(id, weight, latency, now) }
    }

    /// Returns whether the free slots are enough for all calls of the started
    /// requests and of one more.
    fn are_free(&self, started_calls: u32, calls: u32, now: Duration) -> bool {
        started_calls.saturating_add(calls) <= self.log.remaining(now)
    }

    /// Returns the number of started requests that use a flow's part of the limit.
    /// The part is what other callers leave unused, and at least a fair part.
    fn max_started(&self, id: &FlowId, weight: f64, latency: Duration, now: Duration) -> u32 {
        if latency.is_zero() {
            return u32::MAX;
        }
        let callers = || self.flows.iter().filter(|(other, _)| *other != id && matches!(other, FlowId::Caller(_)));
        let busy = callers().filter(|(_, flow)| flow.waiting() > 0 || flow.backlog() > 0);
        let busy: f64 = busy.map(|(_, flow)| flow.weight).sum();
        let used: f64 = callers().map(|(_, flow)| flow.usage.rate(now)).sum();
        let interval = self.interval().as_secs_f64();
        let part = (weight / (weight + busy)).max(1.0 - used * interval);
        let requests = part * self.remote.part(self.log.windows(), now) * latency.as_secs_f64() / interval;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
        let requests = requests.ceil() as u32;
        requests.max(1)
    }

    /// Returns the time of `calls` calls one by one in a limit that is used evenly.
    /// Each call but the first is sent in the first slot after the response before.
    pub(super) fn unloaded(&self, latency: Duration, calls: u32) -> Duration {
        let interval = self.interval().max(Duration::from_nanos(1));
        let slots = u32::try_from(latency.as_nanos().div_ceil(interval.as_nanos())).unwrap_or(u32::MAX).max(1);
        let step = interval.saturating_mul(slots);
        step.saturating_mul(calls.saturating_sub(1)).saturating_add(latency)
    }
}
