//! A source's pages, as a walk asks for them, and what they tell on the way.

use std::sync::Arc;

use crate::{
    cache::{Demand, Entry, Foreseen, Key},
    domain::position::{Anchor, Lap},
    upstream::{Payer, Priority},
    vendors::{Call, VendorRequest, plan::Plan},
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
    manner: Manner,
    payer: Option<Payer>,
    foreseen: Vec<ForeseenCall>,
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
    /// Whether they are asked for at all.
    pub(in crate::directory) manner: Manner,
    /// On whose account, if it is bounded by a share.
    pub(in crate::directory) payer: Option<Payer>,
}

/// Whether a walk asks its vendor, or only says what it would ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum Manner {
    /// It does, for whom.
    Ask(Priority),
    /// It says what it would ask, as far as what is kept tells.
    Foresee,
}

/// A page that a walk would come through.
#[derive(Debug)]
pub(in crate::directory) struct ForeseenCall {
    /// The request that brings it.
    pub(in crate::directory) request: VendorRequest,
    /// The page, where it is kept and would be used.
    pub(in crate::directory) kept: Option<Arc<Entry>>,
    /// Whether the vendor would be asked, be it behind the caller's back.
    pub(in crate::directory) is_sent: bool,
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
        let Terms { calls, demand, manner, payer } = terms.clone();
        let plan = Arc::new(plan);
        Self { source, plan, trail, calls, demand, manner, payer, foreseen: Vec::new(), seen: None, freshness: None }
    }

    /// The page at an anchor. Once the calls are spent, only what is kept,
    /// unless this page is one that the walk cannot begin without.
    pub(super) async fn fetch(&mut self, anchor: &Anchor, is_needed: bool) -> Result<Arc<Entry>, Stop> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        match self.manner {
            Manner::Ask(priority) => self.ask(call, priority, is_needed).await,
            Manner::Foresee => self.foresee(&call).await,
        }
    }

    async fn ask(&mut self, call: Call, priority: Priority, is_needed: bool) -> Result<Arc<Entry>, Stop> {
        let may_call = self.calls.take();
        let is_spent = !may_call && !is_needed && !self.demand.only_if_cached;
        let demand = Demand { only_if_cached: self.demand.only_if_cached || is_spent, ..self.demand };
        let fetched = self.source.fetch(call, demand, priority, self.payer.clone()).await;
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

    async fn foresee(&mut self, call: &Call) -> Result<Arc<Entry>, Stop> {
        let foreseen = self.source.foresee(call, &self.demand).await;
        let (foreseen, request) = foreseen.map_err(|error| self.source.blame(error))?;
        let (kept, is_sent) = match foreseen {
            Foreseen::Kept { entry, is_refreshed } => (Some(entry), is_refreshed),
            Foreseen::Fetched => (None, !self.demand.only_if_cached),
        };
        self.foreseen.push(ForeseenCall { request, kept: kept.clone(), is_sent });
        let entry = kept.ok_or(Stop::Unforeseeable)?;
        self.note(&entry);
        Ok(entry)
    }

    /// How the question is put.
    pub(in crate::directory) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// The pages that a walk which asks would come through, as far as that is
    /// known.
    pub(in crate::directory) fn take_foreseen(&mut self) -> Vec<ForeseenCall> {
        std::mem::take(&mut self.foreseen)
    }

    /// Whether the last page that was foreseen is not kept.
    pub(super) fn foresees_a_call(&self) -> bool {
        self.foreseen.last().is_some_and(|call| call.kept.is_none())
    }

    /// The page at the list's start, if it was foreseen and is kept.
    pub(super) fn foreseen_start(&self) -> Option<&Entry> {
        self.foreseen.first()?.kept.as_deref()
    }

    /// How many pages were foreseen.
    pub(super) fn foreseen_count(&self) -> u64 {
        self.foreseen.len() as u64
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
