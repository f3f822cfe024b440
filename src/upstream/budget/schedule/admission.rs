//! Admission of requests: the expected times of their calls.

use std::time::Duration;

use super::{
    super::{
        Window,
        flow::{Flow, FlowId},
        forecast::{self, Progress},
        patience,
    },
    CALLS_PER_REFRESH, Claim, Schedule,
};

/// Largest number of steps of an exact forecast: requests × calls.
const MAX_FORECAST_STEPS: u64 = 20_000;

/// Expected times of a request, from now on.
struct Forecast {
    first: Duration,
    answered: Duration,
    /// True if the request waits for no other call.
    is_undelayed: bool,
    /// True if the caller has no other request. A shorter wait is not possible.
    is_alone: bool,
    /// True if the request needs more calls than an unused budget answers in time. Its
    /// response is partial in any case.
    is_partial: bool,
}

impl<T> Schedule<T> {
    /// Returns the wait if a request cannot be admitted. For an admitted probe,
    /// returns the time that its client is assumed to wait.
    pub(in crate::upstream::budget) fn check(
        &self,
        claim: &Claim,
        now: Duration,
    ) -> Result<Option<Duration>, Duration> {
        let left = claim.deadline.saturating_sub(now);
        let forecast = self.forecast(claim, now);
        // A request that waits for no other call delays none.
        if forecast.is_undelayed || (forecast.is_alone && forecast.first <= claim.max_wait) {
            return Ok(None);
        }
        let calls = claim.calls.max(1);
        let duration = self.unloaded(claim.latency, calls);
        let starts_in_time = |time| forecast.first <= patience::wait(time, duration, calls);
        let patience = self.flows.get(&claim.flow).map(|flow| &flow.patience);
        if forecast.first <= claim.max_wait && (forecast.answered <= left || forecast.is_partial) {
            if patience.and_then(|patience| patience.known(now)).is_none_or(starts_in_time) {
                return Ok(None);
            }
            if let Some(longer) = patience.and_then(|patience| patience.due_probe(now)).filter(|it| starts_in_time(*it))
            {
                return Ok(Some(longer));
            }
        }
        Err(forecast.first.max(forecast.answered.saturating_sub(left)))
    }

    /// Returns the time that a call of a flow would wait now.
    pub(in crate::upstream::budget) fn expected_wait(&self, claim: &Claim, now: Duration) -> Duration {
        self.forecast(claim, now).first
    }

    /// Returns the expected times of a request.
    fn forecast(&self, claim: &Claim, now: Duration) -> Forecast {
        let left = claim.deadline.saturating_sub(now);
        let calls = claim.calls.min(self.feasible_calls(claim.latency, left)).max(1);
        let undelayed = claim.latency * (calls - 1);
        let flow = self.flows.get(&claim.flow);
        let (requests, backlog) = flow.map_or((0, 0), |flow| (flow.requests(), flow.backlog()));
        // The request's own calls are steps too.
        let steps = u64::from(requests).saturating_add(1) * u64::from(backlog.saturating_add(calls));
        let (first, last) = if (calls > 1 || backlog > requests) && steps <= MAX_FORECAST_STEPS {
            let older = flow.map(|flow| flow.progress(claim.latency, now)).unwrap_or_default();
            let slot = |own| now + self.slot_after(claim, own, now);
            let own = Progress { ready: now, calls, is_started: false };
            let limit = self.start_limit(&claim.flow, claim.weight, calls, claim.latency, now);
            let (first, last) = forecast::send_times(slot, older, own, claim.latency, limit);
            (first.saturating_sub(now), last.saturating_sub(now))
        } else {
            let first = self.slot_after(claim, backlog, now);
            let last = self.slot_after(claim, backlog.saturating_add(calls - 1), now);
            (first, last.max(first + undelayed))
        };
        // A younger request may take a slot just before a call is ready.
        let is_late = last > undelayed && claim.latency > self.interval();
        let last = if is_late { last + self.interval() * (calls - 1) } else { last };
        Forecast {
            first,
            answered: last + claim.latency,
            is_undelayed: last <= undelayed,
            is_alone: backlog == 0,
            is_partial: calls < claim.calls,
        }
    }

    /// Returns the time until a slot is free after `own` calls of the flow and the
    /// calls that other callers make before.
    fn slot_after(&self, claim: &Claim, own: u32, now: Duration) -> Duration {
        let after = |elapsed: Duration| {
            let others = self.calls_of_others(claim, f64::from(own) + 1.0, elapsed, now);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of queued calls")]
            let ahead = u64::from(own) + others.round() as u64;
            let ahead = self.remote.calls_ahead(ahead, self.log.windows(), now);
            let slot = self.log.slot(ahead, now);
            let opens = self.block.until().max(self.remote.closed_until());
            slot.max(opens.saturating_add(self.idle_wait(ahead))).saturating_sub(now)
        };
        // Other callers' calls arrive while the call waits.
        after(after(Duration::ZERO))
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
