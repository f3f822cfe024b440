//! A source's pages, as a walk asks for them, and what they tell on the way.

use std::sync::Arc;

use crate::{
    cache::{CacheDirectives, Entry, Key, Peek},
    domain::priority::Priority,
    domain::{anchor::Anchor, cycle::CycleDetector},
    upstream::CallerShare,
    vendors::{Call, VendorRequest, plan::Plan},
};

use super::{
    super::{DirectoryError, Freshness, Source, SourceError, trail::Trail},
    Stop,
    calls::CallBudget,
};

/// The pages that answer a plan.
pub(in crate::directory) struct Pages {
    pub(super) source: Arc<Source>,
    pub(super) plan: Arc<Plan>,
    pub(super) trail: Trail,
    pub(super) calls: CallBudget,
    directives: CacheDirectives,
    manner: FetchMode,
    caller_share: Option<CallerShare>,
    predicted: Vec<PredictedCall>,
    seen: Option<PageSummary>,
    freshness: Option<Freshness>,
}

/// How pages are asked for.
#[derive(Debug, Clone)]
pub(in crate::directory) struct FetchOptions {
    /// How many vendor calls all of it may cost.
    pub(in crate::directory) calls: CallBudget,
    /// How fresh they have to be.
    pub(in crate::directory) directives: CacheDirectives,
    /// Whether they are asked for at all.
    pub(in crate::directory) manner: FetchMode,
    /// On whose account, if it is bounded by a share.
    pub(in crate::directory) caller_share: Option<CallerShare>,
}

/// Whether a walk asks its vendor, or only says what it would ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum FetchMode {
    /// It does, for whom.
    Execute(Priority),
    /// It says what it would ask, as far as what is kept tells.
    DryRun,
}

/// A page that a walk would come through.
#[derive(Debug)]
pub(in crate::directory) struct PredictedCall {
    /// The request that brings it.
    pub(in crate::directory) request: VendorRequest,
    /// The page, where it is kept and would be used.
    pub(in crate::directory) kept: Option<Arc<Entry>>,
    /// Whether the vendor would be asked, be it behind the caller's back.
    pub(in crate::directory) is_sent: bool,
}

/// What the pages that a walk came through have told.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) struct PageSummary {
    /// The newest page's count, where all rows of every page were the
    /// account's own.
    pub(in crate::directory) total: Option<u64>,
    /// When the oldest was fetched.
    pub(in crate::directory) oldest: jiff::Timestamp,
    newest: jiff::Timestamp,
    dropped_rows: bool,
}

impl Pages {
    pub(in crate::directory) fn new(source: Arc<Source>, plan: Plan, trail: Trail, terms: &FetchOptions) -> Self {
        let FetchOptions { calls, directives, manner, caller_share } = terms.clone();
        let plan = Arc::new(plan);
        Self {
            source,
            plan,
            trail,
            calls,
            directives,
            manner,
            caller_share,
            predicted: Vec::new(),
            seen: None,
            freshness: None,
        }
    }

    /// The page at an anchor. Once the calls are spent, only what is kept,
    /// unless this page is one that the walk cannot begin without.
    pub(super) async fn fetch(&mut self, anchor: &Anchor, is_needed: bool) -> Result<Arc<Entry>, Stop> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        match self.manner {
            FetchMode::Execute(priority) => self.ask(call, priority, is_needed).await,
            FetchMode::DryRun => self.predict(&call).await,
        }
    }

    async fn ask(&mut self, call: Call, priority: Priority, is_needed: bool) -> Result<Arc<Entry>, Stop> {
        let may_call = self.calls.take();
        let is_spent = !may_call && !is_needed && !self.directives.only_if_cached;
        let directives =
            CacheDirectives { only_if_cached: self.directives.only_if_cached || is_spent, ..self.directives };
        let fetched = self.source.fetch(call, directives, priority, self.caller_share.clone()).await;
        let is_forwarded = fetched.as_ref().map_or(!is_spent, |cached| cached.status.is_forwarded());
        if may_call && !is_forwarded {
            self.calls.give_back();
        }
        let cached = match fetched {
            Err(SourceError::NotCached) if is_spent => return Err(Stop::BudgetExhausted),
            fetched => fetched.map_err(|error| self.source.with_connection(error))?,
        };
        self.note(&cached.entry);
        let freshness = self.source.freshness(&cached);
        match &mut self.freshness {
            Some(worst) => worst.merge(freshness),
            None => self.freshness = Some(freshness),
        }
        Ok(cached.entry)
    }

    async fn predict(&mut self, call: &Call) -> Result<Arc<Entry>, Stop> {
        let predicted = self.source.peek(call, &self.directives).await;
        let (predicted, request) = predicted.map_err(|error| self.source.with_connection(error))?;
        let (kept, is_sent) = match predicted {
            Peek::Cached { entry, starts_refresh } => (Some(entry), starts_refresh),
            Peek::Fetched => (None, !self.directives.only_if_cached),
        };
        self.predicted.push(PredictedCall { request, kept: kept.clone(), is_sent });
        let entry = kept.ok_or(Stop::Unpredictable)?;
        self.note(&entry);
        Ok(entry)
    }

    /// How the question is put.
    pub(in crate::directory) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// The pages that a walk which asks would come through, as far as that is
    /// known.
    pub(in crate::directory) fn take_predicted(&mut self) -> Vec<PredictedCall> {
        std::mem::take(&mut self.predicted)
    }

    /// Whether the last page that was foreseen is not kept.
    pub(super) fn predicts_a_call(&self) -> bool {
        self.predicted.last().is_some_and(|call| call.kept.is_none())
    }

    /// The page at the list's start, if it was foreseen and is kept.
    pub(super) fn predicted_start(&self) -> Option<&Entry> {
        self.predicted.first()?.kept.as_deref()
    }

    /// How many pages were foreseen.
    pub(super) fn predicted_count(&self) -> u64 {
        self.predicted.len() as u64
    }

    /// What identifies the page at an anchor.
    pub(super) fn key(&self, anchor: &Anchor) -> Result<Key, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        self.source.key(&call).map(|(key, _)| key).map_err(|error| self.source.with_connection(error))
    }

    pub(super) fn cycle(&self, cycle: CycleDetector, anchor: &Anchor) -> Result<CycleDetector, DirectoryError> {
        cycle.enter(anchor).ok_or_else(|| DirectoryError::Circular(self.source.name().clone()))
    }

    pub(super) fn expired(&self) -> DirectoryError {
        DirectoryError::CursorExpired(self.source.name().clone())
    }

    /// What they have told, if any has come.
    pub(super) fn seen(&self) -> Option<PageSummary> {
        self.seen.map(|seen| PageSummary {
            total: seen.total.filter(|_| self.plan.total_is_exact && !seen.dropped_rows),
            ..seen
        })
    }

    /// How fresh those are that came since this was last asked.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.freshness.take()
    }

    fn note(&mut self, entry: &Entry) {
        let info = entry.page.info();
        let fetched_at = entry.fetched_at;
        let seen = self.seen.get_or_insert(PageSummary {
            total: None,
            oldest: fetched_at,
            newest: jiff::Timestamp::MIN,
            dropped_rows: false,
        });
        if seen.newest <= fetched_at {
            seen.newest = fetched_at;
            seen.total = info.total;
        }
        seen.oldest = seen.oldest.min(fetched_at);
        seen.dropped_rows |= info.anomalies.foreign_rows > 0;
    }
}
