//! Limiter of a caller's share, with a first-in, first-out queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    clock::SharedClock,
    shared::{SharedLimit, Slot, SlotRequest, SlotWindow},
};

use super::{Window, divided_limit::part, remote_calls::RemoteCalls, send_log::SendLog};

/// Limiter that admits waiting calls in arrival order.
pub(super) struct ShareLimiter {
    log: Mutex<SendLog>,
    /// Lock of the call at the head of the queue. The lock is fair, so calls
    /// are admitted in arrival order.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    clock: SharedClock,
    shared: Option<SharedShare>,
}

/// Share that the replicas count together.
struct SharedShare {
    limit: Arc<dyn SharedLimit>,
    /// Number of the next call.
    entry: AtomicU64,
    remote_calls: Mutex<RemoteCalls>,
}

impl ShareLimiter {
    /// Returns a limiter with all slots free.
    pub(super) fn new(windows: Vec<Window>, shared: Option<Arc<dyn SharedLimit>>, clock: SharedClock) -> Self {
        Self {
            log: Mutex::new(SendLog::new(windows, Duration::ZERO)),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            clock,
            shared: shared.map(|limit| SharedShare { limit, entry: AtomicU64::new(0), remote_calls: Mutex::default() }),
        }
    }

    /// Changes the windows. The calls already charged count for the new windows.
    pub(super) fn set_windows(&self, windows: Vec<Window>) {
        self.log.lock().set_windows(windows);
    }

    /// Waits for a slot for at most `max_wait`, or returns the time until one
    /// is free.
    pub(super) async fn admit(&self, max_wait: Duration) -> Result<(), Duration> {
        let start = self.clock.elapsed();
        let ticket = QueueTicket::take(&self.waiting);
        let queue = self.log.lock().slot(ticket.ahead.into(), start).saturating_sub(start);
        if queue > max_wait {
            return Err(queue);
        }
        let _turn = self.turn.lock().await;
        // A call that gives up leaves the queue of the replicas.
        let place = self.shared.as_ref().map(Place::new);
        loop {
            let Err(wait) = self.take().await else {
                place.into_iter().for_each(Place::end);
                return Ok(());
            };
            let waited = self.clock.elapsed().saturating_sub(start);
            if waited.saturating_add(wait) > max_wait {
                return Err(wait);
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Takes a slot without a wait, or returns the time until one is free.
    pub(super) async fn try_take(&self) -> Result<(), Duration> {
        let place = self.shared.as_ref().map(Place::new);
        self.take().await?;
        place.into_iter().for_each(Place::end);
        Ok(())
    }

    /// Returns the number of free slots.
    pub(super) fn remaining(&self) -> u32 {
        self.log.lock().remaining(self.clock.elapsed())
    }

    async fn take(&self) -> Result<(), Duration> {
        let Some(shared) = &self.shared else { return self.take_local(1) };
        let windows = self.log.lock().windows().to_vec();
        let request = shared.request(&windows);
        let Ok(reply) = shared.limit.take(&request).await else {
            // Without the server, each replica admits its part.
            return self.take_local(shared.limit.peers().parts);
        };
        let now = self.clock.elapsed();
        let others = shared.remote_calls.lock().admit(reply.others, &windows, now);
        let mut log = self.log.lock();
        log.record_remote(others, now);
        match reply.slot {
            Slot::Granted { .. } => {
                log.send(now);
                Ok(())
            }
            Slot::Wait(wait) => Err(wait.max(Duration::from_millis(1))),
        }
    }

    /// Takes a slot of one of `parts` parts.
    fn take_local(&self, parts: u32) -> Result<(), Duration> {
        let now = self.clock.elapsed();
        let mut log = self.log.lock();
        let slot = |window: &Window| log.slot_in(part(*window, parts), 0, now);
        let slot = log.windows().iter().map(slot).fold(now, Duration::max);
        match slot.saturating_sub(now) {
            Duration::ZERO => {
                log.send(now);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

impl SharedShare {
    /// Returns a request for one slot. The share is a rule of the gateway, not of the
    /// vendor: it needs no margin, and starts with all slots free.
    fn request(&self, windows: &[Window]) -> SlotRequest {
        SlotRequest {
            entry: self.entry.fetch_add(1, Relaxed),
            windows: windows.iter().map(|it| SlotWindow { requests: it.requests, per: it.per }).collect(),
            margin: Duration::ZERO,
            lateness: Duration::ZERO,
            pace: Duration::ZERO,
            demand: 1,
            is_background: false,
            starts_exhausted: false,
        }
    }
}

/// Place in the queue of the replicas, left when dropped.
struct Place<'s>(Option<&'s SharedShare>);

impl<'s> Place<'s> {
    fn new(share: &'s SharedShare) -> Self {
        Self(Some(share))
    }

    /// Ends the wait with a slot.
    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(share) = self.0 {
            share.limit.leave();
        }
    }
}

/// Position of a call in the queue.
struct QueueTicket<'l> {
    waiting: &'l AtomicU32,
    ahead: u32,
}

impl<'l> QueueTicket<'l> {
    fn take(waiting: &'l AtomicU32) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Relaxed) }
    }
}

impl Drop for QueueTicket<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Relaxed);
    }
}
