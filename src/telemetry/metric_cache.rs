//! Cache of registered metrics.

use std::hash::Hash;

use hashbrown::HashMap;
use parking_lot::RwLock;

/// Registered metrics by key, because each lookup in the registry allocates the labels.
/// Keys are never removed, so their number must be bounded.
pub(crate) struct MetricCache<K, M>(RwLock<HashMap<K, M>>);

impl<K: Eq + Hash + Clone, M: Clone> MetricCache<K, M> {
    /// Returns the metric of a key. Calls `register` at the first use. Concurrent first
    /// uses may call it more than once, so it must return the same metric each time.
    pub(crate) fn get_or_register(&self, key: &K, register: impl FnOnce() -> M) -> M {
        if let Some(metric) = self.0.read().get(key) {
            return metric.clone();
        }
        let metric = register();
        self.0.write().insert(key.clone(), metric.clone());
        metric
    }
}

impl<K, M> Default for MetricCache<K, M> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}
