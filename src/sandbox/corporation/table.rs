//! Table of customers in an order that is fixed, but follows no field.

use std::collections::{BTreeMap, HashMap};

use super::{super::vendor::Store, Customer};

/// Position of a customer in the list.
pub(crate) type Rank = [u8; 32];

/// Customers in the order of a keyed hash of their ids. The vendor promises no order (FACTS), so
/// clients must not rely on one.
#[derive(Debug)]
pub struct Table {
    key: [u8; 32],
    rows: BTreeMap<Rank, Customer>,
    ranks: HashMap<String, Rank>,
}

impl Table {
    pub(crate) fn new(seed: u64, rows: Vec<Customer>) -> Self {
        let mut table = Self {
            key: blake3::derive_key("customer-gateway sandbox list order", &seed.to_le_bytes()),
            rows: BTreeMap::new(),
            ranks: HashMap::with_capacity(rows.len()),
        };
        for row in rows {
            table.insert(row);
        }
        table
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Customer> {
        self.rows.get(self.ranks.get(id)?)
    }

    /// Returns all rows in list order, each with its rank.
    pub(crate) fn ranked(&self) -> impl Iterator<Item = (&Rank, &Customer)> {
        self.rows.iter()
    }

    /// Returns the rank of an id. A removed id keeps its rank, so its cursor stays valid.
    pub(crate) fn rank(&self, id: &str) -> Rank {
        *blake3::keyed_hash(&self.key, id.as_bytes()).as_bytes()
    }
}

impl Store<Customer> for Table {
    fn to_vec(&self) -> Vec<Customer> {
        self.rows.values().cloned().collect()
    }

    fn insert(&mut self, row: Customer) {
        let rank = self.rank(&row.id);
        self.ranks.insert(row.id.clone(), rank);
        self.rows.insert(rank, row);
    }

    fn remove(&mut self, id: &str) -> bool {
        self.ranks.remove(id).and_then(|rank| self.rows.remove(&rank)).is_some()
    }
}
