//! Rows of a vendor, in lists by partner.

use std::collections::{BTreeSet, HashMap};

/// Instant of row 0 in epoch seconds: 2020-01-01.
const FIRST: u64 = 1_577_836_800;
/// Rows with equal timestamps.
const TIES: u64 = 3;
/// Rows of a list whose name starts with `r`.
const RANDOM: u64 = 100;

/// Lists of row numbers. A greater number is a newer row.
#[derive(Default)]
pub struct Rows {
    lists: HashMap<String, BTreeSet<u64>>,
    /// Name of the list without a partner.
    default: String,
}

impl Rows {
    /// Creates a list of rows `0..count`. It is also the list without a partner if
    /// it is the first.
    pub fn with(mut self, list: &str, count: u64) -> Self {
        if self.lists.is_empty() {
            list.clone_into(&mut self.default);
        }
        self.lists.insert(list.to_owned(), (0..count).collect());
        self
    }

    pub fn insert(&mut self, list: &str, row: u64) {
        self.list(list).insert(row);
    }

    pub fn remove(&mut self, list: &str, row: u64) {
        self.list(list).remove(&row);
    }

    pub(super) fn has(&mut self, list: &str, row: u64) -> bool {
        self.list(list).contains(&row)
    }

    /// Returns a partner's list, or the default list. A name that starts with `r`
    /// is a list of 100 rows.
    pub(super) fn list(&mut self, list: &str) -> &mut BTreeSet<u64> {
        let name = if list.is_empty() { self.default.clone() } else { list.to_owned() };
        let count = if name.starts_with('r') { RANDOM } else { 0 };
        self.lists.entry(name).or_insert_with(|| (0..count).collect())
    }

    pub(super) fn default_list(&self) -> &str {
        &self.default
    }
}

/// Returns the vendor's id of a row.
pub fn id(list: &str, row: u64) -> String {
    format!("cust_{list}_{row:08}")
}

/// Returns the list and number in an id.
pub(super) fn parse(id: &str) -> Option<(&str, u64)> {
    let (list, row) = id.strip_prefix("cust_")?.rsplit_once('_')?;
    Some((list, row.parse().ok()?))
}

/// Returns the timestamp of a row in epoch seconds.
pub(super) fn created(row: u64) -> u64 {
    FIRST + row / TIES * TIES
}
