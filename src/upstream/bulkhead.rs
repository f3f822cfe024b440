//! Bulkhead between connections: a bound of the requests that wait for one vendor.
//!
//! Requests that wait for a vendor hold a permit of `max_requests`. A vendor that
//! hangs must not take all permits. The requests that wait for a connection may
//! therefore not exceed the permits that no waiting request holds. A hanging vendor
//! takes at most half of the permits, and each further hanging vendor takes half of
//! the rest (dynamic thresholds, Choudhury and Hahne, 1998).

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// Requests that wait for the vendors of all connections. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Bulkheads(Arc<Total>);

#[derive(Debug, Default)]
struct Total {
    max: AtomicU32,
    waiting: AtomicU32,
}

/// Requests that wait for the vendor of one connection.
#[derive(Debug)]
pub(super) struct Bulkhead {
    total: Arc<Total>,
    waiting: Arc<AtomicU32>,
}

/// Request that waits for a vendor, until dropped.
#[derive(Debug)]
#[must_use]
pub struct VendorWait {
    total: Arc<Total>,
    waiting: Arc<AtomicU32>,
}

impl Bulkheads {
    /// Sets the number of requests in progress that the gateway permits.
    pub fn set_max(&self, max_requests: u32) {
        self.0.max.store(max_requests, Relaxed);
    }

    /// Returns the bulkhead of a connection, without waiting requests.
    pub(super) fn bulkhead(&self) -> Bulkhead {
        Bulkhead { total: Arc::clone(&self.0), waiting: Arc::default() }
    }
}

impl Bulkhead {
    /// Adds a waiting request. `None` if too many requests wait for the vendor.
    pub(super) fn enter(&self) -> Option<VendorWait> {
        let free = self.total.max.load(Relaxed).saturating_sub(self.total.waiting.load(Relaxed));
        let increment = |waiting| (waiting <= free).then_some(waiting + 1);
        self.waiting.fetch_update(Relaxed, Relaxed, increment).ok()?;
        self.total.waiting.fetch_add(1, Relaxed);
        Some(VendorWait { total: Arc::clone(&self.total), waiting: Arc::clone(&self.waiting) })
    }
}

impl Drop for VendorWait {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Relaxed);
        self.total.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::iter::from_fn;

    use super::*;

    #[test]
    fn hanging_vendors_leave_permits_to_the_others() {
        for (hanging, waiting) in [(1, vec![51]), (2, vec![51, 25]), (3, vec![51, 25, 13])] {
            let bulkheads = Bulkheads::default();
            bulkheads.set_max(100);
            let all: Vec<_> = (0..hanging).map(|_| bulkheads.bulkhead()).collect();
            let held: Vec<Vec<_>> = all.iter().map(|bulkhead| from_fn(|| bulkhead.enter()).collect()).collect();
            assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), waiting);
            let healthy = bulkheads.bulkhead();
            assert!(healthy.enter().is_some());
            drop(held);
            assert_eq!(from_fn(|| healthy.enter()).collect::<Vec<_>>().len(), 51);
        }
    }

    #[test]
    fn single_permit_is_usable() {
        let bulkheads = Bulkheads::default();
        bulkheads.set_max(1);
        let bulkhead = bulkheads.bulkhead();
        let first = bulkhead.enter();
        assert!(first.is_some() && bulkhead.enter().is_none());
    }
}
