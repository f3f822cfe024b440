//! Pace of walks: the part of the rate limit that they use.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::SharedClock;

/// Shortest wait. Timers are not more exact.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Pace of all walks of one connection.
pub(super) struct Pacer {
    interval: Duration,
    /// Time from which on the next call may be sent.
    next: Mutex<Duration>,
    clock: SharedClock,
}

impl Pacer {
    /// Creates a pace with this time between two calls.
    pub(super) fn new(interval: Duration, clock: SharedClock) -> Self {
        Self { interval, next: Mutex::new(Duration::ZERO), clock }
    }

    /// Waits for the turn of the next call.
    pub(super) async fn turn(&self) {
        let now = self.clock.elapsed();
        let turn = {
            let mut next = self.next.lock();
            let turn = now.max(*next);
            *next = turn + self.interval;
            turn
        };
        let wait = turn.saturating_sub(now);
        if wait >= MIN_WAIT {
            self.clock.sleep(wait).await;
        }
    }
}
