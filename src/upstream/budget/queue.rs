//! Waiting calls of a budget: a [`Schedule`] with tasks that wait for it.

mod shared;
mod slot;

use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::select_all;
use parking_lot::Mutex;
use tokio::sync::{
    Notify,
    oneshot::{self, error::TryRecvError},
};

use tokio_util::task::AbortOnDropHandle;

use crate::{clock::SharedClock, upstream::SendError};

use super::{
    BudgetScope, Reservation, Waiters,
    flow::FlowId,
    schedule::{Next, QueueId, Schedule},
    send_log::SendId,
    slot_source::SlotSource,
};
pub(in crate::upstream) use slot::SendSlot;

/// Schedule shared by the tasks that wait for it.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Wakes the dispatcher, because a slot may be free earlier.
    changed: Notify,
    clock: SharedClock,
    /// Task that follows the connection of a shared limit.
    supervisor: OnceLock<AbortOnDropHandle<()>>,
}

struct State {
    schedule: Schedule<oneshot::Sender<SendId>>,
    slots: SlotSource,
    /// True while the dispatcher runs.
    is_dispatching: bool,
}

/// Waiting call. Dropped before its slot is free, the call leaves the queue.
struct Ticket {
    queue: Queue,
    reservation: Arc<Reservation>,
    id: QueueId,
    latest: Duration,
    granted: oneshot::Receiver<SendId>,
}

impl Queue {
    pub(super) fn new(schedule: Schedule<oneshot::Sender<SendId>>, clock: SharedClock) -> Self {
        Self::with_slots(schedule, SlotSource::Local, clock)
    }

    fn with_slots(schedule: Schedule<oneshot::Sender<SendId>>, slots: SlotSource, clock: SharedClock) -> Self {
        let state = Mutex::new(State { schedule, slots, is_dispatching: false });
        Self(Arc::new(Shared { state, changed: Notify::new(), clock, supervisor: OnceLock::new() }))
    }

    /// Reads the schedule.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Schedule<oneshot::Sender<SendId>>) -> T) -> T {
        read(&self.0.state.lock().schedule)
    }

    /// Changes the schedule, after which slots may be free.
    pub(super) fn update<T>(&self, update: impl FnOnce(&mut Schedule<oneshot::Sender<SendId>>) -> T) -> T {
        let updated = update(&mut self.0.state.lock().schedule);
        self.0.changed.notify_one();
        updated
    }

    /// Returns the number of calls that may be sent now.
    pub(super) fn remaining(&self, now: Duration) -> u32 {
        let state = self.0.state.lock();
        state.slots.remaining(&state.schedule, now)
    }

    /// Returns the calls that count for the limit.
    pub(super) fn scope(&self) -> BudgetScope {
        self.0.state.lock().slots.scope()
    }

    /// Waits for a slot on behalf of all waiters, one ticket for each flow. Fails
    /// if no request waits any more, or if no waiter gets a slot in time.
    pub(super) async fn acquire(&self, waiters: &Waiters) -> Result<SendSlot, SendError> {
        let mut tickets: Vec<Ticket> = Vec::new();
        let mut rejected: Vec<Arc<Reservation>> = Vec::new();
        loop {
            let mut changed = pin!(waiters.changed());
            changed.as_mut().enable();
            if waiters.is_empty() {
                return Err(SendError::Abandoned);
            }
            let waiting = waiters.first_of_each_flow(&rejected);
            tickets.retain(|ticket| waiting.iter().any(|waiter| ticket.is_of(waiter)));
            for reservation in waiting {
                if !tickets.iter().any(|ticket| ticket.is_of(&reservation)) {
                    tickets.push(self.enqueue(reservation));
                }
            }
            self.dispatch();
            if let Some(slot) = take_slot(&mut tickets, &mut rejected) {
                return Ok(slot);
            }
            let now = self.0.clock.elapsed();
            let late = tickets.extract_if(.., |ticket| ticket.latest <= now);
            rejected.extend(late.map(|ticket| Arc::clone(&ticket.reservation)));
            if !waiters.first_of_each_flow(&rejected).iter().all(|waiter| tickets.iter().any(|it| it.is_of(waiter))) {
                // Another request of the same caller may have more time.
                continue;
            }
            let Some(earliest) = tickets.iter().map(|ticket| ticket.latest).min() else {
                let waits = rejected.iter().map(|reservation| reservation.expected_wait());
                return Err(SendError::BudgetSpent { retry_after: waits.min().unwrap_or_default() });
            };
            let remaining = earliest.saturating_sub(now);
            let granted = select_all(tickets.iter_mut().map(|ticket| &mut ticket.granted));
            tokio::select! {
                biased;
                (granted, index, _) = granted => match granted {
                    Ok(id) => return Ok(tickets[index].slot(id)),
                    Err(_) => rejected.push(Arc::clone(&tickets.swap_remove(index).reservation)),
                },
                () = changed => {}
                () = self.0.clock.sleep(remaining) => {}
            }
        }
    }

    /// Adds a call. A free slot is granted at the instant of the call, so a call
    /// without time to wait does not miss the slot.
    fn enqueue(&self, reservation: Arc<Reservation>) -> Ticket {
        let (sender, granted) = oneshot::channel();
        let (claim, admitted) = (reservation.claim(), reservation.id());
        let mut state = self.0.state.lock();
        let now = self.0.clock.elapsed();
        let by_deadline = claim.deadline.saturating_sub(claim.latency).max(now);
        let latest = now.saturating_add(claim.max_wait).min(by_deadline).max(now + state.slots.round_trip());
        let id = state.schedule.enqueue(&claim, admitted, latest, sender, now);
        state.pump(now);
        drop(state);
        Ticket { queue: self.clone(), reservation, id, latest, granted }
    }

    /// Sends the calls whose slots are free, and waits for the next slot in a
    /// task if calls remain.
    fn dispatch(&self) {
        if self.pump().is_none() {
            return;
        }
        let mut state = self.0.state.lock();
        if state.is_dispatching {
            // A new call may be sent earlier than the calls that the task waits for.
            self.0.changed.notify_one();
        } else {
            state.is_dispatching = true;
            drop(state);
            tokio::spawn(self.clone().run());
        }
    }

    async fn run(self) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            match self.pump() {
                Some(Pause::For(wait)) => tokio::select! {
                    () = self.0.clock.sleep(wait) => {}
                    () = changed => {}
                },
                Some(Pause::Take) => self.take_shared_slot().await,
                None => {
                    let mut state = self.0.state.lock();
                    if state.schedule.waiting() == 0 {
                        state.slots.leave();
                        state.is_dispatching = false;
                        return;
                    }
                }
            }
        }
    }

    /// Changes the state of a call, after which slots may be free.
    fn finish(&self, finish: impl FnOnce(&mut State)) {
        finish(&mut self.0.state.lock());
        self.0.changed.notify_one();
    }

    /// Grants the slots that are free. Returns the pause until the next slot if calls
    /// remain.
    fn pump(&self) -> Option<Pause> {
        let mut state = self.0.state.lock();
        state.pump(self.0.clock.elapsed())
    }
}

