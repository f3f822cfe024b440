//! Cache of sorted views.
//!
//! A view is used only while a lookup of each of its pages would be a fresh hit,
//! or would return the same pages. A view therefore has no lifetime of its own.

use std::sync::Arc;

use crate::{
    cache::Key,
    domain::{connection::ConnectionName, query::Order, residual::Residual},
};

use super::{super::fair_cache::FairCache, view::View};

/// Maximum memory of the views, in bytes: about 1.9 million rows.
const MAX_BYTES: usize = 16 << 20;
/// Memory of a view in addition to its rows and texts, in bytes.
const VIEW_BYTES: usize = 200;

/// Sorted views of lists, by connection. Clones share the contents.
#[derive(Debug, Clone)]
pub(in crate::directory) struct Views(FairCache<ConnectionName, ViewKey, Arc<View>>);

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
        Self(FairCache::new(MAX_BYTES, |key, view| weight(key, view)))
    }
}

impl Views {
    /// Returns the view of a list.
    pub(super) fn get(&self, key: &ViewKey) -> Option<Arc<View>> {
        self.0.get(key)
    }

    /// Stores the view of a list.
    pub(super) fn insert(&self, key: ViewKey, view: &Arc<View>) {
        let connection = key.first_page.connection.clone();
        self.0.insert(&connection, key, Arc::clone(view));
    }
}

/// Returns the memory of a view with its key, in bytes.
fn weight(key: &ViewKey, view: &View) -> usize {
    let Residual { name, search, email, external_id, .. } = &key.residual;
    let texts: usize = [name, search, email, external_id].into_iter().flatten().map(String::len).sum();
    size_of::<ViewKey>() + key.first_page.target.len() + texts + view.weight() + VIEW_BYTES
}
