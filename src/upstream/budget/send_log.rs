//! Log of sent calls, which keeps a rate limit exactly.
//!
//! A window of `requests` per `per` allows a call once the call `requests`
//! before it is at least `per` old at the vendor. The vendor counts arrivals,
//! and the gateway knows send times. A margin covers the difference: a fixed
//! part, or the delay of the earlier call beyond the fastest recent round trip,
//! with half of the fixed part because the fastest possible one may be faster.
//! Until calls have used open connections, the delay is the whole round trip.
//! A call that was slow on its way to the vendor therefore holds its slot longer.

use std::{collections::VecDeque, time::Duration};

use super::Window;

/// Number of round trips among which the fastest one counts.
const ROUND_TRIPS: usize = 64;
/// Round trip of a first call that may consist of the way to the vendor. First
/// calls open connections, so none of them shows the fastest round trip.
const MAX_FIRST_DELAY: Duration = Duration::from_millis(250);

/// Sent calls of a budget, oldest first. The log reads no clock.
#[derive(Debug)]
pub(super) struct SendLog {
    windows: Vec<Window>,
    margin: Duration,
    sends: VecDeque<Send>,
    next_id: u64,
    /// True if calls before the oldest entry were forgotten.
    is_truncated: bool,
    /// Instant until which forgotten calls may count for the windows.
    uncertain_until: Duration,
    round_trips: VecDeque<Duration>,
    fastest: Option<Duration>,
    /// Number of responses.
    responses: u64,
}

/// Identity of a sent call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SendId(u64);

#[derive(Debug, Clone, Copy)]
struct Send {
    id: SendId,
    at: Duration,
    /// Time until the response ended. `None` while the call is in flight.
    round_trip: Option<Duration>,
}

impl SendLog {
    /// Returns a log without calls. Calls are `margin` farther apart than the
    /// windows require.
    pub(super) fn new(windows: Vec<Window>, margin: Duration) -> Self {
        Self {
            windows,
            margin,
            sends: VecDeque::new(),
            next_id: 0,
            is_truncated: false,
            uncertain_until: Duration::ZERO,
            round_trips: VecDeque::new(),
            fastest: None,
            responses: 0,
        }
    }

    /// Replaces the windows. The sent calls count for the new windows.
    pub(super) fn set_windows(&mut self, windows: Vec<Window>, now: Duration) {
        if windows == self.windows {
            return;
        }
        let before = self.longest_period();
        self.windows = windows;
        let longest = self.longest_period();
        if self.is_truncated && longest > before {
            self.uncertain_until = now.saturating_add(longest);
        }
    }

    /// Returns the windows.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Returns the earliest send time of a call with `ahead` calls before it.
    pub(super) fn slot(&self, ahead: u64, now: Duration) -> Duration {
        self.windows.iter().map(|window| self.slot_in(*window, ahead, now)).fold(now, Duration::max)
    }

    /// Returns the send time of the last call.
    pub(super) fn last(&self) -> Option<Duration> {
        self.sends.back().map(|send| send.at)
    }

    /// Records a call that is sent now.
    pub(super) fn send(&mut self, now: Duration) -> SendId {
        let id = SendId(self.next_id);
        self.next_id += 1;
        self.sends.push_back(Send { id, at: now, round_trip: None });
        self.truncate(now);
        id
    }

    /// Corrects the send time of a call whose task started late. Later calls count
    /// as sent no earlier.
    pub(super) fn start(&mut self, id: SendId, now: Duration) {
        let Some(index) = self.find(id) else { return };
        for send in self.sends.range_mut(index..) {
            send.at = send.at.max(now);
        }
    }

    /// Records the end of a call. Only a response shows how fast the way to the
    /// vendor and back can be.
    pub(super) fn end(&mut self, id: SendId, has_response: bool, now: Duration) {
        let Some(send) = self.find(id).and_then(|index| self.sends.get_mut(index)) else { return };
        let round_trip = now.saturating_sub(send.at);
        send.round_trip = Some(round_trip);
        if !has_response {
            return;
        }
        self.responses += 1;
        self.round_trips.push_back(round_trip);
        if self.round_trips.len() > ROUND_TRIPS {
            self.round_trips.pop_front();
        }
        self.fastest = self.round_trips.iter().min().copied();
    }

