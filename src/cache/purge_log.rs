//! Recent purges, for the fetches in flight.
//!
//! A fetch that began before a purge of its scope must not outlive the purge. A
//! purge of a connection is known to cover a fetch at once. A purge of a customer
//! covers a fetch only if the page contains the customer, so the page is checked
//! when it has arrived. Purges of one connection do not affect other connections.

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::domain::connection::ConnectionName;

use super::{Entry, Scope, purge::concerns};

/// Maximum number of purged customers that are remembered per connection. Beyond
/// it, the fetches of the connection that are in flight count as purged.
const MAX_CUSTOMERS: usize = 1_000;

/// Purges by connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct PurgeLog(Arc<Mutex<HashMap<ConnectionName, Purges>>>);

/// Number of purges of a connection at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct PurgeCount(u64);

/// Purges of one connection.
#[derive(Debug, Default)]
struct Purges {
    count: PurgeCount,
    /// Last purge of the whole connection.
    whole: PurgeCount,
    /// Last purge that is no longer remembered by its customer.
    forgotten: PurgeCount,
    /// Last purge of each remembered customer.
    customers: HashMap<Arc<str>, PurgeCount>,
    /// Starts of the fetches in flight, with their numbers.
    in_flight: BTreeMap<PurgeCount, usize>,
}

/// Fetch in flight, for which purges are remembered until it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    log: PurgeLog,
    connection: ConnectionName,
    /// Purges before the fetch.
    pub(super) started: PurgeCount,
}

impl PurgeLog {
    /// Returns the number of purges of a connection, and the last purge of the
    /// whole connection.
    pub(super) fn counts(&self, connection: &ConnectionName) -> (PurgeCount, PurgeCount) {
        self.0.lock().get(connection).map_or_else(Default::default, |purges| (purges.count, purges.whole))
    }

    /// Records the start of a fetch.
    pub(super) fn begin(&self, connection: &ConnectionName) -> Flight {
        let mut log = self.0.lock();
        let purges = log.entry(connection.clone()).or_default();
        let started = purges.count;
        *purges.in_flight.entry(started).or_default() += 1;
        Flight { log: self.clone(), connection: connection.clone(), started }
    }

    /// Records a purge, before its entries are removed.
    pub(super) fn record(&self, scope: &Scope) {
        let mut log = self.0.lock();
        match scope {
            Scope::Connections(names) => {
                for name in names {
                    log.entry(name.clone()).or_default().record_whole();
                }
            }
            Scope::Customer(name, vendor_id) => log.entry(name.clone()).or_default().record_customer(vendor_id),
        }
    }

    /// Returns whether a purge since `started` covers the page of a fetch of the
    /// connection that began then.
    pub(super) fn covers(&self, connection: &ConnectionName, started: PurgeCount, entry: &Entry) -> bool {
        match self.customers_since(connection, started) {
            Some(customers) => customers.iter().any(|customer| concerns(entry, customer)),
            None => true,
        }
    }

    /// Returns the customers whose purge may cover a fetch that began at `started`.
    /// `None` if a purge covers the fetch whatever its page contains.
    fn customers_since(&self, connection: &ConnectionName, started: PurgeCount) -> Option<Vec<Arc<str>>> {
        let log = self.0.lock();
        let Some(purges) = log.get(connection) else { return Some(Vec::new()) };
        if purges.whole.max(purges.forgotten) > started {
            return None;
        }
        let since = purges.customers.iter().filter(|(_, purge)| **purge > started);
        Some(since.map(|(customer, _)| Arc::clone(customer)).collect())
    }
}

impl Purges {
    fn record_whole(&mut self) {
        self.count.0 += 1;
        self.whole = self.count;
        self.customers.clear();
    }

    fn record_customer(&mut self, vendor_id: &str) {
        self.count.0 += 1;
        if self.in_flight.is_empty() {
            return;
        }
        if self.customers.len() >= MAX_CUSTOMERS && !self.customers.contains_key(vendor_id) {
            self.customers.clear();
            self.forgotten = self.count;
        }
        self.customers.insert(vendor_id.into(), self.count);
    }

    /// Forgets the purges that are older than all fetches in flight.
    fn end(&mut self, started: PurgeCount) {
        if let Some(number) = self.in_flight.get_mut(&started) {
            *number -= 1;
            if *number == 0 {
                self.in_flight.remove(&started);
            }
        }
        let oldest = self.in_flight.first_key_value().map(|(started, _)| *started);
        let forgotten = &mut self.forgotten;
        self.customers.retain(|_, purge| {
            let is_needed = oldest.is_some_and(|oldest| *purge > oldest);
            if !is_needed {
                *forgotten = (*forgotten).max(*purge);
            }
            is_needed
        });
    }
}

impl Flight {
    /// Returns whether a purge since the start of the fetch covers its page.
    pub(super) fn is_purged(&self, entry: &Entry) -> bool {
        self.log.covers(&self.connection, self.started, entry)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(purges) = self.log.0.lock().get_mut(&self.connection) {
            purges.end(self.started);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ConnectionName {
        "affiliates".parse().unwrap()
    }

    fn purge(log: &PurgeLog, customer: &impl ToString) {
        log.record(&Scope::Customer(name(), customer.to_string()));
    }

    fn remembered(log: &PurgeLog) -> usize {
        log.0.lock()[&name()].customers.len()
    }

    #[test]
    fn purges_are_forgotten_with_older_flights() {
        let log = PurgeLog::default();
        purge(&log, &"a");
        let first = log.begin(&name());
        purge(&log, &"b");
        let second = log.begin(&name());
        purge(&log, &"c");
        assert_eq!(remembered(&log), 2);
        drop(first);
        assert_eq!(remembered(&log), 1);
        assert_eq!(log.customers_since(&name(), second.started), Some(vec!["c".into()]));
        drop(second);
        assert_eq!(remembered(&log), 0);
        assert!(log.0.lock()[&name()].in_flight.is_empty());
    }

    #[test]
    fn log_is_bounded_and_then_conservative() {
        let log = PurgeLog::default();
        let old = log.begin(&name());
        for customer in 0..MAX_CUSTOMERS {
            purge(&log, &customer);
            purge(&log, &0);
        }
        assert_eq!(remembered(&log), MAX_CUSTOMERS);
        assert!(log.customers_since(&name(), old.started).is_some());
        purge(&log, &"one more");
        assert_eq!(remembered(&log), 1);
        assert_eq!(log.customers_since(&name(), old.started), None);
        let new = log.begin(&name());
        assert_eq!(log.customers_since(&name(), new.started), Some(Vec::new()));
    }
}
