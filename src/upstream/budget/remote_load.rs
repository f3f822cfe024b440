//! Load that other replicas put on a budget.

use std::time::Duration;

use super::{Window, flow::Usage};

/// Load of the other replicas. Without replicas, the load is zero.
#[derive(Debug, Default)]
pub(super) struct RemoteLoad {
    usage: Usage,
    replicas: u32,
    /// Number of parts into which the limit is divided, and the time at which this
    /// replica may use its part.
    divided: Option<(u32, Duration)>,
}

impl RemoteLoad {
    /// Records calls of the other replicas since the last time.
    pub(super) fn record(&mut self, calls: u32, replicas: u32, now: Duration) {
        self.replicas = replicas;
        if calls > 0 {
            self.usage.record_calls(calls, now);
        }
    }

    /// Divides the limit into `parts`. This replica's part is closed until `opens`.
    pub(super) fn divide(&mut self, parts: u32, opens: Duration) {
        self.divided = Some((parts, opens));
    }

    /// Ends the division of the limit.
    pub(super) fn unite(&mut self) {
        self.divided = None;
    }

    /// Returns true while the limit is divided.
    pub(super) fn is_divided(&self) -> bool {
        self.divided.is_some()
    }

    /// Returns the time before which no call is sent.
    pub(super) fn closed_until(&self) -> Duration {
        self.divided.map_or(Duration::ZERO, |(_, opens)| opens)
    }

    /// Returns the fraction of the limit that this replica can use.
    pub(super) fn part(&self, windows: &[Window], now: Duration) -> f64 {
        match self.divided {
            Some((parts, _)) => 1.0 / f64::from(parts.max(1)),
            None if self.replicas > 1 => 1.0 - self.utilization(windows, now),
            None => 1.0,
        }
    }

    /// Returns the number of calls of all replicas ahead of a call that has `own`
    /// calls of this replica ahead.
    pub(super) fn calls_ahead(&self, own: u64, windows: &[Window], now: Duration) -> u64 {
        let part = self.part(windows, now);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count of queued calls; the conversion saturates"
        )]
        let ahead = (own as f64 / part).round() as u64;
        ahead
    }

    /// Returns the fraction of the limit that the others use. With equal turns, a
    /// replica always gets its part.
    fn utilization(&self, windows: &[Window], now: Duration) -> f64 {
        let rate = |window: &Window| f64::from(window.requests.get()) / window.per.as_secs_f64();
        let limit = windows.iter().map(rate).fold(f64::INFINITY, f64::min);
        (self.usage.rate(now) / limit).min(1.0 - 1.0 / f64::from(self.replicas.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn busy_replicas_take_their_turns() {
        let windows = [Window { requests: NonZeroU32::new(20).unwrap(), per: SECOND }];
        let mut load = RemoteLoad::default();
        assert_eq!(load.calls_ahead(10, &windows, SECOND), 10);
        load.record(0, 4, SECOND);
        assert_eq!(load.calls_ahead(10, &windows, SECOND), 10);
        load.record(20, 4, SECOND);
        assert_eq!(load.calls_ahead(10, &windows, SECOND), 20);
        load.record(1_000, 4, SECOND);
        assert_eq!(load.calls_ahead(10, &windows, SECOND), 40);
        load.divide(3, SECOND);
        assert_eq!((load.calls_ahead(10, &windows, SECOND), load.closed_until()), (30, SECOND));
    }
}
