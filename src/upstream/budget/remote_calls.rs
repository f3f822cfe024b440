//! Bound of the calls that other replicas have sent, as the server reports them.

use std::time::Duration;

use super::Window;

/// Reported calls in a period of the longest window. All replicas together send at most
/// the calls of the windows. A faulty server may report more, and each call stays in
/// the log until it is older than every window.
#[derive(Debug, Default)]
pub(super) struct RemoteCalls {
    /// Start of the period.
    since: Duration,
    recorded: u32,
}

impl RemoteCalls {
    /// Returns the number of reported calls to record. In each period, this is at most
    /// twice the requests of the largest window: a report after a pause contains the
    /// calls of an earlier period.
    pub(super) fn admit(&mut self, calls: u32, windows: &[Window], now: Duration) -> u32 {
        let longest = windows.iter().map(|window| window.per).max().unwrap_or_default();
        let largest = windows.iter().map(|window| window.requests.get()).max().unwrap_or(0);
        if now.saturating_sub(self.since) >= longest {
            *self = Self { since: now, recorded: 0 };
        }
        let admitted = calls.min(largest).min(largest.saturating_mul(2).saturating_sub(self.recorded));
        self.recorded = self.recorded.saturating_add(admitted);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn endless_reports_are_bounded_per_period() {
        let window = |requests, seconds| Window {
            requests: NonZeroU32::new(requests).unwrap(),
            per: Duration::from_secs(seconds),
        };
        let windows = [window(10, 1), window(100, 60)];
        let mut calls = RemoteCalls::default();
        for minute in 0..3 {
            let admitted = (0..60_000).map(|milli| {
                calls.admit(1_000_000, &windows, Duration::from_secs(60 * minute) + Duration::from_millis(milli))
            });
            assert_eq!(admitted.sum::<u32>(), 200);
        }
    }

    #[test]
    fn calls_within_the_limit_are_recorded() {
        let windows = [Window { requests: NonZeroU32::new(5).unwrap(), per: Duration::from_secs(1) }];
        let mut calls = RemoteCalls::default();
        for tick in 0..100 {
            assert_eq!(calls.admit(1, &windows, tick * Duration::from_millis(200)), 1);
        }
    }
}
