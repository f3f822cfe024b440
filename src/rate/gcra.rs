//! Generic cell rate algorithm (GCRA).
//!
//! One instant describes the whole state: the theoretical arrival time (`tat`),
//! at which every slot is free again. Each slot moves `tat` by one interval.

use std::{num::NonZeroU32, time::Duration};

use parking_lot::Mutex;

/// Rate of a limiter: `burst` slots at once, then one slot per `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: NonZeroU32,
    interval: Duration,
}

/// Rate limiter without a queue.
#[derive(Debug)]
pub struct Gcra {
    state: Mutex<State>,
}

/// State in nanoseconds, because 64-bit arithmetic is faster than `Duration`.
#[derive(Debug)]
struct State {
    rate: Rate,
    /// Theoretical arrival time: the instant at which `burst` slots are free.
    tat: u64,
    /// Number of slots taken so far.
    taken: u64,
    /// Number of slots taken before the last report.
    reported: u64,
}

/// Free slots of a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// Number of free slots.
    pub remaining: u32,
    /// Time until one more slot is free; zero if all are free.
    pub next: Duration,
}

/// Slots taken since the last report, for a limiter that counts for several processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Number of slots.
    pub slots: u32,
    /// Time until all slots are free.
    pub wait: Duration,
    /// Number of slots taken before the report.
    taken: u64,
}

impl Rate {
    /// Returns a rate. The shortest interval is one nanosecond.
    #[must_use]
    pub fn new(burst: NonZeroU32, interval: Duration) -> Self {
        Self { burst, interval: interval.max(Duration::from_nanos(1)) }
    }

    /// Returns the number of slots that a full limiter has.
    #[must_use]
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// Returns the time in which one slot is freed.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.interval
    }

    /// Returns the time in which all slots are freed.
    #[must_use]
    pub fn capacity(self) -> Duration {
        self.interval.saturating_mul(self.burst.get())
    }
}

impl Gcra {
    /// Returns a limiter with all slots free.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { state: Mutex::new(State { rate, tat: 0, taken: 0, reported: 0 }) }
    }

    /// Takes a slot, or returns the time until one is free. Also returns the availability
    /// afterwards.
    pub fn charge(&self, now: Duration) -> (Availability, Result<(), Duration>) {
        let (mut state, now) = (self.state.lock(), nanos(now));
        let checked = state.check(now);
        (state.availability(now), checked)
    }

    /// Returns the current rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.state.lock().rate
    }

    /// Changes the rate and takes all slots, so a change never adds a burst.
    pub fn set_rate(&self, rate: Rate, now: Duration) {
        let mut state = self.state.lock();
        state.rate = rate;
        state.tat = nanos(now).saturating_add(state.capacity());
    }

    /// Returns the slots taken since the last report; `None` if no slot was taken.
    pub fn take_usage(&self, now: Duration) -> Option<Usage> {
        let mut state = self.state.lock();
        let slots = state.taken.wrapping_sub(state.reported);
        state.reported = state.taken;
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        let wait = Duration::from_nanos(state.tat.saturating_sub(nanos(now)));
        (slots > 0).then(|| Usage { slots, wait, taken: state.taken })
    }

    /// Adopts the time until all slots are free, as several processes count it after a
    /// report. The slots taken since the report are added.
    pub fn adopt(&self, usage: &Usage, wait: Duration, now: Duration) {
        let mut state = self.state.lock();
        let since = state.taken.wrapping_sub(usage.taken);
        let wait = nanos(wait).saturating_add(state.interval().saturating_mul(since));
        state.tat = nanos(now).saturating_add(wait);
    }
}

impl State {
    fn check(&mut self, now: u64) -> Result<(), Duration> {
        match self.wait(now) {
            0 => {
                self.tat = self.tat.max(now).saturating_add(self.interval());
                self.taken = self.taken.wrapping_add(1);
                Ok(())
            }
            wait => Err(Duration::from_nanos(wait)),
        }
    }

    fn interval(&self) -> u64 {
        nanos(self.rate.interval)
    }

    fn capacity(&self) -> u64 {
        self.interval().saturating_mul(self.rate.burst.get().into())
    }

    fn wait(&self, now: u64) -> u64 {
        self.tat.saturating_add(self.interval()).saturating_sub(now.saturating_add(self.capacity()))
    }

    fn availability(&self, now: u64) -> Availability {
        let (interval, capacity) = (self.interval(), self.capacity());
        let missing = self.tat.saturating_sub(now);
        let free = capacity.saturating_sub(missing);
        let slots = free / interval;
        let next = match missing {
            0 => 0,
            _ if missing >= capacity => self.wait(now),
            _ => interval.saturating_mul(slots + 1).saturating_sub(free),
        };
        Availability { remaining: u32::try_from(slots).unwrap_or(u32::MAX), next: Duration::from_nanos(next) }
    }
}

