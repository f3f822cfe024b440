//! Order of visited pages, for backward walks at vendors with forward cursors
//! only.

use moka::sync::Cache;

use crate::{cache::Key, domain::anchor::Anchor};

/// Maximum number of recorded steps. A step takes a few hundred bytes.
const CAPACITY: u64 = 50_000;

/// Predecessors of visited pages. Clones share the contents.
#[derive(Debug, Clone)]
pub(super) struct Trail(Cache<Key, Anchor>);

impl Default for Trail {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Trail {
    /// Records that the page of `key` follows the page at `anchor`.
    pub(super) fn record(&self, key: Key, anchor: &Anchor) {
        self.0.insert(key, anchor.clone());
    }

    /// Returns the anchor of the page before the page of `key`, if recorded.
    pub(super) fn predecessor(&self, key: &Key) -> Option<Anchor> {
        self.0.get(key)
    }
}
