//! Number of vendor calls that a request is expected to need.

use parking_lot::Mutex;

/// Weight of the newest request.
const NEWEST_WEIGHT: f64 = 0.2;

/// Recent numbers of calls of a source's requests.
#[derive(Debug, Default)]
pub(super) struct ExpectedCalls {
    /// Requests that the vendor filters and orders.
    native: Mutex<Option<f64>>,
    /// Requests whose rows the gateway filters or sorts.
    scanning: Mutex<Option<f64>>,
}

impl ExpectedCalls {
    /// Returns the expected number of calls, at least one.
    pub(super) fn get(&self, is_scan: bool) -> u32 {
        let average = self.average(is_scan).lock().unwrap_or(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an average of whole numbers")]
        let calls = average.round() as u32;
        calls.max(1)
    }

    /// Records the calls of a request that was complete.
    pub(super) fn record(&self, is_scan: bool, calls: u32) {
        let mut average = self.average(is_scan).lock();
        let calls = f64::from(calls);
        *average = Some(average.map_or(calls, |average| average + NEWEST_WEIGHT * (calls - average)));
    }

    fn average(&self, is_scan: bool) -> &Mutex<Option<f64>> {
        if is_scan { &self.scanning } else { &self.native }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_follows_recent_requests() {
        let expected = ExpectedCalls::default();
        assert_eq!((expected.get(true), expected.get(false)), (1, 1));
        expected.record(true, 10);
        assert_eq!((expected.get(true), expected.get(false)), (10, 1));
        for _ in 0..20 {
            expected.record(true, 2);
        }
        assert_eq!(expected.get(true), 2);
    }
}
