//! Table of customers in an order that follows no field.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use super::{
    super::vendor::{Direction, Store},
    Customer,
};

/// Position of a customer in the list: zero, and the keyed hash of the id. Rows that moved have
/// another first number.
pub(crate) type Rank = (i64, [u8; 32]);

/// Customers in the order of a keyed hash of their ids. The vendor promises no order (FACTS), so
/// clients must not rely on one. A new customer therefore appears anywhere in the list.
#[derive(Debug)]
pub struct Table {
    key: [u8; 32],
    rows: BTreeMap<Rank, Customer>,
    ranks: HashMap<String, Rank>,
    /// Number of customers by corporation.
    counts: HashMap<String, usize>,
}

impl Table {
    pub(crate) fn new(seed: u64, rows: Vec<Customer>) -> Self {
        let mut table = Self {
            key: blake3::derive_key("customer-gateway sandbox list order", &seed.to_le_bytes()),
            rows: BTreeMap::new(),
            ranks: HashMap::with_capacity(rows.len()),
            counts: HashMap::new(),
        };
        for row in rows {
            table.insert(row);
        }
        table
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Customer> {
        self.rows.get(self.ranks.get(id)?)
    }

    /// Returns all rows in list order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Customer> {
        self.rows.values()
    }

    /// Returns the rows after a rank in list order, or all rows.
    pub(crate) fn rows_after(&self, rank: Option<Rank>) -> impl Iterator<Item = &Customer> {
        let start = rank.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((start, Bound::Unbounded)).map(|(_, row)| row)
    }

    /// Returns the number of customers of a corporation.
    pub(crate) fn count(&self, corporation_id: &str) -> usize {
        self.counts.get(corporation_id).copied().unwrap_or_default()
    }

    /// Returns the rank of an id. A removed id keeps its rank, so its cursor stays valid.
    pub(crate) fn rank(&self, id: &str) -> Rank {
        let hash = || (0, *blake3::keyed_hash(&self.key, id.as_bytes()).as_bytes());
        self.ranks.get(id).copied().unwrap_or_else(hash)
    }

    fn insert_at(&mut self, rank: Rank, row: Customer) {
        self.remove(&row.id);
        self.ranks.insert(row.id.clone(), rank);
        *self.counts.entry(row.corporation_id.clone()).or_default() += 1;
        self.rows.insert(rank, row);
    }
}

impl Store<Customer> for Table {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn to_vec(&self) -> Vec<Customer> {
        self.rows().cloned().collect()
    }

    fn id_at(&self, index: usize) -> Option<String> {
        self.rows().nth(index).map(|row| row.id.clone())
    }

    fn insert(&mut self, row: Customer) {
        self.insert_at(self.rank(&row.id), row);
    }

    fn update(&mut self, id: &str, change: impl FnOnce(&mut Customer)) -> bool {
        let Some(mut row) = self.get(id).cloned() else {
            return false;
        };
        change(&mut row);
        // The id may have changed.
        let rank = self.rank(&row.id);
        self.remove(id);
        self.insert_at(rank, row);
        true
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(row) = self.ranks.remove(id).and_then(|rank| self.rows.remove(&rank)) else {
            return false;
        };
        if let Some(count) = self.counts.get_mut(&row.corporation_id) {
            *count -= 1;
        }
        true
    }

    fn rotate(&mut self, direction: Direction) {
        let (Some((first, _)), Some((last, _))) = (self.rows.first_key_value(), self.rows.last_key_value()) else {
            return;
        };
        let (from, to) = match direction {
            Direction::Down => (*first, last.0.saturating_add(1)),
            Direction::Up => (*last, first.0.saturating_sub(1)),
        };
        if let Some(row) = self.rows.get(&from).cloned() {
            self.insert_at((to, from.1), row);
        }
    }

    fn remove_last(&mut self) {
        if let Some(id) = self.rows.last_key_value().map(|(_, row)| row.id.clone()) {
            self.remove(&id);
        }
    }
}
