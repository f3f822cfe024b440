//! The stored lists of one connection, shared by the requests that read them and
//! the jobs that fill them.

use std::sync::Arc;

use crate::{domain::query::Resource, telemetry::metrics::Registry};

use super::{ListCopy, SyncMetrics, SyncSettings};

/// Stored lists of one connection.
#[derive(Debug)]
pub struct Copies {
    /// Settings of the lists.
    pub settings: SyncSettings,
    lists: Vec<Arc<ListCopy>>,
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
        let has_snapshot = settings.snapshot.is_some();
        let list = |&resource: &Resource| Arc::new(ListCopy::new(resource, metrics(resource), has_snapshot));
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

    /// Waits until no snapshot contains a row that was purged so far.
    pub async fn wait_for_snapshots(&self) {
        for list in &self.lists {
            list.wait_for_snapshot().await;
        }
    }

    /// Withholds the lists that contain a customer until its row is fetched again.
    pub fn purge_customer(&self, id: &str) {
        if let Some(list) = self.list(Resource::Customers) {
            list.purge_row(id);
        }
    }
}
