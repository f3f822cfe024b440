//! Order of the calls of a budget: fair queueing of callers, with admission.
//!
//! Each caller has a flow. Free slots go to the flow with the smallest virtual
//! time (start-time fair queueing, Goyal, Vin and Cheng 1996), so a caller that
//! floods waits behind its own calls. Within a flow, the oldest request goes
//! first, so a started request finishes before a new one starts. Refreshes have
//! a flow with a tenth of the slots, and exports use slots that no other call
//! wants.
//!
//! A request is admitted if its calls can be sent and answered in time, behind
//! the calls that admitted requests still need. The schedule reads no clock.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Window,
    flow::{Flow, FlowId, Waiting},
    forecast::{self, Progress},
    send_log::{SendId, SendLog},
    vendor_block::VendorBlock,
};

/// Calls of other flows for each refresh, while callers wait.
const CALLS_PER_REFRESH: f64 = 9.0;

/// Largest number of steps of an exact forecast: requests × calls.
const MAX_FORECAST_STEPS: u64 = 20_000;
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
    /// Expected time from a slot to the answer.
    pub(super) latency: Duration,
}

/// Expected times of a request, from now on.
struct Forecast {
    first: Duration,
    answered: Duration,
    /// True if the request waits for no other call.
    is_undelayed: bool,
    /// True if the caller has no other request. A shorter wait is not possible.
    is_alone: bool,
}

/// Admitted request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    pub(super) id: QueueId,
    pub(super) at: Duration,
    /// Expected time from admission to the last answer.
    pub(super) answered: Duration,
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
    /// No call waits.
    Idle,
}

impl<T> Schedule<T> {
    pub(super) fn new(log: SendLog) -> Self {
        Self { log, block: VendorBlock::default(), flows: BTreeMap::new(), virtual_time: 0.0, next_id: 0 }
    }

    /// Returns the wait if a request cannot be admitted.
    pub(super) fn check(&self, claim: &Claim, now: Duration) -> Result<(), Duration> {
        let left = claim.deadline.saturating_sub(now);
        let forecast = self.forecast(claim, now);
        // A request that waits for no other call delays none.
        if forecast.is_undelayed || (forecast.is_alone && forecast.first <= claim.max_wait) {
            return Ok(());
        }
        let patience = self.flows.get(&claim.flow).and_then(|flow| flow.patience.limit(now)).unwrap_or(left);
        if forecast.first > claim.max_wait || forecast.answered > left.min(patience) {
            return Err(forecast.first.max(forecast.answered.saturating_sub(left)));
        }
        Ok(())
    }

    /// Admits a request and reserves its calls, or returns the wait.
    pub(super) fn admit(&mut self, claim: &Claim, now: Duration) -> Result<Admitted, Duration> {
        self.check(claim, now)?;
        let answered = self.forecast(claim, now).answered;
        let id = self.queue_id(claim.since);
        let flow = self.flow(claim);
        flow.patience.on_admitted(answered);
        flow.reserve(id, claim.calls.max(1));
        Ok(Admitted { id, at: now, answered })
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
    ) -> QueueId {
        let id = self.queue_id(claim.since);
        self.flow(claim)
            .push(id, Waiting { reservation, latest, duration: claim.latency * claim.calls.max(1), payload });
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
        let Some(id) = self.next_flow() else { return Next::Idle };
        let slot = self.log.slot(0, now).max(self.block.until()).max(self.paced_slot(now));
        if slot > now {
            return Next::Wait(slot);
        }
        let step = self.virtual_step(&id);
        let Some(flow) = self.flows.get_mut(&id) else { return Next::Idle };
        let Some((latest, payload)) = flow.pop(now) else { return Next::Idle };
        if latest < now {
            return Next::Reject(payload);
        }
        self.virtual_time = flow.advance(self.virtual_time, step);
        flow.usage.record(now);
        Next::Send(self.log.send(now), payload)
    }

    /// Returns the time that a call of a flow would wait now.
    pub(super) fn expected_wait(&self, claim: &Claim, now: Duration) -> Duration {
        self.forecast(claim, now).first
    }

    /// Returns the number of waiting calls.
    pub(super) fn waiting(&self) -> usize {
        self.flows.values().map(Flow::waiting).sum()
    }