    /// Removes a call that was not sent after all.
    pub(super) fn cancel(&mut self, id: SendId) {
        if let Some(index) = self.find(id) {
            self.sends.remove(index);
        }
    }

    /// Returns the number of calls that may be sent now.
    pub(super) fn remaining(&self, now: Duration) -> u32 {
        let remaining = |window: &Window| {
            let recent = self.sends.iter().rev().take(window.requests.get() as usize);
            let held = recent.filter(|send| self.release(send, *window, now) > now).count();
            window.requests.get().saturating_sub(u32::try_from(held).unwrap_or(u32::MAX))
        };
        self.windows.iter().map(remaining).min().unwrap_or(0)
    }

    fn slot_in(&self, window: Window, ahead: u64, now: Duration) -> Duration {
        let requests = u64::from(window.requests.get());
        let logged = self.sends.len() as u64;
        // A call that is not sent yet is one period earlier than the call
        // `requests` after it.
        let (periods, ahead) = (ahead / requests, ahead % requests);
        let wait = self.period(window).saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        let first = match (logged + ahead).checked_sub(requests) {
            Some(index) => self.sends.get(usize::try_from(index).unwrap_or(usize::MAX)),
            // The forgotten call was sent no later than the oldest known call.
            None if now < self.uncertain_until => self.sends.front(),
            None => None,
        };
        let first = first.map_or(now, |send| self.release(send, window, now).max(now));
        first.saturating_add(wait)
    }

    /// Returns the time at which the slot of a call is free again.
    fn release(&self, send: &Send, window: Window, now: Duration) -> Duration {
        let round_trip = send.round_trip.unwrap_or_else(|| now.saturating_sub(send.at));
        let is_first = self.responses <= window.requests.get().into() && round_trip <= MAX_FIRST_DELAY;
        let delay = match self.fastest {
            Some(fastest) if !is_first => round_trip.saturating_sub(fastest),
            Some(_) => round_trip,
            None => Duration::ZERO,
        };
        let margin = if self.margin.is_zero() { Duration::ZERO } else { self.margin.max(delay + self.margin / 2) };
        send.at.saturating_add(window.per).saturating_add(margin)
    }

    fn period(&self, window: Window) -> Duration {
        window.per.saturating_add(self.margin)
    }

    fn find(&self, id: SendId) -> Option<usize> {
        self.sends.binary_search_by_key(&id, |send| send.id).ok()
    }

    fn longest_period(&self) -> Duration {
        self.windows.iter().map(|window| self.period(*window)).max().unwrap_or_default()
    }

