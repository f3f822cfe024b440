//! Slots of the limit that the replicas share.
//!
//! The server grants a slot at the instant of the call, after the other replicas
//! that wait. Calls are therefore chosen late, by the order of this process. The
//! server counts a call from its send time on. A call that is slow on its way to the
//! vendor counts later, and a call in flight for long holds its slot.
//!
//! While the server is lost, the process uses its part of the limit. All methods
//! read no clock and wait for nothing.

use std::{sync::Arc, time::Duration};

use crate::shared::{OnLoss, SharedLimit, Slot, SlotReply, SlotRequest, SlotWindow};

use super::{
    BudgetScope,
    divided_limit::{DividedLimit, rest},
    remote_calls::RemoteCalls,
    schedule::{Next, Schedule, pace},
    send_log::{SendId, SendLog},
    shared_calls::{Grant, LATENESS, SharedCalls},
};

/// Time between two calls beyond the period of a window. At 25 calls per second, the
/// calls use 0.976 of the limit.
const MARGIN: Duration = Duration::from_millis(25);
/// Lateness from which on the slot is given back.
const MAX_LATENESS: Duration = Duration::from_millis(10);
/// Largest lateness that a request announces.
const MAX_ANNOUNCED: Duration = Duration::from_millis(500);
/// Time before an expected slot at which the replica asks again. The server grants
/// a slot slightly before its time.
const LEAD: Duration = Duration::from_millis(4);
/// Pause after a request that failed.
const FAILURE_PAUSE: Duration = Duration::from_millis(10);
/// Consecutive failures after which the process uses its part of the limit, although
/// the connection works.
const MAX_FAILURES: u32 = 10;
/// Time after such failures before the shared limit is used again.
const REST_PERIOD: Duration = Duration::from_secs(30);
/// Time after a loss in which both limits apply. Other replicas may be lost still.
const RECOVERY_PERIOD: Duration = Duration::from_secs(2);
/// Time until a rejected call may be repeated, while all are rejected.
const REJECTED_FOR: Duration = Duration::from_secs(2);

/// Slots of a shared limit.
pub(super) struct SharedSlots {
    limit: Arc<dyn SharedLimit>,
    calls: SharedCalls,
    remote_calls: RemoteCalls,
    /// Lateness of recent calls beyond `LATENESS`.
    lateness: Duration,
    /// Time at which the replica asks again, and whether it asked for an export.
    ask_at: (Duration, bool),
    failures: u32,
    /// True if the replica is in the queue of the replicas.
    is_queued: bool,
    divided: Option<DividedLimit>,
    /// Calls that the server has last counted in each long period.
    used: Vec<(Duration, u32)>,
    /// Time before which the shared limit is not used again.
    rests_until: Duration,
}

impl SharedSlots {
    /// Returns slots that are not available until the first connection.
    pub(super) fn new(limit: Arc<dyn SharedLimit>, log: &SendLog, now: Duration) -> Self {
        let mut slots = Self {
            calls: SharedCalls::new(Arc::clone(&limit)),
            limit,
            remote_calls: RemoteCalls::default(),
            lateness: Duration::ZERO,
            ask_at: (Duration::ZERO, false),
            failures: 0,
            is_queued: false,
            divided: None,
            used: Vec::new(),
            rests_until: Duration::ZERO,
        };
        let noticed = slots.noticed(now);
        slots.divided = Some(DividedLimit::new(log, &[], slots.limit.peers().parts, noticed, now));
        slots
    }

    /// Returns the next call of a part of the limit, or whether a slot is required.
    pub(super) fn next<T>(&mut self, schedule: &mut Schedule<T>, now: Duration) -> Next<T> {
        if schedule.waiting() == 0 {
            return Next::Idle;
        }
        if self.divided.as_ref().is_some_and(|divided| divided.has_ended(now)) {
            self.divided = None;
        }
        self.forget(schedule, now);
        let block = schedule.block.until();
        if let Some(divided) = &mut self.divided {
            // Calls wait for the first connection.
            let is_lost = divided.is_alone() && schedule.remote.is_divided();
            if is_lost && self.limit.on_loss() == OnLoss::Reject {
                schedule.remote.divide(1, now.saturating_add(REJECTED_FOR));
                return schedule.reject(now);
            }
            let slot = divided.slot(now).max(block);
            if slot > now {
                return Next::Wait(slot);
            }
            if divided.is_alone() {
                let paused = schedule.pause(now).map(Next::Wait);
                let next = paused.unwrap_or_else(|| schedule.take(now, now));
                if let Next::Send(id, _) = &next {
                    self.record(*id, None, now);
                }
                return next;
            }
        }
        if let Some(until) = schedule.pause(now) {
            self.leave();
            return Next::Wait(until);
        }
        let (ask_at, was_export) = self.ask_at;
        if block > now {
            Next::Wait(block)
        } else if ask_at > now && (!was_export || schedule.is_export_next(now)) {
            Next::Wait(ask_at)
        } else {
            Next::Take
        }
    }

