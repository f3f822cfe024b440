//! Stored list of one resource, shared by the requests that read it and the job that
//! fills it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::domain::query::Resource;

use super::{Fetched, Inbox, Stored, SyncMetrics, SyncState, SyncStatus};

/// Maximum number of fetched pages that wait for the job.
const MAX_FETCHED: usize = 64;

/// Number of purged rows above which the whole list counts as purged.
const MAX_PURGED: usize = 1000;

/// Stored list of one resource.
#[derive(Debug)]
pub struct ListCopy {
    /// The resource of the list.
    pub resource: Resource,
    /// Metrics of the walks.
    pub metrics: SyncMetrics,
    stored: ArcSwapOption<Stored>,
    status: Mutex<SyncStatus>,
    inbox: Mutex<Inbox>,
    /// Signals a change of the inbox.
    arrived: Notify,
    /// True until the snapshot of the list has been read.
    is_restoring: AtomicBool,
    /// Number of reads whose rows the list may receive.
    filling: AtomicUsize,
    /// Number of purges of rows of the list.
    purges: watch::Sender<u64>,
    /// Purges that concern the snapshot, if the list has one.
    snapshot: Option<SnapshotPurges>,
}

/// Purges that concern a snapshot, also of rows that the list lacks: the snapshot may be
/// older than the list.
#[derive(Debug, Default)]
struct SnapshotPurges {
    /// Number of purges.
    requested: watch::Sender<u64>,
    /// Number of purges whose rows are not in the snapshot.
    removed: watch::Sender<u64>,
}

/// Read whose rows the list may receive. Until it is dropped, each purged row is
/// withheld, although the list lacks it.
#[derive(Debug)]
pub struct Filling(Arc<ListCopy>);

impl ListCopy {
    pub(super) fn new(resource: Resource, metrics: SyncMetrics, has_snapshot: bool) -> Self {
        Self {
            resource,
            metrics,
            stored: ArcSwapOption::empty(),
            status: Mutex::new(SyncStatus::default()),
            inbox: Mutex::new(Inbox::default()),
            arrived: Notify::new(),
            is_restoring: AtomicBool::new(has_snapshot),
            filling: AtomicUsize::new(0),
            purges: watch::Sender::new(0),
            snapshot: has_snapshot.then(SnapshotPurges::default),
        }
    }

    /// Returns the complete list, if there is one that may answer questions.
    #[must_use]
    pub fn usable(&self) -> Option<Arc<Stored>> {
        // A purge withholds the list before it is acknowledged.
        let inbox = self.inbox.lock();
        if inbox.purged.is_empty() { self.stored.load_full() } else { None }
    }

    /// Returns the complete list, if there is one. It may contain purged rows.
    #[must_use]
    pub fn stored(&self) -> Option<Arc<Stored>> {
        self.stored.load_full()
    }

    /// Replaces the list, unless a purge of all rows has arrived since.
    pub fn store(&self, stored: Option<Arc<Stored>>) {
        let inbox = self.inbox.lock();
        if stored.is_some() && inbox.is_purged {
            return;
        }
        self.replace(stored);
    }

