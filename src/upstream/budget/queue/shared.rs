//! Slots that the replicas share: requests to the server, and its loss.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{clock::SharedClock, shared::SharedLimit};

use super::{
    super::{Window, divided_limit::MAX_EXHAUSTED, schedule::Schedule, shared_slots::SharedSlots},
    Next, Queue, SendId, Shared, SlotSource, State,
};

/// Interval at which the state of the limit is checked without an event.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Pause while the first beat after a loss is awaited, and after a failure.
const RECOVERY_PAUSE: Duration = Duration::from_millis(20);
/// Longest time in flight after which a call holds its slot.
const MAX_UNHELD: Duration = Duration::from_secs(5);

impl Queue {
    /// Returns a queue whose slots the replicas share.
    pub(in crate::upstream::budget) fn shared(
        schedule: Schedule<oneshot::Sender<SendId>>,
        limit: Arc<dyn SharedLimit>,
        clock: SharedClock,
    ) -> Self {
        let slots = SharedSlots::new(Arc::clone(&limit), &schedule.log, clock.elapsed());
        let slots = SlotSource::Shared(Box::new(slots));
        let queue = Self::with_slots(schedule, slots, clock);
        let task = tokio::spawn(supervise(Arc::downgrade(&queue.0), limit));
        queue.0.supervisor.get_or_init(|| AbortOnDropHandle::new(task));
        queue
    }

    /// Changes the windows of the limit. The calls already sent count.
    pub(in crate::upstream::budget) fn set_windows(&self, windows: &[Window]) {
        let now = self.0.clock.elapsed();
        self.finish(|state| {
            if state.schedule.log.windows() != windows {
                state.schedule.log.set_windows(windows.to_vec());
                let State { schedule, slots, .. } = state;
                if let Some(slots) = slots.shared() {
                    slots.set_windows(&schedule.log, now);
                }
            }
        });
    }

    /// Records the start of a call. A call in flight for long holds its slot.
    pub(super) fn start(&self, id: SendId, now: Duration) {
        let mut state = self.0.state.lock();
        let State { schedule, slots, .. } = &mut *state;
        slots.start(schedule, id, now);
        if slots.shared().is_some() {
            let shortest = schedule.log.windows().iter().map(|window| window.per).min().unwrap_or_default();
            drop(state);
            tokio::spawn(self.clone().hold(id, (shortest / 2).min(MAX_UNHELD)));
        }
    }

    async fn hold(self, id: SendId, mut pause: Duration) {
        loop {
            self.0.clock.sleep(pause).await;
            let now = self.0.clock.elapsed();
            let next = self.0.state.lock().slots.shared().and_then(|slots| slots.hold(id, now));
            let Some(next) = next else { return };
            pause = next;
        }
    }

    /// Requests a slot from the server, and sends the next call in it.
    pub(super) async fn take_shared_slot(&self) {
        let asked = self.0.clock.elapsed();
        let request = {
            let mut state = self.0.state.lock();
            let State { schedule, slots, .. } = &mut *state;
            slots.shared().map(|slots| slots.request(schedule, asked))
        };
        let Some((limit, request)) = request else { return };
        let reply = limit.take(&request).await.ok();
        let now = self.0.clock.elapsed();
        if reply.is_some_and(|reply| reply.is_reset) {
            self.restore(&*limit).await;
        }
        let grant = {
            let mut state = self.0.state.lock();
            let State { schedule, slots, .. } = &mut *state;
            slots.shared().and_then(|slots| slots.on_reply(schedule, &request, reply, asked, now))
        };
        let Some(grant) = grant else { return };
        let wait = grant.at.saturating_sub(self.0.clock.elapsed());
        if !wait.is_zero() {
            self.0.clock.sleep(wait).await;
        }
        let mut state = self.0.state.lock();
        let now = self.0.clock.elapsed();
        loop {
            let State { schedule, slots, .. } = &mut *state;
            let Some(slots) = slots.shared() else { return };
            match slots.send(schedule, grant, now) {
                Next::Send(id, granted) => return state.grant(id, granted),
                Next::Reject(granted) => drop(granted),
                Next::Wait(_) | Next::Take | Next::Idle => return,
            }
        }
    }

