//! How many vendor calls a request may still make.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// The call budget of one request, which all its walks share.
#[derive(Debug, Clone)]
pub(in crate::directory) struct CallBudget {
    left: Arc<AtomicU32>,
    allowed: u32,
}

impl CallBudget {
    /// A budget of so many calls.
    pub(in crate::directory) fn new(allowed: u32) -> Self {
        Self { left: Arc::new(AtomicU32::new(allowed)), allowed }
    }

    /// Any number of calls; so many where all of a source's pages are needed
    /// at once.
    pub(in crate::directory) fn unbounded(allowed: u32) -> Self {
        Self { left: Arc::new(AtomicU32::new(u32::MAX)), allowed }
    }

    /// How many all of a source's pages may cost.
    pub(in crate::directory) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Takes one, if one is left.
    pub(super) fn take(&self) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Gives one back that was not made.
    pub(super) fn give_back(&self) {
        self.left.fetch_add(1, Relaxed);
    }
}
