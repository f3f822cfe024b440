//! Freshness of a response that consists of several cached pages.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    cache::{CacheStatus, Cached, Entry},
    copies::Stored,
};

use super::Origin;

/// Freshness of a response, given by the worst of its cache entries.
#[derive(Debug, Clone)]
pub struct Freshness {
    /// Combined cache status.
    pub status: CacheStatus,
    /// Age of the oldest entry.
    pub age: Duration,
    /// All entries of the response.
    pub entries: Vec<Arc<Entry>>,
    /// All stored lists of the response.
    pub lists: Vec<Arc<Stored>>,
    /// Number of vendor calls that the response caused.
    pub calls: u32,
}

impl Freshness {
    /// Creates the freshness of a response with one entry of this age.
    pub(super) fn new(cached: &Cached, age: Duration) -> Self {
        let calls = u32::from(cached.status.forward.is_some_and(|forward| !forward.collapsed));
        Self { status: cached.status, age, entries: vec![Arc::clone(&cached.entry)], lists: Vec::new(), calls }
    }

    /// Creates the freshness of a response from a stored list of this age.
    pub(super) fn of_list(list: Arc<Stored>, status: CacheStatus, age: Duration) -> Self {
        Self { status, age, entries: Vec::new(), lists: vec![list], calls: 0 }
    }

    /// Adds an entry of this age.
    pub(super) fn add(&mut self, cached: &Cached, age: Duration) {
        self.status = self.status.combine(cached.status);
        self.age = self.age.max(age);
        self.entries.push(Arc::clone(&cached.entry));
    }

    /// Returns the origin of the rows: the vendor if any of them was fetched.
    pub(super) fn origin(&self) -> Origin {
        if self.entries.is_empty() && !self.lists.is_empty() { Origin::Sync } else { Origin::Vendor }
    }

    /// Returns the fetch time of the oldest entry or list.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let entries = self.entries.iter().map(|entry| entry.fetched_at);
        entries.chain(self.lists.iter().map(|list| list.synced_at)).min()
    }

    /// Adds the entries of `other` to the response.
    pub(super) fn merge(&mut self, other: Self) {
        self.status = self.status.combine(other.status);
        self.age = self.age.max(other.age);
        self.entries.extend(other.entries);
        self.lists.extend(other.lists);
        self.calls += other.calls;
    }
}