    /// Returns the limit and a request for the slot of the next call.
    pub(super) fn request<T>(&mut self, schedule: &Schedule<T>, now: Duration) -> (Arc<dyn SharedLimit>, SlotRequest) {
        let peers = self.limit.peers();
        let windows = schedule.log.windows().iter().map(|window| rest(*window, peers.parts, peers.missing));
        let windows: Vec<_> = windows.collect();
        let request = SlotRequest {
            entry: self.calls.next_entry(),
            margin: MARGIN,
            lateness: self.lateness,
            pace: pace(&windows),
            windows: windows.iter().map(|it| SlotWindow { requests: it.requests, per: it.per }).collect(),
            demand: u32::try_from(schedule.demand()).unwrap_or(u32::MAX),
            is_background: schedule.is_export_next(now),
            starts_exhausted: true,
        };
        (Arc::clone(&self.limit), request)
    }

    /// Applies the reply to a request that was sent at `asked`; `None` without a reply.
    pub(super) fn on_reply<T>(
        &mut self,
        schedule: &mut Schedule<T>,
        request: &SlotRequest,
        reply: Option<SlotReply>,
        asked: Duration,
        now: Duration,
    ) -> Option<Grant> {
        let Some(reply) = reply else {
            self.failures = self.failures.saturating_add(1);
            self.ask_at = (now.saturating_add(FAILURE_PAUSE), false);
            if self.failures >= MAX_FAILURES {
                self.rests_until = now.saturating_add(REST_PERIOD);
                self.lose(schedule, now);
            }
            return None;
        };
        self.failures = 0;
        let peers = self.limit.peers();
        let others = self.remote_calls.admit(reply.others, schedule.log.windows(), now);
        schedule.log.record_remote(others, now);
        schedule.remote.record(others, peers.parts, now);
        schedule.block.adopt(&reply.block, now);
        self.is_queued = matches!(reply.slot, Slot::Wait(_));
        match reply.slot {
            Slot::Wait(wait) => {
                // The way to the server takes longer for a late replica.
                let wait = wait.saturating_sub(LEAD + self.lateness).max(Duration::from_millis(1));
                self.ask_at = (now.saturating_add(wait), request.is_background);
                None
            }
            Slot::Granted { wait, at } => Some(Grant {
                at: now.saturating_add(wait),
                due: asked.saturating_add(wait),
                asked,
                announced: request.lateness,
                recorded: at,
            }),
        }
    }

    /// Returns the call that is sent in a granted slot. A slot that is too late, or
    /// that no call needs, is given back.
    pub(super) fn send<T>(&mut self, schedule: &mut Schedule<T>, grant: Grant, now: Duration) -> Next<T> {
        let lateness = now.saturating_sub(grant.due);
        let needed = lateness.saturating_sub(LATENESS).min(MAX_ANNOUNCED);
        self.lateness = needed.max(self.lateness.mul_f64(0.8));
        if lateness > grant.announced.saturating_add(MAX_LATENESS) {
            // The next request replaces the slot.
            return Next::Take;
        }
        let next = schedule.take(now, grant.asked);
        match &next {
            Next::Send(id, _) => self.record(*id, Some(grant), now),
            Next::Idle => self.calls.skip(),
            _ => {}
        }
        next
    }

    /// Uses the part of the limit from now on.
    pub(super) fn lose<T>(&mut self, schedule: &mut Schedule<T>, now: Duration) {
        let parts = self.limit.peers().parts;
        if !self.divided.as_ref().is_some_and(DividedLimit::is_alone) {
            self.divided = Some(DividedLimit::new(&schedule.log, &self.used, parts, self.noticed(now), now));
        }
        let opens = self.divided.as_ref().map_or(now, DividedLimit::opens);
        schedule.remote.divide(parts, opens);
        self.is_queued = false;
    }

