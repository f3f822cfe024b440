//! GCRA with a queue: calls pass at a rate, first come first served.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use parking_lot::Mutex;

use crate::clock::{SharedClock, Ticks};

/// A rate, and who waits for a place at it.
pub(super) struct Limiter {
    gcra: Gcra,
    /// Held by the call that is next: a fair lock, so that calls pass in the
    /// order in which they came.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    /// Until when nobody passes whatever the rate, by the clock.
    stopped_until: Mutex<Duration>,
    /// How many places were left after the last call, and when that was.
    left: Mutex<(u32, Duration)>,
    burst: u32,
    interval: Duration,
    clock: SharedClock,
}

type Gcra = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

impl Limiter {
    /// Lets `burst` calls pass at once, and then one each `interval`.
    pub(super) fn new(burst: NonZeroU32, interval: Duration, clock: SharedClock) -> Self {
        let interval = interval.max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        Self {
            gcra: RateLimiter::direct_with_clock(quota, Ticks::of(&clock)).with_middleware(),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
            stopped_until: Mutex::new(Duration::ZERO),
            left: Mutex::new((burst.get(), Duration::ZERO)),
            burst: burst.get(),
            interval,
            clock,
        }
    }

    /// The same, with nothing to give at once.
    pub(super) fn spent(burst: NonZeroU32, interval: Duration, clock: SharedClock) -> Self {
        let limiter = Self::new(burst, interval, clock);
        let _taken = limiter.gcra.check_n(burst);
        *limiter.left.lock() = (0, limiter.clock.elapsed());
        limiter
    }

    /// Waits for a place for so long at most, else says when there will be one.
    pub(super) async fn admit(&self, patience: Duration) -> Result<(), Duration> {
        let start = self.clock.elapsed();
        let place = QueueTicket::take(&self.waiting);
        let queue = self.next_place() + self.interval * place.ahead;
        if queue > patience {
            return Err(queue);
        }
        let _turn = self.turn.lock().await;
        loop {
            let Err(wait) = self.try_take() else { return Ok(()) };
            let waited = self.clock.elapsed().saturating_sub(start);
            if waited + wait > patience {
                return Err(wait);
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Lets nobody pass for so long.
    pub(super) fn stop(&self, wait: Duration) {
        let until = self.clock.elapsed() + wait;
        let mut stopped_until = self.stopped_until.lock();
        *stopped_until = until.max(*stopped_until);
    }

    /// For how long nobody passes yet, if nobody does.
    pub(super) fn stopped(&self) -> Option<Duration> {
        self.stopped_until.lock().checked_sub(self.clock.elapsed()).filter(|left| !left.is_zero())
    }

    /// How long until there is a place, if nobody waits for it.
    pub(super) fn next_place(&self) -> Duration {
        let (left, at) = *self.left.lock();
        let since = self.clock.elapsed().saturating_sub(at);
        let wait = if left > 0 { Duration::ZERO } else { self.interval.saturating_sub(since) };
        wait.max(self.stopped().unwrap_or_default())
    }

    /// How long one who came now would wait for a place.
    pub(super) fn queue(&self) -> Duration {
        self.next_place() + self.interval * self.waiting()
    }

    /// How many calls would pass at once. Asking takes nothing.
    pub(super) fn left(&self) -> u32 {
        let (left, at) = *self.left.lock();
        let since = self.clock.elapsed().saturating_sub(at);
        let regained = since.as_nanos() / self.interval.as_nanos();
        left.saturating_add(u32::try_from(regained).unwrap_or(u32::MAX)).min(self.burst)
    }

    /// How many calls wait for a place.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes a place now, or says when there will be one.
    fn try_take(&self) -> Result<(), Duration> {
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        let now = self.clock.elapsed();
        let taken = self.gcra.check().map_err(|not_until| not_until.wait_time_from(now.into()))?;
        *self.left.lock() = (taken.remaining_burst_capacity(), now);
        Ok(())
    }
}

/// A call's place among those that wait.
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
