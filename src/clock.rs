//! Time source that tests can control.
//!
//! Freshness, rate limits, breakers and `Retry-After` use this clock. I/O
//! deadlines use real time, because a socket hangs in real time.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

/// Source of time.
pub trait Clock: Send + Sync {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;
    /// Returns the time since a fixed instant. The value never decreases.
    fn elapsed(&self) -> Duration;
    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Clock shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// Returns a duration in seconds, rounded up.
#[must_use]
pub fn ceil_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// Time since the fixed instant when a [`SystemClock`] starts. A page from another
/// replica may be older than the process.
const HEAD_START: Duration = Duration::from_hours(10 * 365 * 24);

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
        HEAD_START + self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
