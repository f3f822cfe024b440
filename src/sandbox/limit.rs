//! So many requests within any one second.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// A sliding window of one second. What it refuses does not count against it.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: usize,
    admitted: VecDeque<Instant>,
}

impl RateLimit {
    pub(crate) fn new(per_second: usize) -> Self {
        Self { per_second, admitted: VecDeque::with_capacity(per_second) }
    }

    /// Whether a request that arrives now is within the limit.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        while let Some(first) = self.admitted.front()
            && now.duration_since(*first) >= Duration::from_secs(1)
        {
            self.admitted.pop_front();
        }
        let within = self.admitted.len() < self.per_second;
        if within {
            self.admitted.push_back(now);
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_does_not_jump() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut limit = RateLimit::new(2);

        assert!(limit.admit(at(0)));
        assert!(limit.admit(at(900)));
        assert!(!limit.admit(at(999)));
        assert!(limit.admit(at(1_000)));
        // A window that restarted at each full second would admit this.
        assert!(!limit.admit(at(1_100)));
        assert!(limit.admit(at(1_900)));
    }
}
