//! Source of the slots of a budget: this process, or the replicas together.

use std::time::Duration;

use super::{
    schedule::{Next, Schedule},
    send_log::SendId,
    shared_slots::SharedSlots,
};

/// Source of the slots of a budget.
pub(super) enum SlotSource {
    /// The log of this process.
    Local,
    /// The limit that the replicas share.
    Shared(Box<SharedSlots>),
}

/// Calls that count for a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetScope {
    /// Calls of this process.
    Process,
    /// Calls of all replicas.
    Replicas,
    /// Calls of this process, within its part of the limit.
    Part,
}

impl SlotSource {
    /// Returns the next call if its slot is free.
    pub(super) fn next<T>(&mut self, schedule: &mut Schedule<T>, now: Duration) -> Next<T> {
        match self {
            Self::Local => schedule.next(now),
            Self::Shared(slots) => slots.next(schedule, now),
        }
    }

    /// Returns the shared slots, if any.
    pub(super) fn shared(&mut self) -> Option<&mut SharedSlots> {
        match self {
            Self::Local => None,
            Self::Shared(slots) => Some(slots),
        }
    }

    /// Returns the shortest time that a call waits for a slot which is free.
    pub(super) fn round_trip(&self) -> Duration {
        match self {
            Self::Local => Duration::ZERO,
            Self::Shared(slots) => slots.round_trip(),
        }
    }

    /// Returns the number of calls that may be sent now.
    pub(super) fn remaining<T>(&self, schedule: &Schedule<T>, now: Duration) -> u32 {
        match self {
            Self::Local => schedule.log.remaining(now),
            Self::Shared(slots) => slots.remaining(&schedule.log, now),
        }
    }

    /// Returns the calls that count.
    pub(super) fn scope(&self) -> BudgetScope {
        match self {
            Self::Local => BudgetScope::Process,
            Self::Shared(slots) => slots.scope(),
        }
    }

    /// Corrects the send time of a call whose task started late.
    pub(super) fn start<T>(&mut self, schedule: &mut Schedule<T>, id: SendId, now: Duration) {
        schedule.log.start(id, now);
        if let Self::Shared(slots) = self {
            slots.start(id, now);
        }
    }

    /// Ends a call.
    pub(super) fn end<T>(&mut self, schedule: &mut Schedule<T>, id: SendId, has_response: bool, now: Duration) {
        schedule.log.end(id, has_response, now);
        if let Self::Shared(slots) = self {
            slots.end(id, schedule.log.delay(id, now), has_response, now);
        }
    }

    /// Removes a call that was not sent after all.
    pub(super) fn cancel<T>(&mut self, schedule: &mut Schedule<T>, id: SendId) {
        schedule.log.cancel(id);
        if let Self::Shared(slots) = self {
            slots.cancel(id);
        }
    }

    /// Leaves the queue of the replicas, because no call waits.
    pub(super) fn leave(&mut self) {
        if let Self::Shared(slots) = self {
            slots.leave();
        }
    }
}
