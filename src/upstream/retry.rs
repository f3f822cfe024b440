//! Retries of failed attempts, with exponential backoff and a retry budget.

use std::time::Duration;

use tokio::time::Instant;
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::vendors::{VendorError, VendorResponse};

use super::{
    CallError, Reply,
    attempt::{Attempts, Call},
    breaker::Permit,
    budget::SendSlot,
};

/// Maximum number of retries after the first attempt.
const MAX_RETRIES: u32 = 2;
/// Delay before the first retry. Each further retry doubles the delay.
const MIN_DELAY: Duration = Duration::from_millis(50);
/// Longest delay, without jitter.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// Period over which the retry budget counts calls.
const BUDGET_PERIOD: Duration = Duration::from_secs(10);
/// Retries per second that the budget always allows.
const BUDGET_MIN_PER_SECOND: u32 = 1;
/// Fraction of calls that may be retried.
const BUDGET_FRACTION: f32 = 0.2;

/// Retry policy of one connection.
pub(super) struct Retries {
    budget: TpsBudget,
}

impl Retries {
    pub(super) fn new() -> Self {
        Self { budget: TpsBudget::new(BUDGET_PERIOD, BUDGET_MIN_PER_SECOND, BUDGET_FRACTION) }
    }

    /// Sends a call in its slot, and repeats failed attempts if a retry can help
    /// in time. Each retry waits for a slot of its own.
    pub(super) async fn send<T, R>(
        &self,
        attempts: &Attempts,
        call: &Call<'_, R>,
        slot: SendSlot,
        permit: &Permit<'_>,
    ) -> Result<Reply<T>, CallError>
    where
        R: Fn(&VendorResponse) -> Result<T, VendorError>,
    {
        self.budget.deposit();
        let (mut slot, mut timeout, mut retries) = (slot, attempts.timeout, 0);
        loop {
            let start = Instant::now();
            let error = match attempts.send(call, slot, timeout, retries).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if matches!(error, CallError::Vendor { .. }) {
                permit.on_response();
            }
            let Some(delay) = self.next_delay(attempts, call, &error, retries) else { return Err(error) };
            timeout = timeout.saturating_sub(start.elapsed()).saturating_sub(delay);
            if timeout.is_zero() {
                return Err(error);
            }
            attempts.metrics.record_retry();
            tokio::time::sleep(delay).await;
            // The vendor's response is more useful than the rejection.
            let Ok(next) = attempts.acquire(call).await else { return Err(error) };
            slot = next;
            retries += 1;
        }
    }

    /// Returns the delay before the next attempt, or `None` if no retry is made.
    /// The budget enforces the wait that the vendor requested.
    fn next_delay<R>(
        &self,
        attempts: &Attempts,
        call: &Call<'_, R>,
        error: &CallError,
        retries: u32,
    ) -> Option<Duration> {
        if retries == MAX_RETRIES || !error.is_retryable() {
            return None;
        }
        let delay = backoff(retries);
        let blocked = attempts.budget.blocked_for();
        let remaining = call.waiters.deadline()?.saturating_sub(attempts.clock.elapsed());
        let wait = blocked.max(call.waiters.expected_wait()?);
        let is_in_time = wait <= attempts.budget.max_wait() && delay.saturating_add(wait) < remaining;
        (is_in_time && self.budget.withdraw()).then_some(delay)
    }
}

/// Returns an exponential delay with jitter of up to 100%.
fn backoff(retries: u32) -> Duration {
    let delay = MIN_DELAY.saturating_mul(2_u32.saturating_pow(retries)).min(MAX_DELAY);
    delay.mul_f32(1.0 + fastrand::f32())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_second() {
        for (retries, millis) in [(0, 50), (1, 100), (2, 200), (4, 800), (5, 1_000), (u32::MAX, 1_000)] {
            let min = Duration::from_millis(millis);
            let delay = backoff(retries);
            assert!(min <= delay && delay <= min * 2, "{retries}: {delay:?}");
        }
    }
}
