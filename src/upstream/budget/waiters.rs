//! Requests that wait for one vendor call.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::{Notify, futures::Notified};

use crate::domain::priority::Priority;

use super::Reservation;

/// Requests that wait for one vendor call. Without waiters, the call is not sent.
#[derive(Debug, Default)]
pub struct Waiters {
    /// Waiting requests, in order of arrival.
    waiting: Mutex<Vec<Arc<Reservation>>>,
    changed: Notify,
}

/// Request that waits for a call. Dropped before [`answered`](Self::answered),
/// the client has left.
#[derive(Debug)]
#[must_use]
pub struct Waiter {
    waiters: Arc<Waiters>,
    reservation: Arc<Reservation>,
    is_answered: bool,
}

impl Waiters {
    /// Adds a request.
    pub fn join(self: &Arc<Self>, reservation: Arc<Reservation>) -> Waiter {
        self.waiting.lock().push(Arc::clone(&reservation));
        self.changed.notify_waiters();
        Waiter { waiters: Arc::clone(self), reservation, is_answered: false }
    }

    /// Returns whether no request waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }

    /// Waits for a request that joins or leaves.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Returns the first waiting request of each flow, without the rejected ones.
    pub(super) fn first_of_each_flow(&self, rejected: &[Arc<Reservation>]) -> Vec<Arc<Reservation>> {
        let mut first: Vec<Arc<Reservation>> = Vec::new();
        let waiting = self.waiting.lock();
        let is_rejected = |waiter: &Arc<Reservation>| rejected.iter().any(|other| Arc::ptr_eq(other, waiter));
        for reservation in waiting.iter().filter(|waiter| !is_rejected(waiter)) {
            if !first.iter().any(|other| other.flow() == reservation.flow()) {
                first.push(Arc::clone(reservation));
            }
        }
        first
    }

    /// Returns the latest deadline of the waiting requests.
    pub(in crate::upstream) fn deadline(&self) -> Option<Duration> {
        self.waiting.lock().iter().map(|reservation| reservation.deadline()).max()
    }

    /// Returns the shortest time that a call for one of the waiters would wait for
    /// a slot now.
    pub(in crate::upstream) fn expected_wait(&self) -> Option<Duration> {
        self.first_of_each_flow(&[]).iter().map(|reservation| reservation.expected_wait()).min()
    }

    /// Returns the highest priority of the waiting requests.
    pub(in crate::upstream) fn priority(&self) -> Option<Priority> {
        self.waiting.lock().iter().map(|reservation| reservation.priority()).min()
    }
}

impl Waiter {
    /// Ends the wait with a response.
    pub fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.waiters.waiting.lock();
        if let Some(index) = waiting.iter().position(|other| Arc::ptr_eq(other, &self.reservation)) {
            waiting.remove(index);
        }
        drop(waiting);
        self.waiters.changed.notify_waiters();
        if !self.is_answered {
            self.reservation.abandon();
        }
    }
}
