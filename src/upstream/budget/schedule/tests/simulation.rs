//! Discrete-event simulation of a budget: a schedule, a vendor and callers.

use std::{cmp::Reverse, collections::BinaryHeap, num::NonZeroU32, sync::Arc, time::Duration};

use super::super::{
    super::{MARGIN, Window},
    Claim, FlowId, Next, QueueId, Schedule, SendId, SendLog,
};
use super::report::{Outcome, Report, Request};
use crate::upstream::Latency;

/// Longest wait of a call for its slot.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Time from a request to its deadline.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(29_750);
/// Longest time between a send and the arrival at the vendor.
const MAX_WAY: u64 = 5;

/// Simulated time and load.
#[derive(Debug, Clone)]
pub(super) struct Simulation {
    /// Calls per second.
    pub(super) limit: u32,
    /// Time from an arrival at the vendor to the answer.
    pub(super) latency: Duration,
    pub(super) callers: Vec<Caller>,
    /// Time in which requests arrive.
    pub(super) duration: Duration,
    pub(super) seed: u64,
}

/// Caller whose requests arrive at random instants.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Requests per second.
    pub(super) rate: f64,
    /// Calls per request, one by one.
    pub(super) calls: u32,
    /// Time after which clients leave.
    pub(super) patience: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(usize),
    Answer(usize, SendId, Duration),
    Leave(usize),
    /// The waiting call with this id has no slot in time.
    Expire(usize, QueueId),
    Wake,
}

struct Run {
    simulation: Simulation,
    schedule: Schedule<usize>,
    latency: Latency,
    random: fastrand::Rng,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    number: u64,
    now: Duration,
    wake_at: Option<Duration>,
    /// Expected calls of each caller's requests.
    expected: Vec<u32>,
    arrivals: Vec<(Duration, usize)>,
    requests: Vec<Request>,
}

impl Simulation {
    /// Runs until all requests have ended.
    pub(super) fn run(self) -> Report {
        let window = Window { requests: NonZeroU32::new(self.limit).unwrap(), per: Duration::from_secs(1) };
        let mut run = Run {
            schedule: Schedule::new(SendLog::new(vec![window], MARGIN)),
            latency: Latency::default(),
            random: fastrand::Rng::with_seed(self.seed),
            events: BinaryHeap::new(),
            number: 0,
            now: Duration::ZERO,
            wake_at: None,
            expected: vec![1; self.callers.len()],
            arrivals: Vec::new(),
            requests: Vec::new(),
            simulation: self,
        };
        for caller in 0..run.simulation.callers.len() {
            run.next_arrival(caller);
        }
        while let Some(Reverse((at, _, event))) = run.events.pop() {
            run.now = at;
            run.handle(&event);
            run.pump();
        }
        run.arrivals.sort_unstable();
        Report { simulation: run.simulation, arrivals: run.arrivals, requests: run.requests }
    }
}

