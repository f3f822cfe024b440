//! Which calls came in.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

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
        self.with(|entries| {
            entries.count += 1;
            if entries.last.len() == Self::KEPT {
                entries.last.pop_front();
            }
            entries.last.push_back(path_and_query);
        });
    }

    pub(crate) fn count(&self) -> u64 {
        self.with(|entries| entries.count)
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.with(|entries| entries.last.iter().cloned().collect())
    }

    pub(crate) fn reset(&self) {
        self.with(|entries| *entries = Entries::default());
    }

    fn with<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
