//! Log of sent calls, which keeps a rate limit exactly.
//!
//! A window of `requests` per `per` allows a call once the call `requests`
//! before it is at least `per` old at the vendor. The vendor counts arrivals,
//! and the gateway knows send times. A margin covers the difference. The margin is
//! at least `margin`. For a slow call, the margin is its delay beyond the fastest
//! recent round trip, plus half of `margin`. Until calls have used open
//! connections, the delay is the whole round trip. A call that was slow on its way
//! to the vendor therefore holds its slot longer.

use std::{collections::VecDeque, time::Duration};

use super::Window;

/// Number of round trips among which the fastest one counts.
const ROUND_TRIPS: usize = 64;
/// Round trip of a first call that may consist of the way to the vendor. First
/// calls open connections, so none of them shows the fastest round trip.
const MAX_FIRST_DELAY: Duration = Duration::from_millis(250);

/// Usual lateness of a timer, because timers count whole milliseconds. A call that is
/// sent at most this late counts from its slot. Otherwise the lateness would add up, and
/// part of the limit would stay unused.
const TICK: Duration = Duration::from_millis(1);

/// Sent calls of a budget, oldest first. The log reads no clock.
#[derive(Debug)]
pub(super) struct SendLog {
    windows: Vec<Window>,
    margin: Duration,
    sends: VecDeque<Send>,
    next_id: u64,
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
            round_trips: VecDeque::new(),
            fastest: None,
            responses: 0,
        }
    }

    /// Returns a log without calls for other windows, which knows how fast calls are.
    pub(super) fn successor(&self, windows: Vec<Window>) -> Self {
        Self {
            windows,
            margin: self.margin,
            sends: VecDeque::new(),
            // Calls in flight must not meet calls of the successor.
            next_id: self.next_id,
            round_trips: self.round_trips.clone(),
            fastest: self.fastest,
            responses: self.responses,
        }
    }

    /// Replaces the windows. The calls of the log count for the new windows. A
    /// window that is longer than all windows before therefore counts from now on.
    pub(super) fn set_windows(&mut self, windows: Vec<Window>) {
        self.windows = windows;
    }

    /// Returns the windows.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Returns the time between two calls beyond the period of a window.
    pub(super) fn margin(&self) -> Duration {
        self.margin
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
        let slot = self.windows.iter().filter_map(|window| self.release_in(*window, 0, now)).max();
        let at = slot.map_or(now, |slot| self.sent_at(slot, now));
        self.sends.push_back(Send { id, at, round_trip: None });
        self.truncate(now);
        id
    }

    /// Records calls that other replicas have sent. They have no delay here.
    pub(super) fn record_remote(&mut self, calls: u32, now: Duration) {
        let largest = self.windows.iter().map(|window| window.requests.get()).max().unwrap_or(0);
        for _ in 0..calls.min(largest) {
            let id = SendId(self.next_id);
            self.next_id += 1;
            self.sends.push_back(Send { id, at: now, round_trip: Some(Duration::ZERO) });
        }
        self.truncate(now);
    }

    /// Returns the delay of a call beyond the fastest round trip. The call may have
    /// arrived at the vendor this late.
    pub(super) fn delay(&self, id: SendId, now: Duration) -> Duration {
        let send = self.find(id).and_then(|index| self.sends.get(index));
        let requests = self.windows.iter().map(|window| window.requests.get()).max().unwrap_or(0);
        send.map_or(Duration::ZERO, |send| self.delay_of(send, requests, now))
    }

    /// Corrects the send time of a call whose task started late. Later calls count
    /// as sent no earlier.
    pub(super) fn start(&mut self, id: SendId, now: Duration) {
        let Some(index) = self.find(id) else { return };
        let at = self.sends.get(index).map_or(now, |send| self.sent_at(send.at, now));
        for send in self.sends.range_mut(index..) {
            send.at = send.at.max(at);
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
        self.windows.iter().map(|window| self.remaining_in(*window, now)).min().unwrap_or(0)
    }

    /// Returns the number of calls that one window allows now.
    pub(super) fn remaining_in(&self, window: Window, now: Duration) -> u32 {
        let recent = self.sends.iter().rev().take(window.requests.get() as usize);
        let held = recent.filter(|send| self.release(send, window, now) > now).count();
        window.requests.get().saturating_sub(u32::try_from(held).unwrap_or(u32::MAX))
    }

    /// Returns the earliest send time that one window allows.
    pub(super) fn slot_in(&self, window: Window, ahead: u64, now: Duration) -> Duration {
        let requests = u64::from(window.requests.get());
        // A call that is not sent yet is one period earlier than the call
        // `requests` after it.
        let (periods, ahead) = (ahead / requests, ahead % requests);
        let wait = self.period(window).saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        self.release_in(window, ahead, now).map_or(now, |release| release.max(now)).saturating_add(wait)
    }

    /// Returns the time at which a call with `ahead` calls before it gets a slot; `None` if
    /// a slot was never taken. `ahead` is less than the window's requests.
    fn release_in(&self, window: Window, ahead: u64, now: Duration) -> Option<Duration> {
        let index = (self.sends.len() as u64 + ahead).checked_sub(window.requests.get().into())?;
        let send = self.sends.get(usize::try_from(index).ok()?)?;
        Some(self.release(send, window, now))
    }

    /// Returns the send time of a call whose slot was free from `slot` on. The margin
    /// absorbs the lateness of a timer.
    fn sent_at(&self, slot: Duration, now: Duration) -> Duration {
        if now.saturating_sub(slot) <= TICK.min(self.margin) { slot.min(now) } else { now }
    }

    /// Returns the time at which the slot of a call is free again.
    fn release(&self, send: &Send, window: Window, now: Duration) -> Duration {
        let delay = self.delay_of(send, window.requests.get(), now);
        let margin = if self.margin.is_zero() { Duration::ZERO } else { self.margin.max(delay + self.margin / 2) };
        send.at.saturating_add(window.per).saturating_add(margin)
    }

    fn delay_of(&self, send: &Send, requests: u32, now: Duration) -> Duration {
        let round_trip = send.round_trip.unwrap_or_else(|| now.saturating_sub(send.at));
        let is_first = self.responses <= requests.into() && round_trip <= MAX_FIRST_DELAY;
        match self.fastest {
            Some(fastest) if !is_first => round_trip.saturating_sub(fastest),
            Some(_) => round_trip,
            None => Duration::ZERO,
        }
    }

    fn period(&self, window: Window) -> Duration {
        window.per.saturating_add(self.margin)
    }

    fn find(&self, id: SendId) -> Option<usize> {
        self.sends.binary_search_by_key(&id, |send| send.id).ok()
    }

    /// Forgets the calls whose slots are free again in all windows. A call with a
    /// margin must have ended: its delay is not known before.
    fn truncate(&mut self, now: Duration) {
        while let Some(oldest) = self.sends.front()
            && (self.margin.is_zero() || oldest.round_trip.is_some())
            && self.windows.iter().all(|window| self.release(oldest, *window, now) <= now)
        {
            self.sends.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
