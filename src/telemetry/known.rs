//! Metrics that were used before, by key.

use std::hash::Hash;

use hashbrown::HashMap;
use parking_lot::RwLock;

/// Metrics by key. A lookup here is faster than one in the registry, which compares
/// labels.
pub struct KnownMetrics<K, M>(RwLock<HashMap<K, M>>);

impl<K: Eq + Hash + Clone, M: Clone> KnownMetrics<K, M> {
    /// Returns the metric with this key, which is registered at its first use.
    pub fn get_or_register(&self, key: &K, register: impl FnOnce() -> M) -> M {
        if let Some(metric) = self.0.read().get(key) {
            return metric.clone();
        }
        let metric = register();
        self.0.write().insert(key.clone(), metric.clone());
        metric
    }
}

impl<K, M> Default for KnownMetrics<K, M> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}
