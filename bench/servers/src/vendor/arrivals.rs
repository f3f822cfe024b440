//! Calls that arrive at a vendor, and the windows of its rate limit.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(1);
/// Time after a reload's signal in which the previous limit may be in force.
const RELOAD: Duration = Duration::from_secs(4);
/// Pauses of the vendor's thread from this length on can move arrivals together.
const PAUSE: Duration = Duration::from_millis(15);

/// Window with more calls than its limit.
#[derive(Debug, Clone)]
pub struct Excess {
    pub at: Instant,
    pub calls: usize,
    pub limit: u32,
    /// Longest pause of the vendor's thread around the window, which may explain
    /// the excess.
    pub pause: Duration,
}

pub struct Arrivals {
    count: usize,
    /// Calls of the last window.
    window: VecDeque<Instant>,
    /// Limits with the instants from which they are in force, oldest first.
    limits: VecDeque<(Instant, u32)>,
    pauses: VecDeque<(Instant, Duration)>,
    worst: usize,
    excesses: Vec<Excess>,
}

impl Arrivals {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            count: 0,
            window: VecDeque::new(),
            limits: VecDeque::from([(Instant::now(), limit)]),
            pauses: VecDeque::new(),
            worst: 0,
            excesses: Vec::new(),
        }
    }

    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limits.push_back((Instant::now(), limit));
    }

    pub(super) fn arrive(&mut self, now: Instant) {
        self.count += 1;
        self.window.push_back(now);
        while self.window.front().is_some_and(|&first| first + WINDOW <= now) {
            self.window.pop_front();
        }
        // A limit ends when its successor has certainly replaced it.
        while self.limits.len() > 1 && self.limits[1].0 + RELOAD + WINDOW < now {
            self.limits.pop_front();
        }
        let limit = self.limits.iter().map(|&(_, limit)| limit).max().unwrap_or(0);
        self.worst = self.worst.max(self.window.len());
        if self.window.len() > limit as usize && self.excesses.len() < 1_000 {
            let longest = self.pauses.iter().map(|&(_, length)| length).max().unwrap_or_default();
            self.excesses.push(Excess { at: now, calls: self.window.len(), limit, pause: longest });
        }
    }

    pub(super) fn pause(&mut self, now: Instant, length: Duration) {
        while self.pauses.front().is_some_and(|&(at, _)| at + WINDOW * 2 < now) {
            self.pauses.pop_front();
        }
        if length >= PAUSE {
            self.pauses.push_back((now, length));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn result(&self) -> (usize, Vec<Excess>) {
        (self.worst, self.excesses.clone())
    }
}
