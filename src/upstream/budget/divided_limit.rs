//! Part of a limit that a replica uses while the shared limit is unavailable.
//!
//! The part starts without free slots: the calls before the loss leave every window,
//! and the other replicas notice the loss and leave the part.

use std::time::Duration;

use super::{
    Window,
    send_log::{SendId, SendLog},
};

/// Longest period that counts as used up at first. Of a longer window, the calls that
/// remain are divided.
pub(super) const MAX_EXHAUSTED: Duration = Duration::from_mins(1);

/// Part of a limit. Reads no clock.
#[derive(Debug)]
pub(super) struct DividedLimit {
    pub(super) log: SendLog,
    opens: Duration,
    /// End of the use, if the shared limit is available again.
    ends: Option<Duration>,
}

impl DividedLimit {
    /// Returns a part of the limit of `log`. All replicas know of the loss at
    /// `noticed`. The server has last counted `used` calls in each long period.
    pub(super) fn new(log: &SendLog, used: &[(Duration, u32)], parts: u32, noticed: Duration, now: Duration) -> Self {
        let mut opens = noticed;
        let mut divide = |window: &Window| {
            if window.per <= MAX_EXHAUSTED {
                opens = opens.max(noticed.saturating_add(window.per).saturating_add(super::MARGIN));
                return part(*window, parts);
            }
            let known = log.remaining_in(*window, now);
            let used = used.iter().find(|(period, _)| *period == window.per).map_or(0, |(_, used)| *used);
            let rest = known.min(window.requests.get().saturating_sub(used));
            if known < parts {
                opens = opens.max(log.slot_in(*window, known.into(), now));
            } else if rest < parts {
                // Other replicas have made the calls, at times that are not known here.
                opens = opens.max(noticed.saturating_add(window.per).saturating_add(super::MARGIN));
            }
            part(Window { requests: window.requests.min(non_zero(rest)), ..*window }, parts)
        };
        let windows = log.windows().iter().map(&mut divide).collect();
        Self { log: log.successor(windows), opens, ends: None }
    }

    /// Returns the time of the next slot.
    pub(super) fn slot(&self, now: Duration) -> Duration {
        self.log.slot(0, now).max(self.opens)
    }

    /// Returns the time before which no call is sent.
    pub(super) fn opens(&self) -> Duration {
        self.opens
    }

    /// Returns the number of calls that may be sent now.
    pub(super) fn remaining(&self, now: Duration) -> u32 {
        if now < self.opens { 0 } else { self.log.remaining(now) }
    }

    /// Records a call that is sent now.
    pub(super) fn send(&mut self, now: Duration) -> SendId {
        self.log.send(now)
    }

    /// Ends the use at `end`. Until then, both limits apply. The shared limit counts
    /// the calls before the loss.
    pub(super) fn end_at(&mut self, end: Duration) {
        (self.ends, self.opens) = (Some(end), Duration::ZERO);
    }

    /// Returns true while the shared limit is unavailable.
    pub(super) fn is_alone(&self) -> bool {
        self.ends.is_none()
    }

    /// Returns true if only the shared limit applies.
    pub(super) fn has_ended(&self, now: Duration) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }
}

/// Returns the part of one replica. The parts together keep the limit, unless there
/// are more replicas than calls: then they keep its average.
pub(super) fn part(window: Window, parts: u32) -> Window {
    if window.requests.get() < parts {
        return window.scale(1.0 / f64::from(parts));
    }
    Window { requests: non_zero(window.requests.get() / parts.max(1)), ..window }
}

/// Returns the part of all replicas but the missing ones.
pub(super) fn rest(window: Window, parts: u32, missing: u32) -> Window {
    if missing == 0 {
        return window;
    }
    if window.requests.get() < parts {
        return window.scale(1.0 - f64::from(missing.min(parts - 1)) / f64::from(parts));
    }
    let theirs = (window.requests.get() / parts.max(1)).saturating_mul(missing);
    Window { requests: non_zero(window.requests.get().saturating_sub(theirs)), ..window }
}

fn non_zero(requests: u32) -> std::num::NonZeroU32 {
    std::num::NonZeroU32::new(requests).unwrap_or(std::num::NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn window(requests: u32, per: Duration) -> Window {
        Window { requests: NonZeroU32::new(requests).unwrap(), per }
    }

    proptest! {
        /// The parts of the missing replicas and the rest are the limit.
        #[test]
        fn parts_keep_the_limit(requests in 1..1_000_u32, parts in 1..20_u32, missing in 0..20_u32) {
            let missing = missing.min(parts - 1);
            let whole = window(requests, SECOND);
            let (part, rest) = (part(whole, parts), rest(whole, parts, missing));
            let rate = |window: Window| f64::from(window.requests.get()) / window.per.as_secs_f64();
            prop_assert!(rate(part) * f64::from(missing) + rate(rest) <= f64::from(requests) * 1.000_001);
            if requests >= parts {
                prop_assert!(part.requests.get() * missing + rest.requests.get() <= requests);
                prop_assert!(part.requests.get() * parts <= requests);
                prop_assert_eq!((part.per, rest.per), (SECOND, SECOND));
            }
        }
    }

    #[test]
    fn part_starts_without_free_slots() {
        let log = SendLog::new(vec![window(9, SECOND)], super::super::MARGIN);
        let part = DividedLimit::new(&log, &[], 3, SECOND * 5, SECOND * 4);
        assert_eq!(part.slot(SECOND * 4), SECOND * 6 + super::super::MARGIN);
        assert_eq!((part.remaining(SECOND * 6), part.remaining(SECOND * 7)), (0, 3));
    }

    #[test]
    fn rest_of_a_long_window_is_divided() {
        let day = Duration::from_hours(24);
        let mut log = SendLog::new(vec![window(20, day)], super::super::MARGIN);
        for _ in 0..8 {
            log.send(SECOND);
        }
        let part = |log: &SendLog, used| DividedLimit::new(log, &[(day, used)], 3, SECOND, SECOND * 2);
        let state = |part: DividedLimit| (part.slot(SECOND * 2), part.remaining(SECOND * 2));
        assert_eq!(state(part(&log, 0)), (SECOND * 2, 4));
        assert_eq!(state(part(&log, 14)), (SECOND * 2, 2));
        assert!(part(&log, 18).slot(SECOND * 2) > day);
        log.record_remote(11, SECOND);
        assert!(part(&log, 0).slot(SECOND * 2) > day);
    }
}
