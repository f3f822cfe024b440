//! Snapshot of a stored list, which outlasts the process.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{
    clock::SharedClock,
    copies::{ListCopy, Stored, StoredList, SyncState},
    files::{self, FileError},
};

use super::snapshot_file::{SnapshotError, SnapshotFile};

/// Maximum time of a read or a write. A list of a million rows takes a few seconds.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Time between two looks at the list.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Pause before another attempt to remove a snapshot with purged rows.
const REMOVE_PAUSE: Duration = Duration::from_secs(1);
/// Shortest time between two writes of one walk, and after a failed write.
const WRITE_INTERVAL: Duration = Duration::from_mins(2);

/// Snapshot of one list.
pub(super) struct Snapshot {
    pub(super) file: SnapshotFile,
    pub(super) list: Arc<ListCopy>,
    pub(super) max_age: Duration,
    pub(super) clock: SharedClock,
}

/// List in the file.
#[derive(Debug, Default)]
struct Written {
    list: Weak<Stored>,
    /// Start of its walk.
    synced: Option<Duration>,
    /// Time of the last attempt.
    at: Option<Instant>,
}

impl Snapshot {
    /// Fills the list from the file. A file that is no snapshot of the list is ignored.
    pub(super) async fn restore(&self) {
        let whole_purges = self.list.whole_purges();
        if self.list.stored().is_none() {
            match self.access(SnapshotFile::read).await {
                Ok((synced_at, list)) => self.fill(synced_at, list, whole_purges),
                Err(SnapshotError::File(FileError::Io(error))) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.log_ignored(&error),
            }
        }
    }

    /// Writes the list after each walk and some time after each change, forever. A
    /// purge removes the file at once.
    pub(super) async fn keep(&self) {
        let Some(mut purges) = self.list.snapshot_purges() else { return };
        let mut written = self.list.stored().map_or_else(Written::default, |stored| Written::new(&stored, None));
        loop {
            // A purge during the restoration counts too.
            while self.list.has_unremoved() {
                let number = *purges.borrow_and_update();
                written.list = Weak::new();
                if self.remove().await {
                    self.list.record_removed(number);
                } else {
                    sleep(REMOVE_PAUSE).await;
                }
            }
            tokio::select! {
                biased;
                changed = purges.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = sleep(CHECK_INTERVAL) => {
                    let Some(stored) = self.list.usable().filter(|stored| written.is_outdated(stored)) else { continue };
                    written = Written::new(&stored, Some(Instant::now()));
                    self.write(stored, purges.clone()).await;
                }
            }
        }
    }

    fn fill(&self, synced_at: Timestamp, list: StoredList, whole_purges: u64) {
        let age = Duration::try_from(self.clock.now().duration_since(synced_at));
        let synced = age.ok().and_then(|age| Some((age, self.clock.elapsed().checked_sub(age)?)));
        match synced {
            None => self.log_ignored(&SnapshotError::Future),
            Some((age, _)) if age > self.max_age => self.log_ignored(&SnapshotError::Expired),
            Some((_, synced)) => {
                let rows = list.len();
                if self.list.fill(Stored::new(Arc::new(list), synced_at, synced), whole_purges) {
                    self.list.record(SyncState::Off, false);
                    tracing::info!(path = %self.file.path.display(), rows, %synced_at, "snapshot restored");
                }
            }
        }
    }

    /// Writes a list, unless a purge concerns it.
    async fn write(&self, stored: Arc<Stored>, mut purges: watch::Receiver<u64>) {
        let (list, synced_at) = (Arc::clone(&stored.list), stored.synced_at);
        let writing = self.access_at(self.file.temporary(), move |file| Ok(file.write(synced_at, &list)?));
        let written = tokio::select! {
            biased;
            _ = purges.changed() => return,
            written = writing => written,
        };
        let committed = match written {
            // A purge that arrives now removes the file afterwards.
            Ok(()) => self.access(|file| Ok(file.commit()?)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            tracing::warn!(path = %self.file.path.display(), %error, "snapshot not written");
        }
    }

    /// Removes the file. Returns false after a failure.
    async fn remove(&self) -> bool {
        let removed = self.access(|file| Ok(file.remove()?)).await;
        // A write in progress ends first.
        let unwritten = self.access_at(self.file.temporary(), |file| Ok(file.remove_temporary()?)).await;
        let removed = removed.and(unwritten);
        if let Err(error) = &removed {
            tracing::error!(path = %self.file.path.display(), %error, "snapshot with purged rows not removed");
        }
        removed.is_ok()
    }

    /// Accesses the file on a thread of its own, within the time limit.
    async fn access<T: Send + 'static>(
        &self,
        access: impl FnOnce(&SnapshotFile) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        self.access_at(self.file.path.clone(), access).await
    }

    /// Accesses a path after all other accesses to it.
    async fn access_at<T: Send + 'static>(
        &self,
        path: PathBuf,
        access: impl FnOnce(&SnapshotFile) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        let file = self.file.clone();
        let run = move || files::run_for(&path, TIMEOUT, move || Ok(access(&file)))?;
        spawn_blocking(run).await.unwrap_or(Err(FileError::TimedOut(TIMEOUT).into()))
    }

    fn log_ignored(&self, error: &SnapshotError) {
        tracing::warn!(path = %self.file.path.display(), %error, "snapshot ignored");
    }
}

impl Written {
    fn new(stored: &Arc<Stored>, at: Option<Instant>) -> Self {
        Self { list: Arc::downgrade(stored), synced: Some(stored.synced), at }
    }

    fn is_outdated(&self, stored: &Arc<Stored>) -> bool {
        let is_same = self.list.upgrade().is_some_and(|written| Arc::ptr_eq(&written, stored));
        let is_due = self.at.is_none_or(|at| at.elapsed() >= WRITE_INTERVAL);
        self.synced != Some(stored.synced) || (!is_same && is_due)
    }
}