    /// Uses the shared limit again, which knows the calls of this replica.
    pub(super) fn recover<T>(&mut self, schedule: &mut Schedule<T>, now: Duration) {
        schedule.remote.unite();
        (self.failures, self.ask_at) = (0, (Duration::ZERO, false));
        let Some(divided) = &mut self.divided else { return };
        // After a short loss, no replica has used its part.
        if now < divided.opens().saturating_sub(self.limit.missed_after()) {
            self.divided = None;
        } else {
            divided.end_at(now.saturating_add(RECOVERY_PERIOD));
        }
    }

    /// Applies changed windows to the part of the limit.
    pub(super) fn set_windows(&mut self, log: &SendLog, now: Duration) {
        if let Some(divided) = &self.divided {
            let is_alone = divided.is_alone();
            let mut changed =
                DividedLimit::new(log, &self.used, self.limit.peers().parts, divided.opens().max(now), now);
            if !is_alone {
                changed.end_at(now.saturating_add(RECOVERY_PERIOD));
            }
            self.divided = Some(changed);
        }
    }

    /// Records the calls that the server has counted in each long period.
    pub(super) fn record_used(&mut self, used: Vec<(Duration, u32)>) {
        self.used = used;
    }

    /// Returns the send times of recent calls, each with its age.
    pub(super) fn recent(&self, now: Duration) -> Vec<(u64, Duration)> {
        self.calls.recent(now)
    }

    /// Returns true while the shared limit is not used.
    pub(super) fn is_divided(&self) -> bool {
        self.divided.as_ref().is_some_and(DividedLimit::is_alone)
    }

    /// Returns true if the shared limit may be used again.
    pub(super) fn may_recover(&self, now: Duration) -> bool {
        self.rests_until <= now
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.limit.timeout()
    }

    pub(super) fn remaining(&self, log: &SendLog, now: Duration) -> u32 {
        let divided = self.divided.as_ref().filter(|divided| !divided.has_ended(now));
        let part = divided.map_or(u32::MAX, |divided| divided.remaining(now));
        log.remaining(now).min(part)
    }

    pub(super) fn scope(&self) -> BudgetScope {
        match &self.divided {
            Some(divided) if divided.is_alone() => BudgetScope::Part,
            _ => BudgetScope::Replicas,
        }
    }

    pub(super) fn start(&mut self, id: SendId, now: Duration) {
        let divided = self.calls.start(id, now);
        if let (Some(part), Some(id)) = (&mut self.divided, divided) {
            part.log.start(id, now);
        }
    }

    pub(super) fn end(&mut self, id: SendId, delay: Duration, has_response: bool, now: Duration) {
        let divided = self.calls.end(id, delay);
        if let (Some(part), Some(id)) = (&mut self.divided, divided) {
            part.log.end(id, has_response, now);
        }
    }

    pub(super) fn cancel(&mut self, id: SendId) {
        let divided = self.calls.cancel(id);
        if let (Some(part), Some(id)) = (&mut self.divided, divided) {
            part.log.cancel(id);
        }
    }

    /// Lets a call in flight hold its slot. Returns the time after which the hold is
    /// renewed, or `None` if the call has ended.
    pub(super) fn hold(&mut self, id: SendId, now: Duration) -> Option<Duration> {
        self.calls.hold(id, now)
    }

    pub(super) fn leave(&mut self) {
        if std::mem::take(&mut self.is_queued) {
            self.limit.leave();
        }
        self.ask_at = (Duration::ZERO, false);
    }

    /// Records a call that is sent now.
    fn record(&mut self, id: SendId, grant: Option<Grant>, now: Duration) {
        let divided = self.divided.as_mut().map(|divided| divided.send(now));
        self.calls.record(id, grant, divided, now);
    }

    /// Forgets calls that are older than every window.
    fn forget<T>(&mut self, schedule: &Schedule<T>, now: Duration) {
        let longest = schedule.log.windows().iter().map(|window| window.per).max().unwrap_or_default();
        self.calls.forget(now.saturating_sub(longest.saturating_add(MARGIN)));
    }

    /// Returns the time at which all replicas know that this one is lost.
    fn noticed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.limit.peers().since_beat).saturating_add(self.limit.missed_after())
    }
}
