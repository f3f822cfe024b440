//! Set of rows with different ids.

use std::{fmt, hash::BuildHasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::RowRef;

/// Rows with different ids. The set does not store the ids.
#[derive(Default)]
pub(super) struct IdSet {
    rows: HashTable<RowRef>,
    hasher: DefaultHashBuilder,
}

impl IdSet {
    /// Adds a row. `id_of` returns the id of a row of the set. Returns false if
    /// another row has the id.
    pub(super) fn insert<'a>(&mut self, id: &str, row: RowRef, id_of: impl Fn(RowRef) -> &'a str) -> bool {
        let hash = self.hasher.hash_one(id);
        if self.rows.find(hash, |other| id_of(*other) == id).is_some() {
            return false;
        }
        self.rows.insert_unique(hash, row, |row| self.hasher.hash_one(id_of(*row)));
        true
    }
}

impl fmt::Debug for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdSet").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}
