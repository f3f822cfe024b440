//! Block of a credential: the vendor rejects calls, or requests a pause.

use std::time::Duration;

use crate::shared::SharedBlock;

/// Shortest block after a rate limit: the first one without a named time.
const MIN_BLOCK: Duration = Duration::from_secs(1);
/// Number of times that consecutive rate limits double the block.
const MAX_DOUBLINGS: u32 = 5;

/// Block of a credential. The block reads no clock.
#[derive(Debug, Default)]
pub(super) struct VendorBlock {
    until: Duration,
    reason: Option<BlockReason>,
    /// End of the last block after a rate limit.
    rate_limited_until: Duration,
    /// Consecutive blocks after a rate limit.
    rate_limits: u32,
}

/// Reason of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockReason {
    /// The vendor's rate limit is exceeded.
    RateLimit,
    /// The vendor failed and requested a pause.
    Pause,
}

impl VendorBlock {
    /// Blocks the credential after a rate limit, for the longer of the requested
    /// time and a backoff with jitter.
    ///
    /// Only a call that was sent after the last block shows that the block was
    /// too short. Several calls may meet one rate limit, and count once.
    pub(super) fn on_rate_limited(&mut self, sent: Duration, requested: Option<Duration>, now: Duration) {
        let mut wait = requested.unwrap_or_default();
        if sent >= self.rate_limited_until {
            let backoff = MIN_BLOCK * 2_u32.pow(self.rate_limits.min(MAX_DOUBLINGS));
            // Jitter of up to 50% keeps replicas from resuming together.
            wait = wait.max(backoff.mul_f64(1.0 + fastrand::f64() / 2.0));
            self.rate_limits = self.rate_limits.saturating_add(1);
        }
        let until = now.saturating_add(wait);
        self.rate_limited_until = self.rate_limited_until.max(until);
        self.extend(until, BlockReason::RateLimit);
    }

    /// Blocks the credential after a failure for which the vendor requested a
    /// pause (RFC 9110, section 10.2.3).
    pub(super) fn pause(&mut self, requested: Duration, now: Duration) {
        self.extend(now.saturating_add(requested), BlockReason::Pause);
    }

    /// Resets the backoff after a response without a rate limit, unless the call
    /// was sent before the last block ended.
    pub(super) fn on_success(&mut self, sent: Duration) {
        if sent >= self.rate_limited_until {
            self.rate_limits = 0;
        }
    }

    /// Applies the block that the replicas share.
    pub(super) fn adopt(&mut self, shared: &SharedBlock, now: Duration) {
        self.rate_limits = shared.rate_limits;
        if shared.remaining.is_zero() {
            return;
        }
        let until = now.saturating_add(shared.remaining);
        let reason = if shared.is_pause { BlockReason::Pause } else { BlockReason::RateLimit };
        if reason == BlockReason::RateLimit {
            self.rate_limited_until = self.rate_limited_until.max(until);
        }
        self.extend(until, reason);
    }

    /// Returns true if a response without a rate limit resets the backoff.
    pub(super) fn has_backoff(&self) -> bool {
        self.rate_limits > 0
    }

    /// Returns the end of the block. A past instant means that there is none.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// Returns the remaining time of the block and its reason, if there is one.
    pub(super) fn state(&self, now: Duration) -> Option<(Duration, BlockReason)> {
        let remaining = self.until.saturating_sub(now);
        Some((remaining, self.reason?)).filter(|_| !remaining.is_zero())
    }

    fn extend(&mut self, until: Duration, reason: BlockReason) {
        if until > self.until {
            self.until = until;
            self.reason = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn block_for(block: &VendorBlock, now: Duration) -> Duration {
        block.state(now).map_or(Duration::ZERO, |(remaining, _)| remaining)
    }

    #[test]
    fn concurrent_rate_limits_count_once() {
        let mut block = VendorBlock::default();
        for _ in 0..10 {
            block.on_rate_limited(Duration::ZERO, None, SECOND);
        }
        assert!(block_for(&block, SECOND) <= SECOND.mul_f64(1.5));
    }

    #[test]
    fn named_time_is_at_least_the_backoff() {
        let mut block = VendorBlock::default();
        let mut now = SECOND;
        for backoff in [1, 2, 4, 8, 16, 32, 32] {
            block.on_rate_limited(now, Some(Duration::from_millis(1)), now);
            let wait = block_for(&block, now);
            assert!(SECOND * backoff <= wait && wait <= SECOND * backoff * 3 / 2, "{wait:?}");
            now += wait;
        }
        block.on_success(now);
        block.on_rate_limited(now, None, now);
        assert!(block_for(&block, now) <= SECOND * 3 / 2);
    }

    #[test]
    fn straggler_extends_to_its_named_time() {
        let mut block = VendorBlock::default();
        block.on_rate_limited(SECOND, None, SECOND);
        block.on_rate_limited(Duration::ZERO, Some(SECOND * 60), SECOND * 2);
        assert_eq!(block_for(&block, SECOND * 2), SECOND * 60);
        block.on_success(SECOND);
        block.on_rate_limited(SECOND * 62, None, SECOND * 62);
        assert!(block_for(&block, SECOND * 62) >= SECOND * 2);
    }

    #[test]
    fn shorter_pause_does_not_shorten_the_block() {
        let mut block = VendorBlock::default();
        block.on_rate_limited(Duration::ZERO, Some(SECOND * 60), Duration::ZERO);
        block.pause(SECOND, Duration::ZERO);
        assert_eq!(block.state(Duration::ZERO), Some((SECOND * 60, BlockReason::RateLimit)));
    }
}
