//! Order of the calls of a budget: fair queueing of callers, with admission.
//!
//! Each caller has a flow. Free slots go to the flow with the smallest virtual
//! time (start-time fair queueing, Goyal, Vin and Cheng 1996), so a caller that
//! floods waits behind its own calls. Within a flow, started requests go first, the
//! oldest one before the others. A request of several calls starts only if started
//! requests leave slots unused ([`starts`]). Refreshes have a flow with a tenth of the
//! slots, and exports use slots that no other call wants.
//!
//! A request is admitted if it can start while its client waits, and can be answered
//! before its deadline. While more calls wait than the limit has free, calls are
//! spread over the period. The schedule reads no clock.

mod admission;
mod starts;

use std::{collections::BTreeMap, time::Duration};

use super::{
    Window,
    flow::{Flow, FlowId, Waiting},
    remote_load::RemoteLoad,
    send_log::{SendId, SendLog},
    vendor_block::VendorBlock,
};

/// Calls of other flows for each refresh, while callers wait.
const CALLS_PER_REFRESH: f64 = 9.0;

/// Fraction of the regular interval between calls that pacing keeps. The rest
/// makes up for delays.
const PACE: f64 = 0.9;
/// Longest period over which calls are spread.
const MAX_PACED: Duration = Duration::from_secs(1);

/// Calls that wait for slots. `T` is the payload of a waiting call.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    pub(super) log: SendLog,
    pub(super) block: VendorBlock,
    pub(super) remote: RemoteLoad,
    flows: BTreeMap<FlowId, Flow<T>>,
    /// Virtual time of the last call.
    virtual_time: f64,
    next_id: u64,
}

/// Request for admission.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) flow: FlowId,
    /// Weight of the flow among the callers.
    pub(super) weight: f64,
    /// Start of the request. Older requests go first.
    pub(super) since: Duration,
    /// Instant by which the last call must be answered.
    pub(super) deadline: Duration,
    /// Longest wait for the first slot.
    pub(super) max_wait: Duration,
    /// Expected number of calls.
    pub(super) calls: u32,
    /// Expected time from a slot to the response.
    pub(super) latency: Duration,
}

/// Identity of an admitted request or of a waiting call. Smaller ids go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueId {
    pub(super) since: Duration,
    number: u64,
}

/// Result of the search for the next call.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// The call is sent now.
    Send(SendId, T),
    /// The call would be answered too late, and leaves the queue.
    Reject(T),
    /// The next call is sent at this instant.
    Wait(Duration),
    /// The next call requires a slot of the limit that the replicas share.
    Take,
    /// No call waits.
    Idle,
}

impl<T> Schedule<T> {
    pub(super) fn new(log: SendLog) -> Self {
        Self {
            log,
            block: VendorBlock::default(),
            remote: RemoteLoad::default(),
            flows: BTreeMap::new(),
            virtual_time: 0.0,
            next_id: 0,
        }
    }

    /// Admits a request and reserves its calls, or returns the wait.
    pub(super) fn admit(&mut self, claim: &Claim, now: Duration) -> Result<QueueId, Duration> {
        let probe = self.check(claim, now)?;
        let id = self.queue_id(claim.since);
        let flow = self.flow(claim);
        flow.patience.on_admitted(probe.is_some());
        flow.reserve(id, claim.calls.max(1));
        if let Some(patience) = probe {
            flow.probe(id, patience);
        }
        Ok(id)
    }