/// Returns a duration in nanoseconds, at most 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Token bucket that stores its credit instead of an arrival time.
    struct TokenBucket {
        burst: u64,
        interval: u64,
        credit: u64,
    }

    impl TokenBucket {
        fn advance(&mut self, nanos: u64) {
            self.credit = (self.credit + nanos).min(self.burst * self.interval);
        }

        fn check(&mut self) -> Result<(), u64> {
            match self.interval.saturating_sub(self.credit) {
                0 => {
                    self.credit -= self.interval;
                    Ok(())
                }
                wait => Err(wait),
            }
        }
    }

    fn remaining(gcra: &Gcra, now: Duration) -> u32 {
        gcra.state.lock().availability(nanos(now)).remaining
    }

    fn wait(gcra: &Gcra, now: Duration) -> Duration {
        Duration::from_nanos(gcra.state.lock().wait(nanos(now)))
    }

    #[derive(Debug, Clone)]
    enum Step {
        Advance(u64),
        Check,
        SetRate(u32, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..300_u64).prop_map(Step::Advance),
            12 => Just(Step::Check),
            1 => rate().prop_map(|(burst, interval)| Step::SetRate(burst, interval)),
        ]
    }

    fn rate() -> impl Strategy<Value = (u32, u64)> {
        (1..20_u32, 1..200_u64)
    }

    fn new_rate(burst: u32, interval: u64) -> Rate {
        Rate::new(NonZeroU32::new(burst).unwrap(), Duration::from_nanos(interval))
    }

    proptest! {
        #[test]
        fn gcra_matches_token_bucket((burst, interval) in rate(), steps in prop::collection::vec(step(), 1..200)) {
            let gcra = Gcra::new(new_rate(burst, interval));
            let mut bucket = TokenBucket { burst: burst.into(), interval, credit: u64::from(burst) * interval };
            let mut now = Duration::ZERO;
            for step in steps {
                match step {
                    Step::Advance(nanos) => {
                        now += Duration::from_nanos(nanos);
                        bucket.advance(nanos);
                    }
                    Step::Check => prop_assert_eq!(gcra.charge(now).1, bucket.check().map_err(Duration::from_nanos)),
                    Step::SetRate(burst, interval) => {
                        gcra.set_rate(new_rate(burst, interval), now);
                        bucket = TokenBucket { burst: burst.into(), interval, credit: 0 };
                    }
                }
                prop_assert_eq!(u64::from(remaining(&gcra, now)), bucket.credit / bucket.interval);
                let expected = bucket.interval.saturating_sub(bucket.credit);
                prop_assert_eq!(wait(&gcra, now), Duration::from_nanos(expected));
                let Availability { remaining, next } = gcra.state.lock().availability(nanos(now));
                prop_assert_eq!(u64::from(remaining), bucket.credit / bucket.interval);
                let is_full = bucket.credit == bucket.burst * bucket.interval;
                let next_slot = if is_full { 0 } else { bucket.interval - bucket.credit % bucket.interval };
                prop_assert_eq!(next, Duration::from_nanos(next_slot));
            }
        }
    }

    #[test]
    fn adopted_wait_includes_later_slots() {
        let (gcra, now) = (Gcra::new(new_rate(4, 10)), Duration::from_nanos(100));
        assert_eq!(gcra.take_usage(now), None);
        assert_eq!((gcra.charge(now).1, gcra.charge(now).1), (Ok(()), Ok(())));
        let usage = gcra.take_usage(now).unwrap();
        assert_eq!((usage.slots, usage.wait, gcra.take_usage(now)), (2, Duration::from_nanos(20), None));
        // Another process has taken a slot, and this one takes another before the response.
        assert_eq!(gcra.charge(now).1, Ok(()));
        gcra.adopt(&usage, Duration::from_nanos(30), now);
        assert_eq!((remaining(&gcra, now), gcra.charge(now).1), (0, Err(Duration::from_nanos(10))));
        assert_eq!(gcra.take_usage(now).unwrap().slots, 1);
        // The wait may exceed the capacity, and ends all the same.
        gcra.adopt(&usage, Duration::from_nanos(80), now);
        assert_eq!(gcra.charge(now).1, Err(Duration::from_nanos(60)));
        let next = Duration::from_nanos(60);
        assert_eq!(gcra.charge(now), (Availability { remaining: 0, next }, Err(next)));
        assert_eq!(gcra.charge(now + next), (Availability { remaining: 0, next: Duration::from_nanos(10) }, Ok(())));
    }

    #[test]
    fn huge_rates_do_not_overflow() {
        let gcra = Gcra::new(Rate::new(NonZeroU32::MAX, Duration::MAX));
        let now = Duration::from_hours(1);
        assert_eq!(gcra.charge(now).1, Ok(()));
        gcra.set_rate(Rate::new(NonZeroU32::MAX, Duration::MAX), now);
        assert_eq!(remaining(&gcra, now), 0);
    }

    #[test]
    fn zero_interval_counts_as_one_nanosecond() {
        let gcra = Gcra::new(Rate::new(NonZeroU32::MIN, Duration::ZERO));
        assert_eq!(gcra.charge(Duration::ZERO).1, Ok(()));
        assert_eq!(gcra.charge(Duration::ZERO).1, Err(Duration::from_nanos(1)));
    }
}
