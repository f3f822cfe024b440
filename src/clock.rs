//! Time source that tests can control.
//!
//! Freshness, rate limits, breakers and `Retry-After` use this clock. I/O
//! deadlines use real time, because a socket hangs in real time.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use governor::{clock::Clock as GovernorClock, nanos::Nanos};
use jiff::Timestamp;
use tokio::time::Instant;

/// Source of time.
pub trait Clock: Send + Sync {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;
    /// Returns the time since a fixed instant. The value never decreases.
    fn elapsed(&self) -> Duration;
    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Clock shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// Clock in the form that governor reads.
#[derive(Clone)]
pub struct Ticks(SharedClock);

impl Ticks {
    /// Wraps a clock.
    #[must_use]
    pub fn new(clock: &SharedClock) -> Self {
        Self(Arc::clone(clock))
    }
}

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// Returns a duration in seconds, rounded up.
#[must_use]
pub fn ceil_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// Clock of the machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Returns a clock that starts now.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self { start: Instant::now() })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "only this function reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