    /// Changes the number of calls that an admitted request still needs.
    pub(super) fn reserve(&mut self, flow: &FlowId, id: QueueId, calls: u32) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.reserve(id, calls);
        }
    }

    /// Ends an admitted request.
    pub(super) fn finish(&mut self, flow: &FlowId, id: QueueId) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.finish(id);
        }
    }

    /// Adds a call to the queue. The call is not sent after `latest`.
    pub(super) fn enqueue(
        &mut self,
        claim: &Claim,
        reservation: Option<QueueId>,
        latest: Duration,
        payload: T,
        now: Duration,
    ) -> QueueId {
        let id = self.queue_id(claim.since);
        let calls = claim.calls.max(1);
        let (duration, latency) = (self.unloaded(claim.latency, calls), claim.latency);
        self.flow(claim).push(id, Waiting { reservation, queued: now, latest, calls, duration, latency, payload });
        id
    }

    /// Removes a call from the queue.
    pub(super) fn dequeue(&mut self, flow: &FlowId, id: QueueId) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.remove(id);
        }
    }

    /// Returns the next call if its slot is free.
    pub(super) fn next(&mut self, now: Duration) -> Next<T> {
        if self.waiting() == 0 {
            return Next::Idle;
        }
        if let Some(until) = self.pause(now) {
            return Next::Wait(until);
        }
        let slot = self.log.slot(0, now).max(self.block.until()).max(self.paced_slot(now));
        if slot > now { Next::Wait(slot) } else { self.take(now, now) }
    }

    /// Returns the next call for a free slot. A call that was in time at `asked` is
    /// not late.
    pub(super) fn take(&mut self, now: Duration, asked: Duration) -> Next<T> {
        let Some(id) = self.next_flow(|id, flow| self.may_send(id, flow, now)) else { return Next::Idle };
        let step = self.virtual_step(&id);
        let Some(flow) = self.flows.get_mut(&id) else { return Next::Idle };
        let Some((latest, payload)) = flow.pop(now) else { return Next::Idle };
        if latest < asked {
            return Next::Reject(payload);
        }
        self.virtual_time = flow.advance(self.virtual_time, step);
        flow.usage.record(now);
        Next::Send(self.log.send(now), payload)
    }

    /// Removes the next call, which gets no slot.
    pub(super) fn reject(&mut self, now: Duration) -> Next<T> {
        let id = self.next_flow(|_, _| true);
        let rejected = id.and_then(|id| self.flows.get_mut(&id)).and_then(|flow| flow.pop(now));
        rejected.map_or(Next::Idle, |(_, payload)| Next::Reject(payload))
    }

    /// Returns true if the next call is an export's.
    pub(super) fn is_export_next(&self, now: Duration) -> bool {
        self.next_flow(|id, flow| self.may_send(id, flow, now)) == Some(FlowId::Export)
    }

    /// Returns the number of calls that admitted requests need or that wait.
    pub(super) fn demand(&self) -> u64 {
        self.flows.values().map(|flow| u64::from(flow.backlog()).max(flow.waiting() as u64)).sum()
    }

    /// Returns the number of waiting calls.
    pub(super) fn waiting(&self) -> usize {
        self.flows.values().map(Flow::waiting).sum()
    }

    /// Records that an admitted request's client left after `waited`.
    pub(super) fn on_abandoned(&mut self, flow: &FlowId, waited: Duration, now: Duration) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.patience.on_abandoned(waited, now);
        }
    }

    /// Records that an admitted request was answered after `waited`.
    pub(super) fn on_answered(&mut self, flow: &FlowId, waited: Duration) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.patience.on_answered(waited);
        }
    }

    fn flow(&mut self, claim: &Claim) -> &mut Flow<T> {
        let flow = self.flows.entry(claim.flow.clone()).or_insert_with(|| Flow::new(claim.weight));
        flow.weight = claim.weight;
        flow
    }

    fn queue_id(&mut self, since: Duration) -> QueueId {
        self.next_id += 1;
        QueueId { since, number: self.next_id }
    }

    /// Returns the flow whose call is next, among the flows that `may_send`.
    fn next_flow(&self, may_send: impl Fn(&FlowId, &Flow<T>) -> bool) -> Option<FlowId> {
        let queued = self.flows.iter().filter(|(id, flow)| flow.waiting() > 0 && may_send(id, flow));
        let (id, _) = queued.min_by(|(id, flow), (other_id, other)| {
            let is_export = |id: &FlowId| *id == FlowId::Export;
            is_export(id)
                .cmp(&is_export(other_id))
                .then_with(|| flow.start(self.virtual_time).total_cmp(&other.start(self.virtual_time)))
        })?;
        Some(id.clone())
    }

    /// Returns the virtual time of one call of a flow.
    fn virtual_step(&self, id: &FlowId) -> f64 {
        match id {
            FlowId::Caller(_) => self.flows.get(id).map_or(1.0, |flow| 1.0 / flow.weight),
            // Without waiting callers, a refresh delays no caller.
            FlowId::Refresh => match self.waiting_weight() {
                0.0 => 0.0,
                weight => CALLS_PER_REFRESH / weight,
            },
            FlowId::Export => 0.0,
        }
    }

    /// Returns the sum of the weights of the callers whose calls wait.
    fn waiting_weight(&self) -> f64 {
        let callers = self.flows.iter().filter(|(id, flow)| matches!(id, FlowId::Caller(_)) && flow.waiting() > 0);
        callers.map(|(_, flow)| flow.weight).sum()
    }

    /// Returns the time of the next call, if calls wait that cannot all be sent
    /// now. These calls are spread over the period, so a call that arrives later
    /// does not wait for the next period.
    fn paced_slot(&self, now: Duration) -> Duration {
        if self.log.slot(self.demand().saturating_sub(1), now) <= now {
            return now;
        }
        self.log.last().map_or(now, |last| last.saturating_add(pace(self.log.windows())))
    }

    /// Returns the time between two calls that use the limit evenly.
    fn interval(&self) -> Duration {
        let margin = self.log.margin();
        let interval = |window: &Window| (window.per.min(MAX_PACED) + margin) / window.requests.get();
        self.log.windows().iter().map(interval).max().unwrap_or_default()
    }
}

/// Returns the shortest time between two calls while calls are spread over the period.
pub(super) fn pace(windows: &[Window]) -> Duration {
    let interval = |window: &Window| window.per.min(MAX_PACED) / window.requests.get();
    windows.iter().map(interval).max().unwrap_or_default().mul_f64(PACE)
}

#[cfg(test)]
mod tests;
