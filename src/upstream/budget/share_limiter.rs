//! Limiter of a caller's share, with a first-in, first-out queue.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

use crate::clock::SharedClock;

use super::{Window, send_log::SendLog};

/// Limiter that admits waiting calls in arrival order.
pub(super) struct ShareLimiter {
    log: Mutex<SendLog>,
    /// Lock of the call at the head of the queue. The lock is fair, so calls
    /// are admitted in arrival order.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    clock: SharedClock,
}

impl ShareLimiter {
    /// Returns a limiter with all slots free.
    pub(super) fn new(windows: Vec<Window>, clock: SharedClock) -> Self {
        Self {
            log: Mutex::new(SendLog::new(windows, Duration::ZERO)),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            clock,
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
        loop {
            let Err(wait) = self.try_take() else { return Ok(()) };
            let waited = self.clock.elapsed().saturating_sub(start);
            if waited.saturating_add(wait) > max_wait {
                return Err(wait);
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Takes a slot, or returns the time until one is free.
    pub(super) fn try_take(&self) -> Result<(), Duration> {
        let now = self.clock.elapsed();
        let mut log = self.log.lock();
        match log.slot(0, now).saturating_sub(now) {
            Duration::ZERO => {
                log.send(now);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Returns the number of free slots.
    pub(super) fn remaining(&self) -> u32 {
        self.log.lock().remaining(self.clock.elapsed())
    }
}

/// Position of a call in the queue.
struct QueueTicket<'l> {
    waiting: &'l AtomicU32,
    ahead: u32,
}

impl<'l> QueueTicket<'l> {
    fn take(waiting: &'l AtomicU32) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for QueueTicket<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
