//! Cache whose memory is divided between owners.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

use lru::LruCache;
use parking_lot::Mutex;

/// Entries of several owners, bounded in bytes. An entry that exceeds the bound
/// removes the least recently used entry of the owner with the most bytes. Each of
/// `n` owners therefore keeps the `n`th part of the bytes, whatever the others
/// insert. Clones share the entries.
pub(super) struct FairCache<O, K, V>(Arc<Shared<O, K, V>>);

struct Shared<O, K, V> {
    max_bytes: usize,
    /// Returns the memory of an entry, in bytes.
    weigh: fn(&K, &V) -> usize,
    contents: Mutex<Contents<O, K, V>>,
}

struct Contents<O, K, V> {
    /// Entries by owner. Owners have names of the configuration, so their number is
    /// bounded.
    parts: HashMap<O, Part<K, V>>,
    /// Owner of each key.
    owners: HashMap<K, O>,
    bytes: usize,
}

/// Entries of one owner, least recently used first.
struct Part<K, V> {
    entries: LruCache<K, V>,
    bytes: usize,
}

impl<O, K, V> FairCache<O, K, V>
where
    O: Clone + Eq + Hash,
    K: Clone + Eq + Hash,
    V: Clone,
{
    /// Creates an empty cache of at most `max_bytes`, as measured by `weigh`.
    pub(super) fn new(max_bytes: usize, weigh: fn(&K, &V) -> usize) -> Self {
        let contents = Contents { parts: HashMap::new(), owners: HashMap::new(), bytes: 0 };
        Self(Arc::new(Shared { max_bytes, weigh, contents: Mutex::new(contents) }))
    }

    /// Returns the value of a key, of any owner, and counts as a use.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let Contents { parts, owners, .. } = &mut *self.0.contents.lock();
        parts.get_mut(owners.get(key)?)?.entries.get(key).cloned()
    }

    /// Stores a value of an owner, in place of the key's value of any owner. A value
    /// that exceeds the bound alone is not stored.
    pub(super) fn insert(&self, owner: &O, key: K, value: V) {
        let Shared { max_bytes, weigh, contents } = &*self.0;
        let weight = weigh(&key, &value);
        let mut contents = contents.lock();
        contents.remove(&key, *weigh);
        if weight > *max_bytes {
            return;
        }
        contents.owners.insert(key.clone(), owner.clone());
        let part = contents.parts.entry(owner.clone()).or_default();
        part.entries.put(key, value);
        part.bytes += weight;
        contents.bytes += weight;
        while contents.bytes > *max_bytes && contents.evict(*weigh) {}
    }
}

impl<O: Eq + Hash, K: Eq + Hash, V> Contents<O, K, V> {
    fn remove(&mut self, key: &K, weigh: fn(&K, &V) -> usize) {
        let owner = self.owners.remove(key);
        let Some(part) = owner.and_then(|owner| self.parts.get_mut(&owner)) else { return };
        if let Some((key, value)) = part.entries.pop_entry(key) {
            let weight = weigh(&key, &value);
            part.bytes -= weight;
            self.bytes -= weight;
        }
    }

    /// Removes an entry of the largest part. Returns false without entries.
    fn evict(&mut self, weigh: fn(&K, &V) -> usize) -> bool {
        let largest = self.parts.values_mut().max_by_key(|part| part.bytes);
        let Some(part) = largest else { return false };
        let Some((key, value)) = part.entries.pop_lru() else { return false };
        let weight = weigh(&key, &value);
        part.bytes -= weight;
        self.bytes -= weight;
        self.owners.remove(&key);
        true
    }
}

impl<K: Eq + Hash, V> Default for Part<K, V> {
    fn default() -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0 }
    }
}

impl<O, K, V> Clone for FairCache<O, K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O, K, V> fmt::Debug for FairCache<O, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FairCache").field("entries", &self.0.contents.lock().owners.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a cache of 100 bytes, in which a value is its own weight.
    fn cache() -> FairCache<&'static str, u32, usize> {
        FairCache::new(100, |_, value| *value)
    }

    fn bytes<O, K, V>(cache: &FairCache<O, K, V>) -> usize {
        cache.0.contents.lock().bytes
    }

    #[test]
    fn busy_owner_evicts_no_entry_of_others() {
        let cache = cache();
        for key in 0..10 {
            cache.insert(&"idle", key, 5);
        }
        for key in 100..10_000 {
            cache.insert(&"busy", key, 5);
        }
        assert!((0..10).all(|key| cache.get(&key) == Some(5)));
        assert_eq!(cache.get(&9_999), Some(5));
        assert!(bytes(&cache) <= 100);
    }

    #[test]
    fn single_owner_uses_all_bytes() {
        let cache = cache();
        for key in 0..20 {
            cache.insert(&"busy", key, 10);
        }
        assert!((10..20).all(|key| cache.get(&key).is_some()) && cache.get(&9).is_none());
        // A second owner takes bytes from the owner with the most.
        cache.insert(&"new", 100, 40);
        assert_eq!((cache.get(&100), cache.get(&13), cache.get(&14)), (Some(40), None, Some(10)));
    }

    #[test]
    fn least_recently_used_entry_is_evicted() {
        let cache = cache();
        for key in [1, 2, 3, 4] {
            cache.insert(&"a", key, 25);
        }
        assert_eq!(cache.get(&1), Some(25));
        cache.insert(&"a", 5, 25);
        assert_eq!([1, 2, 3].map(|key| cache.get(&key)), [Some(25), None, Some(25)]);
    }

    #[test]
    fn replaced_and_large_values_free_their_bytes() {
        let cache = cache();
        cache.insert(&"a", 1, 60);
        cache.insert(&"b", 1, 20);
        assert_eq!((cache.get(&1), bytes(&cache)), (Some(20), 20));
        cache.insert(&"b", 1, 101);
        assert_eq!((cache.get(&1), bytes(&cache)), (None, 0));
    }
}