    /// Enters the calls of long windows again. Returns false without a reply.
    async fn restore(&self, limit: &dyn SharedLimit) -> bool {
        let recent = {
            let mut state = self.0.state.lock();
            state.slots.shared().map(|slots| slots.recent(self.0.clock.elapsed())).unwrap_or_default()
        };
        limit.restore(&recent, &[]).await.is_ok()
    }

    /// Reads the use of long windows, which the parts of the limit leave after a loss.
    /// Enters the calls of this replica again if the server has lost them.
    async fn watch_long_windows(&self, limit: &dyn SharedLimit) {
        let windows = self.read(|schedule| schedule.log.windows().to_vec());
        let periods: Vec<_> = windows.iter().map(|window| window.per).filter(|per| *per > MAX_EXHAUSTED).collect();
        if periods.is_empty() {
            return;
        }
        let Ok(restored) = limit.restore(&[], &periods).await else { return };
        if restored.is_reset {
            self.restore(limit).await;
        } else if let Some(slots) = self.0.state.lock().slots.shared() {
            slots.record_used(periods.into_iter().zip(restored.used).collect());
        }
    }

    fn change_slots(&self, change: impl FnOnce(&mut SharedSlots, &mut Schedule<oneshot::Sender<SendId>>, Duration)) {
        let now = self.0.clock.elapsed();
        self.finish(|State { schedule, slots, .. }| {
            if let Some(slots) = slots.shared() {
                change(slots, schedule, now);
            }
        });
    }

    /// Returns true if this replica uses its part of the limit, and true if it may use
    /// the shared limit again.
    fn is_divided(&self) -> (bool, bool) {
        let now = self.0.clock.elapsed();
        let mut state = self.0.state.lock();
        state.slots.shared().map_or((false, false), |slots| (slots.is_divided(), slots.may_recover(now)))
    }
}

/// Switches between the shared limit and the part of this replica.
async fn supervise(queue: Weak<Shared>, limit: Arc<dyn SharedLimit>) {
    let mut connection = limit.connection();
    let mut is_first = true;
    loop {
        let is_up = *connection.borrow_and_update();
        // The peers are remembered from the time of the loss.
        limit.peers();
        let Some(queue) = queue.upgrade().map(Queue) else { return };
        let (is_divided, may_recover) = queue.is_divided();
        let mut pause = CHECK_INTERVAL;
        if is_up && is_divided && may_recover {
            if recover(&queue, &*limit, &connection).await {
                limit.record_scope(false);
            } else {
                pause = RECOVERY_PAUSE;
            }
        } else if is_divided || !is_up {
            // The first connection takes a moment.
            if !is_divided || !is_first {
                queue.change_slots(SharedSlots::lose);
                limit.record_scope(true);
            }
        } else {
            queue.watch_long_windows(&*limit).await;
        }
        is_first = false;
        drop(queue);
        if timeout(pause, connection.changed()).await.is_ok_and(|changed| changed.is_err()) {
            return;
        }
    }
}

/// Uses the shared limit again, after a beat has shown the replicas, and the server
/// knows the calls of this replica. Returns false if the connection is lost before.
async fn recover(queue: &Queue, limit: &dyn SharedLimit, connection: &watch::Receiver<bool>) -> bool {
    let start = queue.0.clock.elapsed();
    while limit.peers().since_beat >= queue.0.clock.elapsed().saturating_sub(start) {
        if !*connection.borrow() {
            return false;
        }
        sleep(RECOVERY_PAUSE).await;
    }
    if !queue.restore(limit).await || !*connection.borrow() {
        return false;
    }
    queue.watch_long_windows(limit).await;
    queue.change_slots(SharedSlots::recover);
    true
}
