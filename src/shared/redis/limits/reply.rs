//! Replies of the scripts.

use std::time::Duration;

use ::redis::ScriptInvocation;
use tokio::time::Instant;

use crate::shared::{ServerTime, SharedBlock, Slot, SlotReply};

/// Longest duration of a reply, which absurd values are reduced to.
const MAX_DURATION: Duration = Duration::from_hours(24 * 365);
/// Largest number of calls of other replicas that one reply counts.
const MAX_OTHERS: u64 = 1_000_000;

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
}

impl LastReply {
    /// Appends the state, by which the server detects that it has lost a later state.
    pub(super) fn append_to(&self, script: &mut ScriptInvocation<'_>) {
        let elapsed = self.sent.map_or(Duration::ZERO, |sent| sent.elapsed());
        script.arg(self.since).arg(self.total).arg(self.now).arg(super::micros(elapsed));
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
        let slot = if is_granted {
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
        *self = Self { since, total, now, sent: Some(sent) };
        Some(SlotReply { slot, others: u32::try_from(others).unwrap_or(u32::MAX), is_reset, block })
    }
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
