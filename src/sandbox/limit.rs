//! Rate limit of a vendor.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Rate limit over a sliding window of one second. Rejected requests do not count.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: usize,
    admitted: VecDeque<Instant>,
}

impl RateLimit {
    pub(crate) fn new(per_second: usize) -> Self {
        Self { per_second, admitted: VecDeque::with_capacity(per_second) }
    }

    /// Admits a request that arrives at `now`. Returns false if the limit is reached.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        while let Some(first) = self.admitted.front()
            && now.duration_since(*first) >= Duration::from_secs(1)
        {
            self.admitted.pop_front();
        }
        let admitted = self.admitted.len() < self.per_second;
        if admitted {
            self.admitted.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_slides_continuously() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut limit = RateLimit::new(2);

        assert!(limit.admit(at(0)));
        assert!(limit.admit(at(900)));
        assert!(!limit.admit(at(999)));
        assert!(limit.admit(at(1_000)));
        // A fixed window of full seconds would admit this request.
        assert!(!limit.admit(at(1_100)));
        assert!(limit.admit(at(1_900)));
    }
}
