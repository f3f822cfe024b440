//! Jobs that fill the stored lists. Each list has a job, which walks the whole list
//! from time to time, requests the newest rows in between, and applies the rows that
//! other requests fetch. `docs/SYNC.md` describes the rules for operators.

mod job;
mod pacer;
mod updates;
mod walk;

use std::{sync::Arc, time::Duration};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::{clock::SharedClock, directory::Source};
use job::Job;
use pacer::Pacer;

/// Running jobs of one connection. They end when this is dropped.
#[derive(Debug)]
pub struct SyncJobs(#[expect(dead_code, reason = "dropping a handle ends its job")] Vec<AbortOnDropHandle<()>>);

impl SyncJobs {
    /// Starts the jobs of a connection's stored lists. `interval` is the time between
    /// two calls of all walks of the connection. `None` without stored lists.
    #[must_use]
    pub fn start(source: &Arc<Source>, interval: Duration, clock: &SharedClock, runtime: &Handle) -> Option<Self> {
        let copies = source.copies()?;
        let pacer = Arc::new(Pacer::new(interval, Arc::clone(clock)));
        let job = |list| Job::new(Arc::clone(source), Arc::clone(copies), list, Arc::clone(&pacer), Arc::clone(clock));
        let start = |list| AbortOnDropHandle::new(runtime.spawn(job(Arc::clone(list)).run()));
        Some(Self(copies.lists().iter().map(start).collect()))
    }
}
