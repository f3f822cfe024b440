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
    /// Returns the lists, whose snapshots may still contain the rows.
    pub(super) fn purge(&self, scope: &Scope) -> Vec<Arc<Copies>> {
        let (names, customer) = match scope {
            Scope::Connections(names) => (names.as_slice(), None),
            Scope::Customer(name, id) => (std::slice::from_ref(name), Some(id)),
        };
        let lists: Vec<_> = {
            let all = self.0.lock();
            names.iter().filter_map(|name| all.get(name).cloned()).collect()
        };
        for lists in &lists {
            match customer {
                Some(id) => lists.purge_customer(id),
                None => lists.purge(),
            }
        }
        lists
    }
}
