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
        let all = self.0.lock();
        match scope {
            Scope::Connections(names) => names.iter().filter_map(|name| all.get(name)).for_each(|lists| lists.purge()),
            Scope::Customer(name, id) => {
                if let Some(lists) = all.get(name) {
                    lists.purge_customer(id);
                }
            }
        }
    }
}
