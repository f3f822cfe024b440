//! Number of vendor calls that a request is expected to need.

use parking_lot::Mutex;

/// Weight of the newest request.
const NEWEST_WEIGHT: f64 = 0.2;

/// Work of a request that determines its number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// The vendor filters and orders the rows.
    Native,
    /// The gateway filters the rows that a prefilter leaves.
    Prefiltered,
    /// The gateway filters or sorts the vendor's rows.
    Scan,
}

/// Recent numbers of calls of a source's requests.
#[derive(Debug, Default)]
pub(super) struct ExpectedCalls {
    native: Mutex<Calls>,
    prefiltered: Mutex<Calls>,
    scan: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    average: Option<f64>,
    /// Estimate before the first request is complete.
    estimate: Option<u32>,
}

impl ExpectedCalls {
    /// Returns the expected number of calls, at least one.
    pub(super) fn get(&self, work: Work) -> u32 {
        let calls = self.calls(work).lock();
        let Some(average) = calls.average else { return calls.estimate.unwrap_or(1).max(1) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an average of whole numbers")]
        let average = average.round() as u32;
        average.max(1)
    }

    /// Estimates the calls of a request in progress. The estimate counts until a
    /// request is complete.
    pub(super) fn estimate(&self, work: Work, calls: u32) {
        self.calls(work).lock().estimate = Some(calls);
    }

    /// Records the calls of a request that was complete.
    pub(super) fn record(&self, work: Work, calls: u32) {
        let average = &mut self.calls(work).lock().average;
        let calls = f64::from(calls);
        *average = Some(average.map_or(calls, |average| average + NEWEST_WEIGHT * (calls - average)));
    }

    fn calls(&self, work: Work) -> &Mutex<Calls> {
        match work {
            Work::Native => &self.native,
            Work::Prefiltered => &self.prefiltered,
            Work::Scan => &self.scan,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_follows_recent_requests() {
        let expected = ExpectedCalls::default();
        assert_eq!((expected.get(Work::Scan), expected.get(Work::Native)), (1, 1));
        expected.estimate(Work::Scan, 20);
        assert_eq!((expected.get(Work::Scan), expected.get(Work::Native)), (20, 1));
        expected.record(Work::Scan, 10);
        assert_eq!([Work::Scan, Work::Native, Work::Prefiltered].map(|work| expected.get(work)), [10, 1, 1]);
        for _ in 0..20 {
            expected.record(Work::Scan, 2);
        }
        assert_eq!(expected.get(Work::Scan), 2);
    }
}
