//! Deadlines of requests.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// Fraction of a request's time that is reserved for the response.
const RESERVED_FRACTION: u32 = 20;
/// Longest time that is reserved for the response.
const MAX_RESERVED: Duration = Duration::from_millis(250);

/// Instant by which the vendor calls of a request must end.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// On the gateway's clock, which decides about admission.
    pub(super) elapsed: Duration,
    /// In real time, which ends the wait for a socket.
    instant: Option<Instant>,
}

impl Deadline {
    /// Returns the deadline of a request that starts now and must be answered
    /// within `timeout`.
    #[must_use]
    pub fn within(timeout: Duration, clock: &dyn Clock) -> Self {
        let available = timeout.saturating_sub((timeout / RESERVED_FRACTION).min(MAX_RESERVED));
        Self { elapsed: clock.elapsed().saturating_add(available), instant: Instant::now().checked_add(available) }
    }

    /// Returns a deadline that never comes.
    #[must_use]
    pub fn none() -> Self {
        Self { elapsed: Duration::MAX, instant: None }
    }

    /// Waits for the deadline.
    pub(super) async fn reached(self) {
        match self.instant {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
