//! Entries of earlier lookups, from which a result was computed.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{CacheDirectives, CacheStatus, Entry, PageCache, Policy, freshness::Verdict};

/// Entries in the order of their lookups. The references do not keep the entries in the cache.
#[derive(Debug)]
pub struct HeldEntries {
    entries: Box<[Weak<Entry>]>,
    /// Index of the entry that was fetched first.
    oldest: usize,
}

/// Entries that are fresh hits, with the status and age of their combination.
#[derive(Debug)]
pub struct FreshEntries {
    /// The entries, in the order of their lookups.
    pub entries: Vec<Arc<Entry>>,
    /// Combined cache status.
    pub status: CacheStatus,
    /// Age of the oldest entry.
    pub age: Duration,
}

impl HeldEntries {
    /// Holds entries of one cache policy, none of them a "not found" entry.
    #[must_use]
    pub fn new(entries: &[Arc<Entry>]) -> Self {
        let oldest = entries.iter().enumerate().min_by_key(|(_, entry)| entry.fetched);
        Self {
            oldest: oldest.map(|(index, _)| index).unwrap_or_default(),
            entries: entries.iter().map(Arc::downgrade).collect(),
        }
    }

    /// Returns true if these are the held entries, in the same order.
    #[must_use]
    pub fn are(&self, entries: &[Arc<Entry>]) -> bool {
        self.entries.len() == entries.len()
            && self.entries.iter().zip(entries).all(|(held, entry)| held.as_ptr() == Arc::as_ptr(entry))
    }

    /// Returns the memory of the references, in bytes. A reference retains the memory
    /// of a removed entry, without its page.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.entries.len() * (size_of::<Weak<Entry>>() + size_of::<Entry>())
    }
}

impl PageCache {
    /// Returns held entries as hits, without a lookup of each. `None` unless a
    /// lookup of each entry would be a fresh hit.
    #[must_use]
    pub fn reuse(&self, held: &HeldEntries, policy: Policy, directives: &CacheDirectives) -> Option<FreshEntries> {
        let oldest = held.entries.get(held.oldest)?.upgrade()?;
        // The newer entries are fresh if the oldest is.
        let Verdict::Fresh { ttl } = self.state(&oldest, policy).verdict(directives) else { return None };
        let age = oldest.age(&self.clock);
        let current = held.entries.iter().map(|entry| entry.upgrade().filter(|entry| !entry.is_superseded()));
        let entries: Vec<_> = current.collect::<Option<_>>()?;
        for entry in &entries {
            entry.count_hit();
        }
        Some(FreshEntries { entries, status: CacheStatus::fresh(ttl), age })
    }
}
