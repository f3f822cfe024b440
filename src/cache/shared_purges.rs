//! Purges that concern the caches of all replicas.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{
    domain::connection::ConnectionName,
    shared::{Confirmations, Fingerprint, Purge, PurgeFeed, ReceivedPurges, SharedPurges},
};

use super::{PageCache, Scope};

/// Connections of the accounts whose pages are shared. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts(Arc<Mutex<HashMap<Fingerprint, ConnectionName>>>);

/// Result of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// Number of removed entries of this process.
    pub entries: usize,
    /// Replicas that have applied the purge. `None` for a gateway without replicas.
    pub confirmations: Option<Confirmations>,
}

impl Accounts {
    fn of_connections(&self, names: &[ConnectionName]) -> Vec<Fingerprint> {
        let accounts = self.0.lock();
        accounts.iter().filter(|(_, name)| names.contains(name)).map(|(account, _)| *account).collect()
    }

    fn all(&self) -> (Vec<Fingerprint>, Vec<ConnectionName>) {
        self.0.lock().iter().map(|(account, name)| (*account, name.clone())).unzip()
    }

    /// Returns the scope of a purge. `None` for the account of another gateway.
    fn scope(&self, Purge { account, customer }: Purge) -> Option<Scope> {
        let name = self.0.lock().get(&account)?.clone();
        Some(match customer {
            Some(id) => Scope::Customer(name, id),
            None => Scope::Connections(vec![name]),
        })
    }
}

impl PageCache {
    /// Sets the account of a connection, whose purges concern all replicas.
    pub fn set_account(&self, account: Fingerprint, name: ConnectionName) {
        let mut accounts = self.second_tier.accounts.0.lock();
        accounts.retain(|_, other| *other != name);
        accounts.insert(account, name);
    }

    /// Returns a cache with the same contents whose purges concern all replicas.
    #[must_use]
    pub fn with_purges(mut self, purges: Arc<dyn SharedPurges>) -> Self {
        self.second_tier.purges = Some(purges);
        self
    }

    /// Removes the entries of a scope from the caches of all replicas.
    pub async fn purge_everywhere(&self, scope: &Scope) -> Purged {
        let Some(purges) = &self.second_tier.purges else {
            let entries = self.purge(scope).await;
            // A purge that is acknowledged holds after the process has been killed. With
            // shared state, no list has a snapshot.
            self.lists.wait_for_snapshots(scope).await;
            return Purged { entries, confirmations: None };
        };
        // The pages on the server come first: a page that is loaded in between is then
        // removed here.
        let announced = purges.announce(self.shared_scope(scope)).await;
        let entries = self.purge(scope).await;
        Purged { entries, confirmations: Some(purges.confirmations(announced).await) }
    }

    /// Applies the purges of other replicas, forever.
    pub async fn apply_purges(self, mut feed: Box<dyn PurgeFeed>) {
        let Some(purges) = &self.second_tier.purges else { return };
        loop {
            match feed.received().await {
                ReceivedPurges::Purges(received) => {
                    for purge in received {
                        if let Some(scope) = self.second_tier.accounts.scope(purge) {
                            self.purge(&scope).await;
                        }
                    }
                }
                ReceivedPurges::Unknown => {
                    let (_, names) = self.second_tier.accounts.all();
                    self.purge(&Scope::Connections(names)).await;
                }
                ReceivedPurges::Lost => {
                    let (accounts, names) = self.second_tier.accounts.all();
                    purges.forget(accounts).await;
                    self.purge(&Scope::Connections(names)).await;
                }
            }
        }
    }

    fn shared_scope(&self, scope: &Scope) -> Vec<Purge> {
        let (names, customer) = match scope {
            Scope::Connections(names) => (names.as_slice(), None),
            Scope::Customer(name, id) => (std::slice::from_ref(name), Some(id)),
        };
        let accounts = self.second_tier.accounts.of_connections(names);
        accounts.into_iter().map(|account| Purge { account, customer: customer.cloned() }).collect()
    }
}
