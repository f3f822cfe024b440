//! Rows in an order that is fixed, but follows no field.

use std::collections::{BTreeMap, HashMap};

use super::{super::gate::Store, Customer};

/// A place in the list.
pub(crate) type Rank = [u8; 32];

/// The customers by a hash of their ids: the vendor promises no order (FACTS), so there is none to
/// rely on.
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

    /// All rows in list order, each with its place.
    pub(crate) fn ranked(&self) -> impl Iterator<Item = (&Rank, &Customer)> {
        self.rows.iter()
    }

    /// The place of an id, also of one that is gone: a walk survives the removal of its last row.
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
