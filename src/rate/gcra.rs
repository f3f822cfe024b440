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

#[derive(Debug)]
struct State {
    rate: Rate,
    /// Theoretical arrival time: the instant at which `burst` slots are free.
    tat: Duration,
    /// Number of slots taken so far.
    taken: u64,
    /// Number of slots taken before the last report.
    reported: u64,
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
        Self { state: Mutex::new(State { rate, tat: Duration::ZERO, taken: 0, reported: 0 }) }
    }

    /// Takes a slot, or returns the time until one is free.
    pub fn check(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.state.lock();
        match state.wait(now) {
            Duration::ZERO => {
                state.tat = state.tat.max(now).saturating_add(state.rate.interval);
                state.taken = state.taken.wrapping_add(1);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Returns the time until a slot is free.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Duration {
        self.state.lock().wait(now)
    }

    /// Returns the number of free slots.
    #[must_use]
    pub fn remaining(&self, now: Duration) -> u32 {
        self.state.lock().remaining(now)
    }

    /// Returns the number of free slots, and the time until one more is free; zero if
    /// all are free.
    #[must_use]
    pub fn availability(&self, now: Duration) -> (u32, Duration) {
        let state = self.state.lock();
        (state.remaining(now), state.next_slot(now))
    }

    /// Returns the current rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.state.lock().rate
    }

    /// Changes the rate and takes all slots, so a change never adds a burst.
    pub fn set_rate(&self, rate: Rate, now: Duration) {
        let mut state = self.state.lock();
        (state.rate, state.tat) = (rate, now.saturating_add(rate.capacity()));
    }

    /// Returns the slots taken since the last report; `None` if no slot was taken.
    pub fn take_usage(&self, now: Duration) -> Option<Usage> {
        let mut state = self.state.lock();
        let slots = state.taken.wrapping_sub(state.reported);
        state.reported = state.taken;
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        (slots > 0).then(|| Usage { slots, wait: state.tat.saturating_sub(now), taken: state.taken })
    }

    /// Adopts the time until all slots are free, as several processes count it after a
    /// report. The slots taken since the report are added.
    pub fn adopt(&self, usage: &Usage, wait: Duration, now: Duration) {
        let mut state = self.state.lock();
        let since = u32::try_from(state.taken.wrapping_sub(usage.taken)).unwrap_or(u32::MAX);
        let wait = wait.saturating_add(state.rate.interval.saturating_mul(since));
        state.tat = now.saturating_add(wait);
    }
}

impl State {
    fn wait(&self, now: Duration) -> Duration {
        self.tat.saturating_add(self.rate.interval).saturating_sub(now.saturating_add(self.rate.capacity()))
    }

    fn remaining(&self, now: Duration) -> u32 {
        let used = self.tat.saturating_sub(now);
        let free = self.rate.capacity().saturating_sub(used);
        let (free, interval) = (free.as_nanos(), self.rate.interval.as_nanos());
        // A division of 64 bits takes a fraction of the time.
        let slots = match (u64::try_from(free), u64::try_from(interval)) {
            (Ok(free), Ok(interval)) => u128::from(free / interval),
            _ => free / interval,
        };
        u32::try_from(slots).unwrap_or(u32::MAX)
    }

    fn next_slot(&self, now: Duration) -> Duration {
        let missing = self.tat.saturating_sub(now);
        if missing.is_zero() {
            return Duration::ZERO;
        }
        if missing >= self.rate.capacity() {
            return self.wait(now);
        }
        let slots = self.remaining(now).saturating_add(1);
        let free = self.rate.capacity().saturating_sub(missing);
        self.rate.interval.saturating_mul(slots).saturating_sub(free)
    }
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
                    Step::Check => prop_assert_eq!(gcra.check(now), bucket.check().map_err(Duration::from_nanos)),
                    Step::SetRate(burst, interval) => {
                        gcra.set_rate(new_rate(burst, interval), now);
                        bucket = TokenBucket { burst: burst.into(), interval, credit: 0 };
                    }
                }
                prop_assert_eq!(u64::from(gcra.remaining(now)), bucket.credit / bucket.interval);
                let wait = bucket.interval.saturating_sub(bucket.credit);
                prop_assert_eq!(gcra.wait(now), Duration::from_nanos(wait));
                let (remaining, next) = gcra.availability(now);
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
        assert_eq!((gcra.check(now), gcra.check(now)), (Ok(()), Ok(())));
        let usage = gcra.take_usage(now).unwrap();
        assert_eq!((usage.slots, usage.wait, gcra.take_usage(now)), (2, Duration::from_nanos(20), None));
        // Another process has taken a slot, and this one takes another before the response.
        assert_eq!(gcra.check(now), Ok(()));
        gcra.adopt(&usage, Duration::from_nanos(30), now);
        assert_eq!((gcra.remaining(now), gcra.check(now)), (0, Err(Duration::from_nanos(10))));
        assert_eq!(gcra.take_usage(now).unwrap().slots, 1);
        // The wait may exceed the capacity, and ends all the same.
        gcra.adopt(&usage, Duration::from_nanos(80), now);
        assert_eq!(gcra.check(now), Err(Duration::from_nanos(60)));
        assert_eq!(gcra.availability(now), (0, Duration::from_nanos(60)));
        assert_eq!((gcra.remaining(now), gcra.check(now + Duration::from_nanos(60))), (0, Ok(())));
    }

    #[test]
    fn huge_rates_do_not_overflow() {
        let gcra = Gcra::new(Rate::new(NonZeroU32::MAX, Duration::MAX));
        let now = Duration::from_hours(1);
        assert_eq!(gcra.check(now), Ok(()));
        gcra.set_rate(Rate::new(NonZeroU32::MAX, Duration::MAX), now);
        assert_eq!(gcra.remaining(now), 0);
    }

    #[test]
    fn zero_interval_counts_as_one_nanosecond() {
        let gcra = Gcra::new(Rate::new(NonZeroU32::MIN, Duration::ZERO));
        assert_eq!(gcra.check(Duration::ZERO), Ok(()));
        assert_eq!(gcra.check(Duration::ZERO), Err(Duration::from_nanos(1)));
    }
}
