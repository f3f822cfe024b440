//! Rate limiter with a first-in, first-out queue and a vendor block.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    clock::SharedClock,
    rate::{Gcra, Rate},
};

/// Limiter that admits waiting calls in arrival order.
pub(super) struct Limiter {
    gcra: Gcra,
    /// Lock of the call at the head of the queue. The lock is fair, so calls
    /// are admitted in arrival order.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    /// Instant until which no call is admitted, and the reason.
    blocked: Mutex<(Duration, Block)>,
    clock: SharedClock,
}

/// Reason of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// The vendor's rate limit is exceeded.
    RateLimit,
    /// The vendor failed and requested a pause.
    Pause,
}

impl Limiter {
    /// Returns a limiter with all slots free.
    pub(super) fn new(rate: Rate, clock: SharedClock) -> Self {
        Self {
            gcra: Gcra::new(rate),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            blocked: Mutex::new((Duration::ZERO, Block::RateLimit)),
            clock,
        }
    }

    /// Changes the rate and takes all slots, so a change never adds a burst.
    pub(super) fn set_rate(&self, rate: Rate) {
        self.gcra.set_rate(rate, self.clock.elapsed());
    }

    /// Waits for a slot for at most `max_wait`, or returns the time until one
    /// is free.
    pub(super) async fn admit(&self, max_wait: Duration) -> Result<(), Duration> {
        let start = self.clock.elapsed();
        let ticket = QueueTicket::take(&self.waiting);
        let queue = self.queue_behind(ticket.ahead);
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

    /// Blocks all calls for `wait`. A longer block stays in force.
    pub(super) fn block(&self, wait: Duration, reason: Block) {
        let until = self.clock.elapsed().saturating_add(wait);
        let mut blocked = self.blocked.lock();
        if until > blocked.0 {
            *blocked = (until, reason);
        }
    }

    /// Returns the remaining time of a block and its reason, if there is one.
    pub(super) fn block_state(&self) -> Option<(Duration, Block)> {
        let (until, reason) = *self.blocked.lock();
        let remaining = until.saturating_sub(self.clock.elapsed());
        (!remaining.is_zero()).then_some((remaining, reason))
    }

    /// Returns the remaining time of a block, if there is one.
    pub(super) fn blocked_for(&self) -> Option<Duration> {
        self.block_state().map(|(remaining, _)| remaining)
    }

    /// Returns the time until a slot is free, without the queue.
    pub(super) fn next_slot(&self) -> Duration {
        self.gcra.wait(self.clock.elapsed()).max(self.blocked_for().unwrap_or_default())
    }

    /// Returns the time that a new call would wait in the queue.
    pub(super) fn queue(&self) -> Duration {
        self.queue_behind(self.waiting())
    }

    /// Returns the number of free slots.
    pub(super) fn remaining(&self) -> u32 {
        self.gcra.remaining(self.clock.elapsed())
    }

    /// Returns the number of waiting calls.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    fn queue_behind(&self, ahead: u32) -> Duration {
        self.next_slot().saturating_add(self.gcra.rate().interval().saturating_mul(ahead))
    }

    fn try_take(&self) -> Result<(), Duration> {
        match self.blocked_for() {
            Some(blocked) => Err(blocked),
            None => self.gcra.check(self.clock.elapsed()),
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
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for QueueTicket<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
