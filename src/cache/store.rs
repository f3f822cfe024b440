//! Bounded store of cache entries. Only this file knows that moka holds them.

use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use moka::{future::Cache, notification::RemovalCause};
use tokio::sync::RwLock;

use super::{Entry, Key, Lookup, Policy, Rows, Scope, purge_log::PurgeLog, row_index::RowIndex};

/// Entries by key, bounded by their total weight. Clones share the entries.
#[derive(Clone)]
pub(super) struct Store {
    entries: Cache<Key, Arc<Entry>, DefaultHashBuilder>,
    pub(super) rows: RowIndex,
    pub(super) purges: PurgeLog,
    /// Locked for reading while an entry is checked for purges and inserted.
    inserting: Arc<RwLock<()>>,
}

impl Store {
    /// Creates a store whose entries weigh at most `max_bytes` in total.
    pub(super) fn new(max_bytes: u64) -> Self {
        let entries = Cache::builder()
            .weigher(|key: &Key, entry: &Arc<Entry>| u32::try_from(entry.weight(key)).unwrap_or(u32::MAX))
            .eviction_listener(|key, entry: Arc<Entry>, cause| entry.on_removed(&key, cause == RemovalCause::Size))
            .max_capacity(max_bytes)
            .build_with_hasher(DefaultHashBuilder::default());
        Self { entries, rows: RowIndex::default(), purges: PurgeLog::default(), inserting: Arc::default() }
    }

    /// Returns the number of entries, which is approximate under load.
    pub(super) fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Returns the entry of a key.
    pub(super) async fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key).await
    }

    /// Inserts the entry of a fetch. If a purge since the start of the fetch covers
    /// the entry, the entry is superseded and not stored.
    pub(super) async fn insert(&self, lookup: &Lookup, entry: &Arc<Entry>) {
        let Lookup { key, policy, rows, .. } = lookup;
        let _inserting = self.inserting.read().await;
        if self.is_purged(key, entry) {
            entry.mark_superseded();
            return;
        }
        let old = self.entries.get(key).await;
        if let Some(old) = &old {
            old.mark_superseded();
        }
        if let (Some(old), Some(Rows::List(..))) = (old, rows)
            && old.has_rows_beyond(entry, policy)
            && !self.is_purged(key, &old)
        {
            self.put(&key.displaced(), &Arc::new(old.displaced()), policy, rows.as_ref()).await;
        }
        self.put(key, entry, policy, rows.as_ref()).await;
    }

    async fn put(&self, key: &Key, entry: &Arc<Entry>, policy: &Policy, rows: Option<&Rows>) {
        if let Some(Rows::List(rows)) = rows {
            self.rows.add(key, entry, rows);
        }
        entry.on_inserted(key, policy);
        self.entries.insert(key.clone(), Arc::clone(entry)).await;
    }

    /// Returns whether a purge since the fetch of an entry covers it.
    fn is_purged(&self, key: &Key, entry: &Entry) -> bool {
        self.purges.covers(&key.connection, entry.started, entry)
    }

    /// Removes the entries of a scope and returns their number.
    pub(super) async fn purge(&self, scope: &Scope) -> usize {
        self.purges.record(scope);
        // Later insertions see the purge. Earlier ones end here, so the purge finds their
        // entries.
        drop(self.inserting.write().await);
        let covered: Vec<_> = self.entries.iter().filter(|(key, entry)| scope.covers(key, entry)).collect();
        let mut purged = 0;
        for (key, entry) in covered {
            entry.mark_superseded();
            purged += usize::from(self.entries.remove(&*key).await.is_some());
        }
        purged
    }
}