/// Returns the slot of a ticket if one is free. Tickets that the schedule has
/// rejected move to `rejected`: their channels must not be polled again.
fn take_slot(tickets: &mut Vec<Ticket>, rejected: &mut Vec<Arc<Reservation>>) -> Option<SendSlot> {
    let mut index = 0;
    while let Some(ticket) = tickets.get_mut(index) {
        match ticket.granted.try_recv() {
            Ok(id) => return Some(ticket.slot(id)),
            Err(TryRecvError::Closed) => rejected.push(Arc::clone(&tickets.swap_remove(index).reservation)),
            Err(TryRecvError::Empty) => index += 1,
        }
    }
    None
}

impl State {
    /// Grants the slots that are free now. Returns the pause until the next slot if
    /// calls remain.
    fn pump(&mut self, now: Duration) -> Option<Pause> {
        loop {
            match self.slots.next(&mut self.schedule, now) {
                Next::Send(id, granted) => self.grant(id, granted),
                // Without its sender, the call is rejected.
                Next::Reject(granted) => drop(granted),
                Next::Wait(until) => return Some(Pause::For(until.saturating_sub(now))),
                Next::Take => return Some(Pause::Take),
                Next::Idle => return None,
            }
        }
    }

    fn grant(&mut self, id: SendId, granted: oneshot::Sender<SendId>) {
        if granted.send(id).is_err() {
            self.cancel(id);
        }
    }

    fn cancel(&mut self, id: SendId) {
        self.slots.cancel(&mut self.schedule, id);
    }
}

/// Pause until the next slot.
enum Pause {
    /// The slot is free after this time.
    For(Duration),
    /// The slot requires the shared limit.
    Take,
}

impl Ticket {
    fn is_of(&self, reservation: &Arc<Reservation>) -> bool {
        Arc::ptr_eq(&self.reservation, reservation)
    }

    fn slot(&self, id: SendId) -> SendSlot {
        let sent = self.queue.0.clock.elapsed();
        self.queue.start(id, sent);
        SendSlot::new(self.queue.clone(), id, sent)
    }

    fn flow(&self) -> FlowId {
        self.reservation.flow()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let flow = self.flow();
        self.queue.update(|schedule| schedule.dequeue(&flow, self.id));
        // A slot that was granted to a call that is gone.
        self.granted.close();
        if let Ok(id) = self.granted.try_recv() {
            self.queue.finish(|state| state.cancel(id));
        }
    }
}

#[cfg(test)]
mod tests;
