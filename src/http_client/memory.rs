//! Bound of the memory of response bodies in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BodyError;

/// Divisor of the bound for the bodies of one share.
const SHARE_DIVISOR: usize = 2;

/// Bound of the bytes of response bodies, from their arrival until they are
/// dropped. Clones share the bytes in use.
#[derive(Debug, Clone)]
pub struct BodyMemory {
    total: Arc<Semaphore>,
    /// Part of the bytes that one user of the bound may take.
    share: Arc<Semaphore>,
    max_bytes: usize,
}

/// Bytes of one body, released when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    memory: BodyMemory,
    held: Option<[OwnedSemaphorePermit; 2]>,
}

impl BodyMemory {
    /// Creates a bound of `max_bytes`.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(Semaphore::MAX_PERMITS);
        let total = Arc::new(Semaphore::new(max_bytes));
        Self { share: Arc::clone(&total), total, max_bytes }.share()
    }

    /// Creates a bound for one body of at most `max_body` bytes, coded and decoded.
    pub(super) fn unshared(max_body: usize) -> Self {
        Self::new(max_body.saturating_mul(2 * SHARE_DIVISOR))
    }

    /// Returns the same bound for another user. Each user may take half of the
    /// bytes, so one user leaves bytes to the others.
    #[must_use]
    pub fn share(&self) -> Self {
        let share = Arc::new(Semaphore::new(self.max_bytes / SHARE_DIVISOR));
        Self { total: Arc::clone(&self.total), share, max_bytes: self.max_bytes }
    }

    /// Returns a charge of no bytes.
    pub(super) fn charge(&self) -> Charge {
        Charge { memory: self.clone(), held: None }
    }
}

impl Charge {
    /// Adds bytes, or fails without waiting.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), BodyError> {
        let BodyMemory { total, share, max_bytes } = &self.memory;
        let error = BodyError::MemoryLimit(*max_bytes);
        let bytes = u32::try_from(bytes).map_err(|_| error.clone())?;
        let acquire = |semaphore: &Arc<Semaphore>| Arc::clone(semaphore).try_acquire_many_owned(bytes);
        let added = [share, total].map(acquire);
        let [Ok(share), Ok(total)] = added else { return Err(error) };
        match &mut self.held {
            Some([held_share, held_total]) => {
                held_share.merge(share);
                held_total.merge(total);
            }
            None => self.held = Some([share, total]),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_half_and_dropped_bytes_return() {
        let memory = BodyMemory::new(100);
        let others = memory.share();
        let (mut first, mut second) = (memory.charge(), others.charge());
        assert!(first.add(30).is_ok() && first.add(20).is_ok());
        assert_eq!(first.add(1), Err(BodyError::MemoryLimit(100)));
        assert!(second.add(50).is_ok());
        let mut third = memory.share().charge();
        assert!(third.add(1).is_err());
        drop(first);
        assert!(third.add(50).is_ok() && memory.charge().add(1).is_err());
        drop((second, third));
        assert!(memory.charge().add(50).is_ok());
        assert_eq!(memory.total.available_permits(), 100);
    }
}
