//! Lease of the one probe that replicas send to a failing vendor.

use std::time::Duration;

use async_trait::async_trait;

use super::Unavailable;

/// Lease of one account's probe.
#[async_trait]
pub trait ProbeLease: Send + Sync {
    /// Takes the lease for at most `lifetime`. Returns false if another replica holds
    /// the lease.
    async fn acquire(&self, lifetime: Duration) -> Result<bool, Unavailable>;

    /// Releases the lease of this replica, in the background.
    fn release(&self);
}
