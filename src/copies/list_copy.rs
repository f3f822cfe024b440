//! The stored lists of one connection, shared by the requests that read them and
//! the jobs that fill them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    domain::{page::RecordPage, query::Resource},
    telemetry::metrics::Registry,
};

use super::{Stored, SyncMetrics, SyncSettings, SyncStatus};

/// Maximum number of fetched pages that wait for the job.
const MAX_FETCHED: usize = 64;

/// Number of purged rows above which the whole list counts as purged.
const MAX_PURGED: usize = 1000;

/// Stored lists of one connection.
#[derive(Debug)]
pub struct Copies {
    /// Settings of the lists.
    pub settings: SyncSettings,
    lists: Vec<Arc<ListCopy>>,
}

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
}

/// Work for the job of a list.
#[derive(Debug, Default)]
pub struct Inbox {
    /// True if a caller requested a walk.
    pub is_walk_requested: bool,
    /// True if all rows were purged. The walk in progress is not used.
    pub is_purged: bool,
    /// Purged rows, by their ids at the vendor. The list answers no question until the
    /// job has fetched them.
    pub purged: HashSet<Box<str>>,
    /// Pages that other requests fetched.
    pub fetched: Vec<Fetched>,
}

/// Page that a request fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The page.
    pub page: Arc<RecordPage>,
    /// Start of the fetch, on the clock of the process.
    pub started: Duration,
}

impl Copies {
    /// Creates the stored lists of the resources in the settings, without rows and
    /// without metrics.
    #[must_use]
    pub fn new(settings: SyncSettings) -> Self {
        Self::with(settings, |_| SyncMetrics::default())
    }

    /// Creates the stored lists of a connection, without rows.
    #[must_use]
    pub fn with_metrics(settings: SyncSettings, registry: &Registry, connection: &str) -> Self {
        Self::with(settings, |resource| SyncMetrics::new(registry, connection, resource))
    }

    fn with(settings: SyncSettings, metrics: impl Fn(Resource) -> SyncMetrics) -> Self {
        let list = |&resource: &Resource| Arc::new(ListCopy::new(resource, metrics(resource)));
        let lists = settings.resources.iter().map(list).collect();
        Self { settings, lists }
    }

    /// Returns all lists.
    #[must_use]
    pub fn lists(&self) -> &[Arc<ListCopy>] {
        &self.lists
    }

    /// Returns the list of a resource, if it is stored.
    #[must_use]
    pub fn list(&self, resource: Resource) -> Option<&Arc<ListCopy>> {
        self.lists.iter().find(|list| list.resource == resource)
    }

    /// Removes all rows of all lists, and requests walks.
    pub fn purge(&self) {
        self.lists.iter().for_each(|list| list.purge());
    }

    /// Withholds the lists that contain a customer until its row is fetched again.
    pub fn purge_customer(&self, id: &str) {
        if let Some(list) = self.list(Resource::Customers) {
            list.purge_row(id);
        }
    }
}

impl ListCopy {
    fn new(resource: Resource, metrics: SyncMetrics) -> Self {
        Self {
            resource,
            metrics,
            stored: ArcSwapOption::empty(),
            status: Mutex::new(SyncStatus::default()),
            inbox: Mutex::new(Inbox::default()),
            arrived: Notify::new(),
        }
    }

    /// Returns the complete list, if there is one that may answer questions.
    #[must_use]
    pub fn usable(&self) -> Option<Arc<Stored>> {
        let stored = self.stored.load_full()?;
        // A purge withholds the list before it is acknowledged.
        self.inbox.lock().purged.is_empty().then_some(stored)
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
    /// after it was fetched.
    pub async fn take_work(&self) -> Inbox {
        loop {
            let arrived = self.arrived.notified();
            if let Some(work) = self.inbox.lock().take() {
                return work;
            }
            arrived.await;
        }
    }

    /// Ends the withholding of a purged row, whose current content is stored.
    pub fn release(&self, id: &str) {
        self.inbox.lock().purged.remove(id);
    }

    fn purge(&self) {
        self.purge_all(&mut self.inbox.lock());
        self.arrived.notify_one();
    }

    fn purge_all(&self, inbox: &mut Inbox) {
        inbox.fetched.clear();
        inbox.purged.clear();
        (inbox.is_purged, inbox.is_walk_requested) = (true, true);
        self.replace(None);
    }

    fn purge_row(&self, id: &str) {
        let mut inbox = self.inbox.lock();
        match &*self.stored.load() {
            // A row that the list lacks cannot be served from it.
            Some(stored) if stored.list.find(id).is_none() && !self.status().is_walking => return,
            Some(stored) => stored.mark_superseded(),
            // A walk in progress may have read the row.
            None if !self.status().is_walking => return,
            None => {}
        }
        if inbox.purged.len() < MAX_PURGED {
            inbox.purged.insert(id.into());
        } else {
            self.purge_all(&mut inbox);
        }
        drop(inbox);
        self.arrived.notify_one();
    }

    fn replace(&self, stored: Option<Arc<Stored>>) {
        if let Some(old) = self.stored.swap(stored) {
            old.mark_superseded();
        }
    }
}

impl Inbox {
    /// Takes the work, except for purged rows. `None` if there is no work.
    fn take(&mut self) -> Option<Self> {
        let has_work = self.is_walk_requested || self.is_purged || !self.purged.is_empty() || !self.fetched.is_empty();
        has_work.then(|| Self {
            is_walk_requested: std::mem::take(&mut self.is_walk_requested),
            is_purged: std::mem::take(&mut self.is_purged),
            purged: self.purged.clone(),
            fetched: std::mem::take(&mut self.fetched),
        })
    }
}
