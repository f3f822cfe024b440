//! Removing entries before their time.

use std::sync::atomic::Ordering;

use super::{Entry, Key, PageCache};
use crate::domain::connection::ConnectionName;

/// Which entries to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of these connections.
    Connections(Vec<ConnectionName>),
    /// Those that show this customer, by the connection and the vendor's id,
    /// and the connection's "no such row" answers: one may be about it.
    Customer(ConnectionName, String),
}

impl Scope {
    fn covers(&self, key: &Key, entry: &Entry) -> bool {
        match self {
            Self::Connections(names) => names.contains(&key.connection),
            Self::Customer(connection, vendor_id) => {
                key.connection == *connection && (!entry.found || entry.page.find(vendor_id).is_some())
            }
        }
    }
}

impl PageCache {
    /// Removes the entries of a scope, and says how many went. Flights under
    /// way are not stored when they land.
    pub async fn purge(&self, scope: &Scope) -> usize {
        self.purges.fetch_add(1, Ordering::AcqRel);
        let covered: Vec<_> = self.store.iter().filter(|(key, entry)| scope.covers(key, entry)).collect();
        let mut purged = 0;
        for (key, entry) in covered {
            entry.supersede();
            purged += usize::from(self.store.remove(&*key).await.is_some());
        }
        purged
    }
}
