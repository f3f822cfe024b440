//! Call budget of a request.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// Vendor calls that a request may still make. Clones share the budget.
#[derive(Debug, Clone)]
pub(in crate::directory) struct CallBudget {
    remaining: Arc<AtomicU32>,
    allowed: u32,
}

impl CallBudget {
    /// Creates a budget of `allowed` calls.
    pub(in crate::directory) fn new(allowed: u32) -> Self {
        Self { remaining: Arc::new(AtomicU32::new(allowed)), allowed }
    }

    /// Creates a budget of unlimited calls.
    pub(in crate::directory) fn unlimited() -> Self {
        Self::new(u32::MAX)
    }

    /// Returns the number of calls of the unused budget.
    pub(super) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Takes a call. Returns false if none remains.
    pub(in crate::directory) fn take(&self) -> bool {
        self.remaining.fetch_update(Relaxed, Relaxed, |remaining| remaining.checked_sub(1)).is_ok()
    }

    /// Returns the number of calls that remain.
    pub(in crate::directory) fn remaining(&self) -> u32 {
        self.remaining.load(Relaxed)
    }

    /// Returns a call that was not made.
    pub(in crate::directory) fn give_back(&self) {
        self.remaining.fetch_add(1, Relaxed);
    }
}
