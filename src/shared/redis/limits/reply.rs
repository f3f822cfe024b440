//! Replies of the scripts.

use std::time::Duration;

use ::redis::ScriptInvocation;
use tokio::time::Instant;

use crate::shared::{ServerTime, SharedBlock, Slot, SlotReply};

/// Longest duration of a reply, which absurd values are reduced to.
const MAX_DURATION: Duration = Duration::from_hours(24 * 365);
/// Largest number of calls of other replicas that one reply counts.
const MAX_OTHERS: u64 = 1_000_000;

/// Difference between two clocks that is not a jump.
const SLACK: Duration = Duration::from_millis(10);
/// Reciprocal of the largest drift between two clocks.
const MAX_DRIFT: u32 = 2_000;

/// State of the limit at the last reply.
#[derive(Debug, Default)]
pub(super) struct LastReply {
    /// First use of the limit, in microseconds of the server's clock.
    since: u64,
    /// Number of calls that the replicas have reserved since the first use.
    total: u64,
    /// Server time of the reply, in microseconds.
    now: u64,
    /// Time at which the request of the reply was sent.
    sent: Option<Instant>,
    /// True if the server's clock has jumped forward since the reply before.
    has_jumped: bool,
}

impl LastReply {
    /// Appends the state, by which the server detects that it has lost a later state.
    pub(super) fn append_to(&self, script: &mut ScriptInvocation<'_>) {
        script.arg(self.since).arg(self.total).arg(u8::from(self.has_jumped));
    }

    /// Reads the reply of `restore.lua`. Returns true if the server has lost earlier
    /// calls.
    pub(super) fn is_reset(&mut self, since: i64) -> bool {
        let since = count(since);
        let is_reset = self.since != 0 && self.since != since;
        if is_reset {
            (self.since, self.total) = (since, 0);
        }
        is_reset
    }

    /// Reads a reply of `take.lua`. `None` if the reply is unreadable.
    pub(super) fn read(&mut self, reply: &[i64], sent: Instant) -> Option<SlotReply> {
        let &[granted, wait, at, total, since, now, ..] = reply else { return None };
        let block = block_of(reply.get(6..)?)?;
        let (total, since, now) = (count(total), count(since), count(now));
        let is_granted = granted == 1;
        // After a jump, calls look older than they are. The next request replaces the slot
        // and reports the jump.
        let has_jumped = self.sent.is_some_and(|last| has_jumped(self.now, now, last.elapsed()));
        let slot = if has_jumped {
            Slot::Wait(Duration::ZERO)
        } else if is_granted {
            Slot::Granted { wait: duration(wait), at: ServerTime(count(at)) }
        } else {
            Slot::Wait(duration(wait))
        };
        let is_first = self.sent.is_none();
        let is_reset = !is_first && since != self.since;
        let others = if is_first || is_reset {
            0
        } else {
            total.saturating_sub(self.total).saturating_sub(is_granted.into()).min(MAX_OTHERS)
        };
        *self = Self { since, total, now, sent: Some(sent), has_jumped };
        Some(SlotReply { slot, others: u32::try_from(others).unwrap_or(u32::MAX), is_reset, block })
    }
}

/// Returns true if more time has passed on the server's clock than on this process's.
/// The reply is read after the script has run, so a slow server is no jump.
fn has_jumped(before: u64, now: u64, elapsed: Duration) -> bool {
    let drift = elapsed / MAX_DRIFT;
    now.saturating_sub(before) > super::micros(elapsed.saturating_add(SLACK).saturating_add(drift))
}

/// Reads the fields of a block: remaining time, reason, consecutive rate limits.
pub(super) fn block_of(fields: &[i64]) -> Option<SharedBlock> {
    let &[remaining, reason, rate_limits] = fields else { return None };
    let rate_limits = u32::try_from(rate_limits).unwrap_or(u32::MAX);
    Some(SharedBlock { remaining: duration(remaining), is_pause: reason == 2, rate_limits })
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(count(micros)).min(MAX_DURATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: [i64; 9] = [1, 2_000, 5_000_000, 7, 1, 4_998_000, 0, 0, 0];

    #[test]
    fn short_reply_is_unreadable() {
        let mut seen = LastReply::default();
        for length in 0..REPLY.len() {
            assert_eq!(seen.read(&REPLY[..length], Instant::now()), None);
        }
        assert!(seen.read(&REPLY, Instant::now()).is_some());
    }

    #[test]
    fn absurd_values_are_clamped() {
        let reply = LastReply::default().read(&[0, i64::MAX, -1, -1, -1, -1, i64::MAX, 9, i64::MAX], Instant::now());
        let block = SharedBlock { remaining: MAX_DURATION, is_pause: false, rate_limits: u32::MAX };
        let expected = SlotReply { slot: Slot::Wait(MAX_DURATION), others: 0, is_reset: false, block };
        assert_eq!(reply, Some(expected));
    }

    #[test]
    fn clock_that_jumped_forward_is_detected() {
        let mut last = LastReply::default();
        let mut reply = REPLY;
        last.read(&reply, Instant::now());
        reply[5] += 5_000;
        assert!(matches!(last.read(&reply, Instant::now()).unwrap().slot, Slot::Granted { .. }));
        reply[5] += 50_000;
        assert_eq!(last.read(&reply, Instant::now()).unwrap().slot, Slot::Wait(Duration::ZERO));
        assert!(last.has_jumped);
        reply[5] += 1_000;
        assert!(matches!(last.read(&reply, Instant::now()).unwrap().slot, Slot::Granted { .. }));
        assert!(!has_jumped(1, 5 * 3_600_000_000, Duration::from_hours(5)));
    }

    #[test]
    fn calls_of_others_are_counted() {
        let mut seen = LastReply::default();
        let mut reply = REPLY;
        seen.read(&reply, Instant::now());
        reply[3] += 4;
        assert_eq!(seen.read(&reply, Instant::now()).map(|reply| reply.others), Some(3));
        reply[4] += 1;
        assert_eq!(seen.read(&reply, Instant::now()).map(|reply| (reply.others, reply.is_reset)), Some((0, true)));
    }
}
