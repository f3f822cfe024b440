//! Probes of a failing vendor, one replica at a time.

use std::{sync::Arc, time::Duration};

use crate::shared::ProbeLease;

/// Lifetime of a lease beyond the time limit of the call.
const SLACK: Duration = Duration::from_secs(1);
/// Time after which a replica tries again, while another one probes.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Probes of one connection. Without a lease, each process probes on its own.
#[derive(Default)]
pub(super) struct Probe(Option<Arc<dyn ProbeLease>>);

/// Probe in flight. Dropped, another replica may probe.
#[must_use]
pub(super) struct Probing<'p>(Option<&'p dyn ProbeLease>);

impl Probe {
    pub(super) fn new(lease: Option<Arc<dyn ProbeLease>>) -> Self {
        Self(lease)
    }

    /// Starts a probe that takes at most `timeout`, or returns the time to wait while
    /// another replica probes. Without the server, each replica probes.
    pub(super) async fn start(&self, timeout: Duration) -> Result<Probing<'_>, Duration> {
        let Some(lease) = &self.0 else { return Ok(Probing(None)) };
        match lease.acquire(timeout.saturating_add(SLACK)).await {
            Ok(true) => Ok(Probing(Some(&**lease))),
            Ok(false) => Err(RETRY_AFTER),
            Err(_) => Ok(Probing(None)),
        }
    }
}

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        if let Some(lease) = self.0 {
            lease.release();
        }
    }
}
