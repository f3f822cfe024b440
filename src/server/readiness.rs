//! Readiness flag of the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Readiness of the process: ready until withdrawn. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Withdraws readiness permanently.
    pub fn withdraw(&self) {
        self.0.store(true, Relaxed);
    }

    /// Returns whether readiness has been withdrawn.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.0.load(Relaxed)
    }
}
