//! The stored lists of one connection, shared by the requests that read them and
//! the job that fills them.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{domain::query::Resource, telemetry::metrics::Registry};

use super::{StoredList, SyncMetrics, SyncSettings, SyncStatus};

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
    requested: Notify,
}

/// Complete list, with the time of its walk.
#[derive(Debug)]
pub struct Stored {
    /// The rows.
    pub list: Arc<StoredList>,
    /// Start of the walk that the list rests on.
    pub synced_at: Timestamp,
    /// The same instant on the clock of the process.
    pub synced: Duration,
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
}

impl ListCopy {
    fn new(resource: Resource, metrics: SyncMetrics) -> Self {
        Self {
            resource,
            metrics,
            stored: ArcSwapOption::empty(),
            status: Mutex::new(SyncStatus::default()),
            requested: Notify::new(),
        }
    }

    /// Returns the complete list, if there is one.
    #[must_use]
    pub fn stored(&self) -> Option<Arc<Stored>> {
        self.stored.load_full()
    }

    /// Replaces the list.
    pub fn store(&self, stored: Option<Arc<Stored>>) {
        self.stored.store(stored);
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
        self.requested.notify_one();
    }

    /// Waits for a requested walk.
    pub async fn walk_requested(&self) {
        self.requested.notified().await;
    }
}