    /// Records that an admitted request's client left after `waited`.
    pub(super) fn on_abandoned(&mut self, flow: &FlowId, admitted: &Admitted, waited: Duration, now: Duration) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.patience.on_abandoned(admitted, waited, now);
        }
    }

    /// Records that an admitted request was answered after `waited`.
    pub(super) fn on_answered(&mut self, flow: &FlowId, admitted: &Admitted, waited: Duration) {
        if let Some(flow) = self.flows.get_mut(flow) {
            flow.patience.on_answered(admitted, waited);
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

    /// Returns the flow whose call is next.
    fn next_flow(&self) -> Option<FlowId> {
        let queued = self.flows.iter().filter(|(_, flow)| flow.waiting() > 0);
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

    /// Returns the expected times of a request.
    fn forecast(&self, claim: &Claim, now: Duration) -> Forecast {
        let left = claim.deadline.saturating_sub(now);
        let calls = claim.calls.min(self.feasible_calls(claim.latency, left)).max(1);
        let undelayed = claim.latency * (calls - 1);
        let flow = self.flows.get(&claim.flow);
        let (requests, backlog) = flow.map_or((0, 0), |flow| (flow.requests(), flow.backlog()));
        let steps = u64::from(requests) * u64::from(backlog.saturating_add(calls));
        let (first, last) = if (calls > 1 || backlog > requests) && steps <= MAX_FORECAST_STEPS {
            let older = flow.map(|flow| flow.progress(claim.latency, now)).unwrap_or_default();
            let slot = |own| now + self.slot_after(claim, own, now);
            let own = Progress { ready: now, calls };
            let (first, last) = forecast::send_times(slot, older, own, claim.latency);
            (first.saturating_sub(now), last.saturating_sub(now))
        } else {
            let first = self.slot_after(claim, backlog, now);
            let last = self.slot_after(claim, backlog.saturating_add(calls - 1), now);
            (first, last.max(first + undelayed))
        };
        // A younger request may take a slot just before a call is ready.
        let is_late = last > undelayed && claim.latency > self.interval();
        let last = if is_late { last + self.interval() * (calls - 1) } else { last };
        Forecast { first, answered: last + claim.latency, is_undelayed: last <= undelayed, is_alone: backlog == 0 }
    }

    /// Returns the time until a slot is free after `own` calls of the flow and the
    /// calls that other callers make before.
    fn slot_after(&self, claim: &Claim, own: u32, now: Duration) -> Duration {
        let after = |elapsed: Duration| {
            let others = self.calls_of_others(claim, f64::from(own) + 1.0, elapsed, now);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of queued calls")]
            let ahead = u64::from(own) + others.round() as u64;
            let slot = self.log.slot(ahead, now);
            let after_block = self.block.until().saturating_add(self.idle_wait(ahead));
            slot.max(after_block).saturating_sub(now)
        };
        // Other callers' calls arrive while the call waits.
        after(after(Duration::ZERO))
    }

    /// Returns the time of the next call, if calls wait that cannot all be sent
    /// now. These calls are spread over the period, so a call that arrives later
    /// does not wait for the next period.
    fn paced_slot(&self, now: Duration) -> Duration {
        let demand = self.flows.values().map(|flow| u64::from(flow.backlog()).max(flow.waiting() as u64)).sum::<u64>();
        if self.log.slot(demand.saturating_sub(1), now) <= now {
            return now;
        }
        self.log.last().map_or(now, |last| last.saturating_add(self.interval().mul_f64(PACE)))
    }

    /// Returns the time between two calls that are spread over the period.
    fn interval(&self) -> Duration {
        let interval = |window: &Window| window.per.min(MAX_PACED) / window.requests.get();
        self.log.windows().iter().map(interval).max().unwrap_or_default()
    }

    /// Returns the number of calls of other flows that go before the `own`-th
    /// call of a flow. Calls that arrive within `elapsed` count at the recent
    /// rate of their flow.
    fn calls_of_others(&self, claim: &Claim, own: f64, elapsed: Duration, now: Duration) -> f64 {
        let others = self.flows.iter().filter(|(id, _)| **id != claim.flow);
        let before = |(id, flow): (&FlowId, &Flow<T>)| {
            let calls = f64::from(flow.backlog()) + flow.usage.rate(now) * elapsed.as_secs_f64();
            match (&claim.flow, id) {
                (FlowId::Export, _) => calls,
                (_, FlowId::Export) => 0.0,
                (FlowId::Refresh, _) => calls.min(own * CALLS_PER_REFRESH),
                (FlowId::Caller(_), FlowId::Refresh) => calls.min(own / CALLS_PER_REFRESH),
                (FlowId::Caller(_), FlowId::Caller(_)) => calls.min(own * flow.weight / claim.weight),
            }
        };
        others.map(before).sum()
    }

    /// Returns the time that the call after `ahead` others waits in an unused
    /// budget.
    fn idle_wait(&self, ahead: u64) -> Duration {
        let wait = |window: &Window| {
            let periods = ahead / u64::from(window.requests.get());
            window.per.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX))
        };
        self.log.windows().iter().map(wait).max().unwrap_or_default()
    }

    /// Returns the number of calls that an unused budget answers within `left`.
    fn feasible_calls(&self, latency: Duration, left: Duration) -> u32 {
        let interval = |window: &Window| window.per.as_secs_f64() / f64::from(window.requests.get());
        let interval = self.log.windows().iter().map(interval).fold(latency.as_secs_f64(), f64::max);
        let calls = left.saturating_sub(latency).as_secs_f64() / interval.max(f64::MIN_POSITIVE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
        let calls = calls as u32;
        calls.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
