//! A source's pages, as a walk asks for them, and what they tell on the way.

use std::sync::Arc;

use crate::{
    cache::{Demand, Entry, Key},
    domain::position::{Anchor, Lap},
    upstream::Priority,
    vendors::{Call, plan::Plan},
};

use super::{
    super::{DirectoryError, Freshness, Source, SourceError, trail::Trail},
    Stop,
    calls::Calls,
};

/// The pages that answer a plan.
pub(in crate::directory) struct Pages {
    pub(super) source: Arc<Source>,
    pub(super) plan: Arc<Plan>,
    pub(super) trail: Trail,
    pub(super) calls: Calls,
    demand: Demand,
    priority: Priority,
    /// Whether the first page is fetched though the calls are spent.
    must_begin: bool,
    seen: Option<Seen>,
    freshness: Option<Freshness>,
}

/// How pages are asked for.
#[derive(Debug, Clone)]
pub(in crate::directory) struct Terms {
    /// How many vendor calls all of it may cost.
    pub(in crate::directory) calls: Calls,
    /// How fresh they have to be.
    pub(in crate::directory) demand: Demand,
    /// Who waits.
    pub(in crate::directory) priority: Priority,
}

/// What the pages that a walk came through have told.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) struct Seen {
    /// The newest page's count, where all rows of every page were the
    /// account's own.
    pub(in crate::directory) total: Option<u64>,
    /// When the oldest was fetched.
    pub(in crate::directory) oldest: jiff::Timestamp,
    newest: jiff::Timestamp,
    dropped_rows: bool,
}

impl Pages {
    pub(in crate::directory) fn new(source: Arc<Source>, plan: Plan, trail: Trail, terms: &Terms) -> Self {
        let Terms { calls, demand, priority } = terms.clone();
        Self {
            source,
            plan: Arc::new(plan),
            trail,
            calls,
            demand,
            priority,
            must_begin: true,
            seen: None,
            freshness: None,
        }
    }

    /// Holds the first page to the calls that are left, too.
    pub(super) fn stay_within_calls(&mut self) {
        self.must_begin = false;
    }

    /// The page at an anchor. Once the calls are spent, only what is kept,
    /// unless this page is one that the walk cannot begin without.
    pub(super) async fn fetch(&mut self, anchor: &Anchor, is_first: bool) -> Result<Arc<Entry>, Stop> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        let may_call = self.calls.take();
        let must_come = is_first && self.must_begin;
        let is_spent = !may_call && !must_come && !self.demand.only_if_cached;
        let demand = Demand { only_if_cached: self.demand.only_if_cached || is_spent, ..self.demand };
        let fetched = self.source.fetch(call, demand, self.priority).await;
        let is_forwarded = fetched.as_ref().map_or(!is_spent, |cached| cached.status.is_forwarded());
        if may_call && !is_forwarded {
            self.calls.give_back();
        }
        let cached = match fetched {
            Err(SourceError::NotCached) if is_spent => return Err(Stop::Spent),
            fetched => fetched.map_err(|error| self.source.blame(error))?,
        };
        self.note(&cached.entry);
        let freshness = self.source.freshness(&cached);
        match &mut self.freshness {
            Some(worst) => worst.merge(freshness),
            None => self.freshness = Some(freshness),
        }
        Ok(cached.entry)
    }

    /// What identifies the page at an anchor.
    pub(super) fn key(&self, anchor: &Anchor) -> Result<Key, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        self.source.key(&call).map(|(key, _)| key).map_err(|error| self.source.blame(error))
    }

    pub(super) fn lap(&self, lap: Lap, anchor: &Anchor) -> Result<Lap, DirectoryError> {
        lap.enter(anchor).ok_or_else(|| DirectoryError::Circular(self.source.name().clone()))
    }

    pub(super) fn expired(&self) -> DirectoryError {
        DirectoryError::CursorExpired(self.source.name().clone())
    }

    /// What they have told, if any has come.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen
            .map(|seen| Seen { total: seen.total.filter(|_| self.plan.total_is_exact && !seen.dropped_rows), ..seen })
    }

    /// How fresh those are that came since this was last asked.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.freshness.take()
    }

    fn note(&mut self, entry: &Entry) {
        let facts = entry.page.facts();
        let fetched_at = entry.fetched_at;
        let seen = self.seen.get_or_insert(Seen {
            total: None,
            oldest: fetched_at,
            newest: jiff::Timestamp::MIN,
            dropped_rows: false,
        });
        if seen.newest <= fetched_at {
            seen.newest = fetched_at;
            seen.total = facts.total;
        }
        seen.oldest = seen.oldest.min(fetched_at);
        seen.dropped_rows |= facts.oddities.foreign_rows > 0;
    }
}
