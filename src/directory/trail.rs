//! Which page led to which: how to walk back where a vendor's cursor leads
//! forward only.

use moka::sync::Cache;

use crate::{cache::Key, domain::anchor::Anchor};

/// How many steps are remembered; each weighs some hundred bytes.
const CAPACITY: u64 = 50_000;

/// The predecessors of pages that walks have come through.
#[derive(Debug, Clone)]
pub(super) struct Trail(Cache<Key, Anchor>);

impl Default for Trail {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Trail {
    /// Remembers that the page of `key` follows the page at `anchor`.
    pub(super) fn remember(&self, key: Key, anchor: &Anchor) {
        self.0.insert(key, anchor.clone());
    }

    /// The anchor of the page that the page of `key` follows.
    pub(super) fn before(&self, key: &Key) -> Option<Anchor> {
        self.0.get(key)
    }
}