    /// Returns the age of the list at `now` on the clock of the process, if there is a
    /// list.
    #[must_use]
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.stored().map(|stored| now.saturating_sub(stored.synced))
    }

    /// Replaces the list by rows that were read after `whole_purges` purges of all rows.
    /// Returns false if another purge of all rows has arrived since.
    #[must_use]
    pub fn fill(&self, stored: Stored, whole_purges: u64) -> bool {
        let inbox = self.inbox.lock();
        if inbox.is_purged || inbox.whole_purges != whole_purges {
            return false;
        }
        self.replace(Some(Arc::new(stored)));
        true
    }

    /// Returns the number of purges of all rows.
    #[must_use]
    pub fn whole_purges(&self) -> u64 {
        self.inbox.lock().whole_purges
    }

    /// Replaces a list by a changed one. Returns false if the list has been replaced
    /// since.
    #[must_use]
    pub fn replace_if(&self, old: &Arc<Stored>, new: Stored) -> bool {
        let inbox = self.inbox.lock();
        let is_current = self.stored.load().as_ref().is_some_and(|stored| Arc::ptr_eq(stored, old));
        if is_current {
            self.replace(Some(Arc::new(new)));
        }
        drop(inbox);
        is_current
    }

    /// Begins a read whose rows the list may receive.
    #[must_use]
    pub fn begin_filling(self: &Arc<Self>) -> Filling {
        let inbox = self.inbox.lock();
        self.filling.fetch_add(1, Relaxed);
        drop(inbox);
        Filling(Arc::clone(self))
    }

    /// Records that the snapshot has been read.
    pub fn end_restoring(&self) {
        self.is_restoring.store(false, Relaxed);
    }

    /// Returns the number of purges of rows of the list, and its changes.
    #[must_use]
    pub fn purges(&self) -> watch::Receiver<u64> {
        self.purges.subscribe()
    }

    /// Returns the number of purges that concern the snapshot, and its changes. `None`
    /// without a snapshot.
    #[must_use]
    pub fn snapshot_purges(&self) -> Option<watch::Receiver<u64>> {
        self.snapshot.as_ref().map(|snapshot| snapshot.requested.subscribe())
    }

    /// Records that the snapshot contains no row of the first `purges` purges.
    pub fn record_removed(&self, purges: u64) {
        if let Some(snapshot) = &self.snapshot {
            snapshot.removed.send_replace(purges);
        }
    }

    /// Returns true if the snapshot may contain purged rows.
    #[must_use]
    pub fn has_unremoved(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|purges| *purges.removed.borrow() < *purges.requested.borrow())
    }

    /// Waits until the snapshot contains no row of the purges so far.
    pub(super) async fn wait_for_snapshot(&self) {
        let Some(SnapshotPurges { requested, removed }) = &self.snapshot else { return };
        let purges = *requested.borrow();
        // The sender is not dropped meanwhile.
        drop(removed.subscribe().wait_for(|removed| *removed >= purges).await);
    }

    fn purge_snapshot(&self) {
        if let Some(snapshot) = &self.snapshot {
            snapshot.requested.send_modify(|purges| *purges += 1);
        }
    }

    /// Returns the rows that are withheld.
    #[must_use]
    pub fn withheld(&self) -> HashSet<Box<str>> {
        self.inbox.lock().purged.clone()
    }

    /// Records the list in its status. `state` is the state without a list.
    pub fn record(&self, state: SyncState, is_walking: bool) {
        let stored = self.stored();
        self.update_status(|status| {
            status.state = if stored.is_some() { SyncState::Complete } else { state };
            status.is_walking = is_walking;
            status.rows = stored.as_ref().map_or(0, |stored| stored.list.len() as u64);
            status.bytes = stored.as_ref().map_or(0, |stored| stored.list.bytes());
            status.synced_at = stored.as_ref().map(|stored| stored.synced_at);
        });
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> SyncStatus {
        self.status.lock().clone()
    }

    /// Changes the status.
    pub fn update_status(&self, update: impl FnOnce(&mut SyncStatus)) {
        update(&mut self.status.lock());
    }

    /// Requests a walk as soon as possible.
    pub fn request_walk(&self) {
        self.inbox.lock().is_walk_requested = true;
        self.arrived.notify_one();
    }

    /// Passes a page that a request fetched to the job. Pages that arrive faster than
    /// the job reads them are dropped; the next walk finds their changes.
    pub fn offer(&self, fetched: Fetched) {
        if self.stored.load().is_none() {
            return;
        }
        let mut inbox = self.inbox.lock();
        if inbox.fetched.len() < MAX_FETCHED {
            inbox.fetched.push(fetched);
        }
        drop(inbox);
        self.arrived.notify_one();
    }

    /// Waits for work and takes it, except for purged rows: the job removes each of them
    /// after it was fetched. Purged rows are work only if `reads_rows`.
    pub async fn take_work(&self, reads_rows: bool) -> Inbox {
        loop {
            let arrived = self.arrived.notified();
            if let Some(work) = self.inbox.lock().take(reads_rows) {
                return work;
            }
            arrived.await;
        }
    }

    /// Ends the withholding of a purged row, whose current content is stored.
    pub fn release(&self, id: &str) {
        let mut inbox = self.inbox.lock();
        // A purge during the read may concern its row.
        if !inbox.purged_again.remove(id) {
            inbox.purged.remove(id);
        }
        drop(inbox);
        self.arrived.notify_one();
    }

    pub(super) fn purge(&self) {
        self.purge_all(&mut self.inbox.lock());
        self.arrived.notify_one();
    }

    fn purge_all(&self, inbox: &mut Inbox) {
        inbox.fetched.clear();
        inbox.purged.clear();
        inbox.purged_again.clear();
        inbox.whole_purges += 1;
        self.purges.send_modify(|purges| *purges += 1);
        self.purge_snapshot();
        (inbox.is_purged, inbox.is_walk_requested) = (true, true);
        self.replace(None);
    }

    /// Withholds the list until a purged row is read again, by a read that begins after
    /// now.
    pub fn purge_row(&self, id: &str) {
        self.add_purged(id, true);
    }

    /// Withholds the list until a row is read again that another replica knows to be
    /// purged. Returns false if the list cannot contain the row.
    pub fn withhold_row(&self, id: &str) -> bool {
        self.add_purged(id, false)
    }

    fn add_purged(&self, id: &str, is_new_purge: bool) -> bool {
        let mut inbox = self.inbox.lock();
        self.purge_snapshot();
        // Rows that are being read may contain the row as it was.
        let is_read = self.filling.load(Relaxed) > 0 || self.is_restoring.load(Relaxed) || self.status().is_walking;
        let stored = self.stored.load();
        let is_contained = stored.as_ref().is_some_and(|stored| stored.list.find(id).is_some());
        if !is_contained && !is_read {
            return false;
        }
        if let Some(stored) = &*stored {
            stored.mark_superseded();
        }
        if inbox.purged.len() < MAX_PURGED {
            if !inbox.purged.insert(id.into()) && is_new_purge {
                inbox.purged_again.insert(id.into());
            }
        } else {
            self.purge_all(&mut inbox);
        }
        self.purges.send_modify(|purges| *purges += 1);
        drop(inbox);
        self.arrived.notify_one();
        true
    }

    fn replace(&self, stored: Option<Arc<Stored>>) {
        if let Some(old) = self.stored.swap(stored) {
            old.mark_superseded();
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.0.filling.fetch_sub(1, Relaxed);
    }
}