impl Run {
    fn at(&mut self, at: Duration, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn next_arrival(&mut self, caller: usize) {
        // Never more than twice the rate, so a caller at half of its fair share
        // never exceeds it.
        let gap = (0.5 + self.random.f64()) / self.simulation.callers[caller].rate;
        let at = self.now + Duration::from_secs_f64(gap);
        if at < self.simulation.duration {
            self.at(at, Event::Arrive(caller));
        }
    }

    fn handle(&mut self, event: &Event) {
        match *event {
            Event::Arrive(caller) => {
                self.next_arrival(caller);
                self.arrive(caller);
            }
            Event::Answer(request, id, round_trip) => {
                self.schedule.log.end(id, true, self.now);
                self.latency.record(round_trip);
                self.answer(request);
            }
            Event::Leave(request) => self.leave(request),
            Event::Expire(request, id) if self.requests[request].waiting == Some(id) => {
                let outcome = if self.requests[request].done > 0 { Outcome::Partial } else { Outcome::Rejected };
                self.end(request, outcome);
            }
            Event::Expire(..) => {}
            Event::Wake => self.wake_at = None,
        }
    }

    fn arrive(&mut self, caller: usize) {
        let request = self.requests.len();
        let arrived = self.now;
        self.requests.push(Request { caller, arrived, done: 0, outcome: None, admitted: None, waiting: None });
        let claim = self.claim(request);
        let Ok(admitted) = self.schedule.admit(&claim, self.now) else {
            self.requests[request].outcome = Some(Outcome::Rejected);
            return;
        };
        self.requests[request].admitted = Some(admitted);
        if let Some(patience) = self.simulation.callers[caller].patience {
            self.at(self.now + patience, Event::Leave(request));
        }
        self.enqueue(request);
    }

    fn enqueue(&mut self, request: usize) {
        let claim = self.claim(request);
        let by_deadline = claim.deadline.saturating_sub(claim.latency).max(self.now);
        if self.requests[request].done > 0 && claim.deadline < self.now + claim.latency {
            self.end(request, Outcome::Partial);
            return;
        }
        let latest = (self.now + MAX_WAIT).min(by_deadline);
        let id = self.schedule.enqueue(&claim, self.requests[request].admitted, latest, request, self.now);
        self.requests[request].waiting = Some(id);
        self.at(latest + Duration::from_nanos(1), Event::Expire(request, id));
    }

    fn pump(&mut self) {
        loop {
            match self.schedule.next(self.now) {
                Next::Send(id, request) => self.send(id, request),
                Next::Reject(request) => {
                    self.requests[request].waiting = None;
                    let outcome = if self.requests[request].done > 0 { Outcome::Partial } else { Outcome::Rejected };
                    self.end(request, outcome);
                }
                Next::Wait(until) => {
                    if self.wake_at.is_none_or(|at| until < at) {
                        self.wake_at = Some(until);
                        // A timer counts whole milliseconds.
                        let end = until.as_nanos().div_ceil(1_000_000) as u64;
                        self.at(Duration::from_millis(end), Event::Wake);
                    }
                    return;
                }
                Next::Idle | Next::Take => return,
            }
        }
    }

    fn send(&mut self, id: SendId, request: usize) {
        self.requests[request].waiting = None;
        let way = Duration::from_micros(self.random.u64(0..MAX_WAY * 1_000));
        self.arrivals.push((self.now + way, request));
        let round_trip = way + self.simulation.latency;
        self.at(self.now + round_trip, Event::Answer(request, id, round_trip));
    }

    fn answer(&mut self, request: usize) {
        let Request { caller, outcome, admitted, arrived, .. } = self.requests[request];
        if outcome.is_some() {
            return;
        }
        self.requests[request].done += 1;
        let calls = self.simulation.callers[caller].calls;
        let left = calls - self.requests[request].done;
        // The vendor's row count shows the calls.
        self.expected[caller] = calls;
        if left == 0 {
            if admitted.is_some() {
                self.schedule.on_answered(&flow(caller), self.now.saturating_sub(arrived));
            }
            self.end(request, Outcome::Complete(self.now.saturating_sub(arrived)));
            return;
        }
        if let Some(id) = admitted {
            self.schedule.reserve(&flow(caller), id, left);
        }
        self.enqueue(request);
    }

    fn leave(&mut self, request: usize) {
        let Request { caller, outcome, arrived, admitted, .. } = self.requests[request];
        if let (None, Some(_)) = (outcome, admitted) {
            self.schedule.on_abandoned(&flow(caller), self.now.saturating_sub(arrived), self.now);
            self.end(request, Outcome::Left);
        }
    }

    fn end(&mut self, request: usize, outcome: Outcome) {
        let ended = &mut self.requests[request];
        ended.outcome = Some(outcome);
        let flow = flow(ended.caller);
        if let Some(id) = ended.waiting.take() {
            self.schedule.dequeue(&flow, id);
        }
        if let Some(id) = ended.admitted {
            self.schedule.finish(&flow, id);
        }
    }

    fn claim(&self, request: usize) -> Claim {
        let Request { caller, arrived, done, .. } = self.requests[request];
        let calls = if done == 0 { self.expected[caller] } else { self.simulation.callers[caller].calls - done };
        Claim {
            flow: flow(caller),
            weight: 1.0,
            since: arrived,
            deadline: arrived + REQUEST_TIMEOUT,
            max_wait: MAX_WAIT,
            calls,
            latency: self.latency.high().unwrap_or_default(),
        }
    }
}

fn flow(caller: usize) -> FlowId {
    FlowId::Caller(Arc::from(format!("caller-{caller}")))
}