    /// Forgets the calls whose slots are free again in all windows. Younger calls
    /// may count for a later, larger limit.
    fn truncate(&mut self, now: Duration) {
        while let Some(oldest) = self.sends.front()
            && self.windows.iter().all(|window| self.release(oldest, *window, now) <= now)
        {
            self.sends.pop_front();
            self.is_truncated = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const MARGIN: Duration = Duration::from_millis(30);

    fn window(requests: u32, millis: u64) -> Window {
        Window { requests: NonZeroU32::new(requests).unwrap(), per: Duration::from_millis(millis) }
    }

    /// Largest number of instants in any period of a window.
    fn worst(instants: &[Duration], window: Window) -> usize {
        let count = |(index, first): (usize, &Duration)| {
            instants[index..].iter().take_while(|instant| **instant < *first + window.per).count()
        };
        instants.iter().enumerate().map(count).max().unwrap_or(0)
    }

    fn windows() -> impl Strategy<Value = Vec<Window>> {
        prop::collection::vec((1..30_u32, 100..3_000_u64), 1..3)
            .prop_map(|windows| windows.into_iter().map(|(requests, millis)| window(requests, millis)).collect())
    }

    proptest! {
        /// A saturating load keeps every window, at the vendor too, and uses the
        /// limit. Calls arrive up to 60 ms after they are sent.
        #[test]
        fn windows_hold_at_the_vendor(
            windows in windows(),
            delays in prop::collection::vec(0..60_u64, 300),
        ) {
            let mut log = SendLog::new(windows.clone(), MARGIN);
            let mut now = Duration::from_secs(1);
            let (mut arrivals, mut open): (Vec<Duration>, Vec<(Duration, SendId)>) = (Vec::new(), Vec::new());
            // The first call shows the fastest round trip.
            for delay in std::iter::once(0).chain(delays) {
                now = now.max(log.slot(0, now));
                open.retain(|(answer, id)| {
                    if *answer <= now {
                        log.end(*id, true, *answer);
                    }
                    *answer > now
                });
                now = now.max(log.slot(0, now));
                let id = log.send(now);
                let arrival = now + Duration::from_millis(delay);
                arrivals.push(arrival);
                open.push((arrival + Duration::from_millis(20), id));
            }
            arrivals.sort_unstable();
            for window in &windows {
                prop_assert!(worst(&arrivals, *window) <= window.requests.get() as usize);
            }
        }

        /// Each predicted slot is the time at which the call is sent.
        #[test]
        fn predicted_slots_are_exact(window in (1..30_u32, 100..3_000_u64), calls in 1..200_u64) {
            let mut log = SendLog::new(vec![self::window(window.0, window.1)], MARGIN);
            let mut now = Duration::from_secs(1);
            let predicted: Vec<_> = (0..calls).map(|ahead| log.slot(ahead, now)).collect();
            for slot in predicted {
                now = log.slot(0, now);
                prop_assert_eq!(now, slot);
                let id = log.send(now);
                log.end(id, true, now);
            }
        }

        /// A changed limit counts the calls of the old limit.
        #[test]
        fn changed_windows_hold(limits in prop::collection::vec(1..40_u32, 2..8)) {
            let per = 1_000;
            let mut log = SendLog::new(vec![window(limits[0], per)], MARGIN);
            let mut now = Duration::from_secs(1);
            for pair in limits.windows(2) {
                let end = now + Duration::from_millis(1_500);
                log.set_windows(vec![window(pair[1], per)], now);
                let mut sent = Vec::new();
                while log.slot(0, now) < end {
                    now = log.slot(0, now);
                    let id = log.send(now);
                    log.end(id, true, now);
                    sent.push(now);
                }
                now = end;
                prop_assert!(worst(&sent, window(pair[1], per)) <= pair[1] as usize);
                let all: Vec<_> = log.sends.iter().map(|send| send.at).collect();
                let max = pair[0].max(pair[1]);
                prop_assert!(worst(&all, window(max, per)) <= max as usize);
            }
        }
    }

    #[test]
    fn saturated_limit_is_used() {
        let mut log = SendLog::new(vec![window(25, 1_000)], MARGIN);
        let mut now = Duration::ZERO;
        let mut calls = 0;
        while now < Duration::from_mins(1) {
            now = log.slot(0, now);
            let id = log.send(now);
            log.end(id, true, now + Duration::from_millis(20));
            calls += 1;
        }
        assert!(calls >= 60 * 25 * 97 / 100, "{calls}");
    }

    #[test]
    fn storm_of_changes_uses_the_smaller_limit() {
        let mut log = SendLog::new(vec![window(20, 1_000)], MARGIN);
        let mut now = Duration::from_secs(1);
        let mut sent = Vec::new();
        for change in 0..300 {
            let end = now + Duration::from_millis(100);
            log.set_windows(vec![window(if change % 2 == 0 { 25 } else { 20 }, 1_000)], now);
            while log.slot(0, now) < end {
                now = log.slot(0, now);
                let id = log.send(now);
                log.end(id, true, now);
                sent.push(now);
            }
            now = end;
        }
        assert!(worst(&sent, window(25, 1_000)) <= 25);
        assert!(sent.len() >= 30 * 20 * 97 / 100, "{}", sent.len());
    }

    #[test]
    fn unanswered_call_holds_its_slot() {
        let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
        let first = log.send(Duration::ZERO);
        log.end(first, true, Duration::from_millis(20));
        let second = log.send(Duration::from_secs(2));
        let now = Duration::from_secs(10);
        assert!(log.slot(0, now) > now);
        log.end(second, true, now);
        assert_eq!(log.slot(0, now), now + Duration::from_millis(995));
    }

    #[test]
    fn cancelled_call_frees_its_slot() {
        let mut log = SendLog::new(vec![window(1, 1_000)], MARGIN);
        let id = log.send(Duration::ZERO);
        assert_eq!(log.remaining(Duration::ZERO), 0);
        log.cancel(id);
        assert_eq!((log.remaining(Duration::ZERO), log.slot(0, Duration::ZERO)), (1, Duration::ZERO));
    }
}
