//! Bounded store of cache entries. Only this file knows that moka holds them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use moka::{future::Cache, notification::RemovalCause};

use super::{Entry, Key, Policy, Scope};

/// Entries by key, bounded by their total weight. Clones share the entries.
#[derive(Clone)]
pub(super) struct Store {
    entries: Cache<Key, Arc<Entry>>,
    /// Number of purges so far.
    epoch: Arc<AtomicU64>,
}

impl Store {
    /// Creates a store whose entries weigh at most `max_bytes` in total.
    pub(super) fn new(max_bytes: u64) -> Self {
        let entries = Cache::builder()
            .weigher(|key: &Key, entry: &Arc<Entry>| u32::try_from(entry.weight(key)).unwrap_or(u32::MAX))
            .eviction_listener(|key, entry: Arc<Entry>, cause| entry.on_removed(&key, cause == RemovalCause::Size))
            .max_capacity(max_bytes)
            .build();
        Self { entries, epoch: Arc::default() }
    }

    /// Returns the number of entries, which is approximate under load.
    pub(super) fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Returns the entry of a key.
    pub(super) async fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key).await
    }

    /// Returns the current purge epoch, which each purge increments.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Inserts an entry, unless a purge has started since `epoch`.
    pub(super) async fn insert(&self, key: &Key, entry: &Arc<Entry>, policy: &Policy, epoch: u64) {
        if epoch != self.epoch() {
            return;
        }
        if let Some(old) = self.entries.get(key).await {
            old.mark_superseded();
        }
        entry.on_inserted(key, policy);
        self.entries.insert(key.clone(), Arc::clone(entry)).await;
        // A concurrent purge may miss the new entry. The epoch is read with a
        // write, so either the purge is visible here or it finds the entry.
        if epoch != self.epoch.fetch_add(0, Ordering::AcqRel) {
            entry.mark_superseded();
            self.entries.remove(key).await;
        }
    }

    /// Removes the entries of a scope and returns their number.
    pub(super) async fn purge(&self, scope: &Scope) -> usize {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let covered: Vec<_> = self.entries.iter().filter(|(key, entry)| scope.covers(key, entry)).collect();
        let mut purged = 0;
        for (key, entry) in covered {
            entry.mark_superseded();
            purged += usize::from(self.entries.remove(&*key).await.is_some());
        }
        purged
    }
}
