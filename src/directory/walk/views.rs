//! Cache of sorted views.
//!
//! A view is used only while a lookup of each of its pages would be a fresh hit,
//! or would return the same pages. A view therefore has no lifetime of its own.

use std::sync::Arc;

use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{
    cache::Key,
    domain::{query::Order, residual::Residual},
};

use super::view::View;

/// Maximum memory of the views, in bytes: about 1.9 million rows.
const MAX_BYTES: u64 = 16 << 20;
/// Memory of a view in addition to its rows and texts, in bytes.
const VIEW_BYTES: usize = 200;

/// Sorted views of lists. Clones share the contents.
#[derive(Debug, Clone)]
pub(in crate::directory) struct Views(Cache<ViewKey, Arc<View>>);

/// Identity of a sorted list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ViewKey {
    /// Key of the first page, which identifies the connection and the vendor's
    /// list.
    pub(super) first_page: Key,
    pub(super) order: Order,
    pub(super) residual: Residual,
}

impl Default for Views {
    fn default() -> Self {
        let views = Cache::builder()
            .weigher(|key: &ViewKey, view: &Arc<View>| weight(key, view))
            .max_capacity(MAX_BYTES)
            // The default policy may reject a new view in favour of older views.
            .eviction_policy(EvictionPolicy::lru());
        Self(views.build())
    }
}

impl Views {
    /// Returns the view of a list.
    pub(super) fn get(&self, key: &ViewKey) -> Option<Arc<View>> {
        self.0.get(key)
    }

    /// Stores the view of a list.
    pub(super) fn insert(&self, key: ViewKey, view: &Arc<View>) {
        self.0.insert(key, Arc::clone(view));
    }
}

/// Returns the memory of a view with its key, in bytes.
fn weight(key: &ViewKey, view: &View) -> u32 {
    let Residual { name, search, email, external_id, .. } = &key.residual;
    let texts: usize = [name, search, email, external_id].into_iter().flatten().map(String::len).sum();
    u32::try_from(size_of::<ViewKey>() + key.first_page.target.len() + texts + view.weight() + VIEW_BYTES)
        .unwrap_or(u32::MAX)
}
