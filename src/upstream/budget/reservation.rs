//! Reservation of one request, refresh or export in a budget.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    domain::priority::Priority,
    upstream::{CallerShare, Latency, SendError},
};

use super::{
    Budget,
    flow::FlowId,
    schedule::{Claim, QueueId},
};

/// Calls that one request, refresh or export needs. Dropped, it needs no more
/// calls.
pub struct Reservation {
    budget: Budget,
    caller: CallerShare,
    priority: Priority,
    since: Duration,
    deadline: Duration,
    latency: Arc<Latency>,
    expected_calls: AtomicU32,
    admitted: Mutex<Option<QueueId>>,
    /// True if the request has ended before its last response.
    has_ended: AtomicBool,
}

impl Reservation {
    /// Creates a reservation of one call, before admission. The last call must be
    /// answered by `deadline`, on the gateway's clock.
    #[must_use]
    pub fn new(
        budget: Budget,
        caller: CallerShare,
        priority: Priority,
        deadline: Duration,
        latency: Arc<Latency>,
    ) -> Self {
        let since = budget.0.clock.elapsed();
        let expected_calls = AtomicU32::new(1);
        Self {
            budget,
            caller,
            priority,
            since,
            deadline,
            latency,
            expected_calls,
            admitted: Mutex::default(),
            has_ended: AtomicBool::new(false),
        }
    }

    /// Sets the number of calls that the request still needs.
    pub fn expect_calls(&self, calls: u32) {
        self.expected_calls.store(calls.max(1), Relaxed);
        if let Some(id) = self.id() {
            self.budget.0.queue.update(|schedule| schedule.reserve(&self.flow(), id, calls));
        }
    }

    /// Returns the time that a call would wait for a slot now.
    #[must_use]
    pub fn expected_wait(&self) -> Duration {
        let (claim, now) = (self.claim(), self.budget.0.clock.elapsed());
        self.budget.0.queue.read(|schedule| schedule.expected_wait(&claim, now))
    }

    /// Returns the priority of the calls.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// Fails if the request would not be admitted now.
    pub(in crate::upstream) fn check(&self) -> Result<(), SendError> {
        if self.id().is_some() { Ok(()) } else { self.budget.check(&self.claim()) }
    }

    /// Charges a call to the caller's share. A refresh does not wait for the share.
    pub async fn charge(&self) -> Result<(), SendError> {
        match self.priority {
            Priority::Caller | Priority::Export => self.budget.charge(&self.caller).await,
            Priority::Refresh => self.budget.charge_now(&self.caller).await,
        }
    }

    /// Admits the request, unless it is admitted. Each call of an export is
    /// checked on its own, because an export yields to all others.
    pub(in crate::upstream) fn admit(&self) -> Result<(), SendError> {
        if self.priority == Priority::Export {
            return self.check();
        }
        let mut admitted = self.admitted.lock();
        if admitted.is_none() {
            let (claim, now) = (self.claim(), self.budget.0.clock.elapsed());
            let result = self.budget.0.queue.update(|schedule| schedule.admit(&claim, now));
            let result = result.map_err(|retry_after| SendError::BudgetSpent { retry_after });
            *admitted = Some(result.map_err(|error| self.budget.with_reason(error))?);
        }
        Ok(())
    }

    /// Returns the caller whose share is charged.
    #[must_use]
    pub fn caller(&self) -> &CallerShare {
        &self.caller
    }

    /// Returns the instant by which the last call must be answered.
    pub(in crate::upstream) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) fn id(&self) -> Option<QueueId> {
        *self.admitted.lock()
    }

    pub(super) fn flow(&self) -> FlowId {
        match self.priority {
            Priority::Caller => FlowId::Caller(Arc::clone(&self.caller.name)),
            Priority::Refresh => FlowId::Refresh,
            Priority::Export => FlowId::Export,
        }
    }

    pub(super) fn claim(&self) -> Claim {
        Claim {
            flow: self.flow(),
            weight: self.caller.weight(),
            since: self.since,
            deadline: self.deadline,
            max_wait: self.budget.max_wait(),
            calls: self.expected_calls.load(Relaxed),
            latency: self.latency.high().unwrap_or_default(),
        }
    }

    /// Ends the request, because its client has left. A call in flight may keep
    /// the reservation.
    pub(super) fn abandon(&self) {
        if !self.has_ended.swap(true, Relaxed) {
            self.end(true);
        }
    }

    /// Ends the request before its last response, because it needs no more calls. Its
    /// client has not left.
    pub fn withdraw(&self) {
        if !self.has_ended.swap(true, Relaxed) {
            self.end(false);
        }
    }

    fn end(&self, is_abandoned: bool) {
        let Some(id) = *self.admitted.lock() else { return };
        let (flow, now) = (self.flow(), self.budget.0.clock.elapsed());
        let waited = now.saturating_sub(self.since);
        self.budget.0.queue.update(|schedule| {
            schedule.finish(&flow, id);
            // Only callers have clients.
            match (self.priority, is_abandoned) {
                // The gateway itself ends a request at its deadline.
                (Priority::Caller, true) if now >= self.deadline => {}
                (Priority::Caller, true) => schedule.on_abandoned(&flow, waited, now),
                (Priority::Caller, false) => schedule.on_answered(&flow, waited),
                (Priority::Refresh | Priority::Export, _) => {}
            }
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.has_ended.load(Relaxed) {
            self.end(false);
        }
    }
}

impl std::fmt::Debug for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation")
            .field("caller", &self.caller)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}
