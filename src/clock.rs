//! Time, taken from one place that tests can move.
//!
//! Freshness, budgets, breakers and a vendor's "come back later" are measured
//! by it. Deadlines of I/O are not: a socket that hangs does so in real time.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use governor::{clock::Clock as GovernorClock, nanos::Nanos};
use jiff::Timestamp;
use tokio::time::Instant;

/// Where the gateway reads the time.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// The time since some fixed instant; it never goes back.
    fn elapsed(&self) -> Duration;
    /// Resolves when so much time has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A clock that is shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// A clock as governor reads it.
#[derive(Clone)]
pub struct Ticks(SharedClock);

impl Ticks {
    /// That of a clock.
    #[must_use]
    pub fn of(clock: &SharedClock) -> Self {
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

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self { start: Instant::now() })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
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
