//! Links between the neighbouring pages of a list, as walks have found them. A
//! walk over linked pages needs neither vendor requests nor lookups.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::domain::{anchor::Direction, cycle::AnchorFingerprint};

use super::{CacheDirectives, CacheStatus, Cached, Entry, List, PageCache, Policy, freshness::Verdict};

/// Links of a page to its neighbours.
#[derive(Debug, Default)]
pub(super) struct Links {
    next: Mutex<Option<Link>>,
    prev: Mutex<Option<Link>>,
}

#[derive(Debug)]
struct Link {
    entry: Weak<Entry>,
    index: usize,
    fingerprint: AnchorFingerprint,
}

/// Place in the neighbour of a page at which a walk continues.
#[derive(Debug)]
pub struct Neighbouring<E = Cached> {
    /// The neighbour.
    pub page: E,
    /// The number of its rows before the gap between both pages.
    pub index: usize,
    /// The fingerprint of the anchor that leads to the neighbour.
    pub fingerprint: AnchorFingerprint,
}

impl Links {
    fn slot(&self, direction: Direction) -> &Mutex<Option<Link>> {
        match direction {
            Direction::Forward => &self.next,
            Direction::Backward => &self.prev,
        }
    }
}

impl Entry {
    /// Links the page to its neighbour in a direction. Has no effect for a neighbour
    /// that is not in the cache, because a purge could not remove it.
    pub fn link(&self, direction: Direction, neighbour: &Neighbouring<Arc<Self>>) {
        let Neighbouring { page, index, fingerprint } = neighbour;
        if !page.is_indexed() {
            return;
        }
        let link = Link { entry: Arc::downgrade(page), index: *index, fingerprint: *fingerprint };
        *self.links.slot(direction).lock() = Some(link);
    }
}

impl PageCache {
    /// Returns the linked neighbour of a page as a hit. `None` unless it is in the
    /// cache, fresh and a page of this list. A page can belong to several lists.
    #[must_use]
    pub fn follow(
        &self,
        entry: &Entry,
        direction: Direction,
        list: &List,
        policy: Policy,
        directives: &CacheDirectives,
    ) -> Option<Neighbouring> {
        let link = entry.links.slot(direction).lock();
        let Link { entry, index, fingerprint } = link.as_ref()?;
        let is_usable = |entry: &Arc<Entry>| !entry.is_superseded() && entry.is_page_of(list);
        let entry = entry.upgrade().filter(is_usable)?;
        let Verdict::Fresh { ttl } = self.state(&entry, policy).verdict(directives) else { return None };
        entry.count_hit();
        let is_substitute = direction == Direction::Forward && *index > 0;
        let page = Cached { entry, status: CacheStatus::fresh(ttl), is_substitute };
        Some(Neighbouring { page, index: *index, fingerprint: *fingerprint })
    }
}
