//! Jobs that fill the stored lists. Each list has a job, which walks the whole list
//! from time to time, requests the newest rows in between, and applies the rows that
//! other requests fetch. `docs/SYNC.md` describes the rules for operators.

mod exchange;
mod job;
mod pacer;
mod replication;
mod snapshot;
mod snapshot_file;
mod storage;
mod updates;
mod walk;

use std::{sync::Arc, time::Duration};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::{clock::SharedClock, directory::Source};
use job::Job;
use pacer::Pacer;
pub use storage::Storage;

/// Running jobs of one connection. They end when this is dropped.
#[derive(Debug)]
pub struct SyncJobs(#[expect(dead_code, reason = "dropping a handle ends its job")] Vec<AbortOnDropHandle<()>>);

impl SyncJobs {
    /// Starts the jobs of a connection's stored lists. `interval` is the time between
    /// two calls of all walks of the connection. `None` without stored lists.
    #[must_use]
    pub fn start(
        source: &Arc<Source>,
        interval: Duration,
        storage: &Storage,
        clock: &SharedClock,
        runtime: &Handle,
    ) -> Option<Self> {
        let copies = source.copies()?;
        // The connection to the server is opened within the runtime.
        let _entered = runtime.enter();
        let pacer = Arc::new(Pacer::new(interval, Arc::clone(clock)));
        let start = |list: &Arc<_>| {
            let replication = storage.replication(&copies.settings, list, clock).map(Arc::new);
            let snapshot = storage.snapshot(&copies.settings, list, clock);
            let (source, copies, list) = (Arc::clone(source), Arc::clone(copies), Arc::clone(list));
            let job = Job::new(source, copies, list, Arc::clone(&pacer), Arc::clone(clock), replication);
            AbortOnDropHandle::new(runtime.spawn(job.run(snapshot)))
        };
        Some(Self(copies.lists().iter().map(start).collect()))
    }
}
