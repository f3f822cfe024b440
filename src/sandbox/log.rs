//! Log of the requests to one vendor.

use std::{collections::VecDeque, sync::Mutex};

use super::lock::lock;

/// Request count and the most recent requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    count: u64,
    recent: VecDeque<String>,
}

impl RequestLog {
    const CAPACITY: usize = 1_000;

    pub(crate) fn record(&self, path_and_query: String) {
        let mut entries = lock(&self.0);
        entries.count += 1;
        if entries.recent.len() == Self::CAPACITY {
            entries.recent.pop_front();
        }
        entries.recent.push_back(path_and_query);
    }

    pub(crate) fn count(&self) -> u64 {
        lock(&self.0).count
    }

    /// Returns the path and query of the most recent requests, oldest first.
    pub(crate) fn recent(&self) -> Vec<String> {
        lock(&self.0).recent.iter().cloned().collect()
    }

    pub(crate) fn reset(&self) {
        *lock(&self.0) = Entries::default();
    }
}
