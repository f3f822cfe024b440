//! Which calls came in.

use std::{collections::VecDeque, sync::Mutex};

use super::lock::lock;

/// The calls counted, and the last of them remembered.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    count: u64,
    last: VecDeque<String>,
}

impl Log {
    const KEPT: usize = 1_000;

    pub(crate) fn record(&self, path_and_query: String) {
        let mut entries = lock(&self.0);
        entries.count += 1;
        if entries.last.len() == Self::KEPT {
            entries.last.pop_front();
        }
        entries.last.push_back(path_and_query);
    }

    pub(crate) fn count(&self) -> u64 {
        lock(&self.0).count
    }

    pub(crate) fn last(&self) -> Vec<String> {
        lock(&self.0).last.iter().cloned().collect()
    }

    pub(crate) fn reset(&self) {
        *lock(&self.0) = Entries::default();
    }
}
