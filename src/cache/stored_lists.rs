//! Stored lists of the connections whose rows purges concern.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{copies::Copies, domain::connection::ConnectionName};

use super::Scope;

/// Stored lists by connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct StoredLists(Arc<Mutex<HashMap<ConnectionName, Arc<Copies>>>>);

impl StoredLists {
    /// Sets the lists of a connection.
    pub(super) fn set(&self, name: ConnectionName, lists: Option<Arc<Copies>>) {
        let mut all = self.0.lock();
        match lists {
            Some(lists) => all.insert(name, lists),
            None => all.remove(&name),
        };
    }

    /// Removes the rows of a scope, or withholds their lists until they are read again.
    pub(super) fn purge(&self, scope: &Scope) {
        for lists in self.of(scope) {
            match scope {
                Scope::Connections(_) => lists.purge(),
                Scope::Customer(_, id) => lists.purge_customer(id),
            }
        }
    }

    /// Waits until no snapshot contains a purged row of the scope's connections.
    pub(super) async fn wait_for_snapshots(&self, scope: &Scope) {
        for lists in self.of(scope) {
            lists.wait_for_snapshots().await;
        }
    }

    fn of(&self, scope: &Scope) -> Vec<Arc<Copies>> {
        let names = match scope {
            Scope::Connections(names) => names.as_slice(),
            Scope::Customer(name, _) => std::slice::from_ref(name),
        };
        let all = self.0.lock();
        names.iter().filter_map(|name| all.get(name).cloned()).collect()
    }
}
