//! Vendor pages of a walk.

use std::sync::Arc;

use crate::{
    cache::{CacheDirectives, Entry, Key, Peek},
    domain::{anchor::Anchor, cycle::CycleDetector, page::RecordPage, priority::Priority},
    upstream::CallerShare,
    vendors::{Call, VendorRequest, plan::Plan},
};

use super::{
    super::{DirectoryError, Freshness, Source, SourceError, Trail},
    CallBudget, Stop,
};

/// Vendor pages of a plan, with a summary of the pages read so far.
pub(super) struct Pages {
    pub(super) source: Arc<Source>,
    pub(super) plan: Arc<Plan>,
    pub(super) trail: Trail,
    options: FetchOptions,
    predicted: Vec<PredictedCall>,
    summary: Option<PageSummary>,
    freshness: Option<Freshness>,
}

/// Options for reading pages.
#[derive(Debug, Clone)]
pub(in crate::directory) struct FetchOptions {
    /// Call budget of the request.
    pub(in crate::directory) calls: CallBudget,
    /// The caller's freshness requirements.
    pub(in crate::directory) directives: CacheDirectives,
    pub(in crate::directory) mode: FetchMode,
    /// Share that vendor calls are charged to, if the caller has one.
    pub(in crate::directory) caller_share: Option<CallerShare>,
}

/// Mode of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum FetchMode {
    /// The walk makes vendor calls with this priority.
    Execute(Priority),
    /// The walk reads cached pages and predicts vendor calls.
    DryRun,
}

/// Predicted read of a page.
#[derive(Debug)]
pub(in crate::directory) struct PredictedCall {
    /// Vendor request for the page.
    pub(in crate::directory) request: VendorRequest,
    /// Cached page that would be served, if any.
    pub(in crate::directory) cached: Option<Arc<Entry>>,
    /// True if the request is sent, either by the caller's request or as a
    /// background refresh.
    pub(in crate::directory) is_sent: bool,
}

/// Summary of the pages that a walk has read.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) struct PageSummary {
    /// Row count in the newest page. `None` if the count is not exact or a page
    /// had rows of other accounts.
    pub(in crate::directory) total: Option<u64>,
    /// Fetch time of the oldest page.
    pub(in crate::directory) oldest: jiff::Timestamp,
    newest: jiff::Timestamp,
    has_dropped_rows: bool,
}

impl Pages {
    pub(super) fn new(source: Arc<Source>, plan: Plan, trail: Trail, options: FetchOptions) -> Self {
        let plan = Arc::new(plan);
        Self { source, plan, trail, options, predicted: Vec::new(), summary: None, freshness: None }
    }

    /// Returns the page at an anchor. After the call budget is exhausted, only
    /// cached pages and pages with `is_required` are returned.
    pub(super) async fn fetch(&mut self, anchor: &Anchor, is_required: bool) -> Result<Arc<RecordPage>, Stop> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        let entry = match self.options.mode {
            FetchMode::Execute(priority) => self.execute(call, priority, is_required).await?,
            FetchMode::DryRun => self.predict(&call).await?,
        };
        self.record(&entry);
        Ok(Arc::clone(&entry.page))
    }

    /// Returns the maximum number of calls of a full scan.
    pub(super) fn allowed_calls(&self) -> u32 {
        self.options.calls.allowed()
    }

    /// Returns the calls predicted so far and clears them.
    pub(super) fn take_predicted(&mut self) -> Vec<PredictedCall> {
        std::mem::take(&mut self.predicted)
    }

    /// Returns the number of predicted calls.
    pub(super) fn predicted_count(&self) -> u64 {
        self.predicted.len() as u64
    }

    /// Returns the first page of the prediction, if it is cached.
    pub(super) fn predicted_start(&self) -> Option<&RecordPage> {
        let entry = self.predicted.first()?.cached.as_ref()?;
        Some(&entry.page)
    }

    /// Returns true if the last predicted page is not cached.
    pub(super) fn predicts_a_call(&self) -> bool {
        self.predicted.last().is_some_and(|call| call.cached.is_none())
    }

    /// Returns the cache key of the page at an anchor.
    pub(super) fn key(&self, anchor: &Anchor) -> Result<Key, DirectoryError> {
        let call = Call::List(Arc::clone(&self.plan), anchor.clone());
        self.source.key(&call).map(|(key, _)| key).map_err(|error| self.source.with_connection(error))
    }

    /// Enters an anchor into the cycle detection of a walk.
    pub(super) fn detect_cycle(&self, cycle: CycleDetector, anchor: &Anchor) -> Result<CycleDetector, DirectoryError> {
        cycle.enter(anchor).ok_or_else(|| DirectoryError::Circular(self.source.name().clone()))
    }

    /// Returns the error of an expired cursor.
    pub(super) fn expired(&self) -> DirectoryError {
        DirectoryError::CursorExpired(self.source.name().clone())
    }

    /// Returns a summary of the pages read so far, if any.
    pub(super) fn summary(&self) -> Option<PageSummary> {
        self.summary.map(|summary| PageSummary {
            total: summary.total.filter(|_| self.plan.total_is_exact && !summary.has_dropped_rows),
            ..summary
        })
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.freshness.take()
    }

    async fn execute(&mut self, call: Call, priority: Priority, is_required: bool) -> Result<Arc<Entry>, Stop> {
        let FetchOptions { calls, directives, caller_share, .. } = &self.options;
        let may_call = calls.take();
        let is_exhausted = !may_call && !is_required && !directives.only_if_cached;
        let only_if_cached = directives.only_if_cached || is_exhausted;
        let directives = CacheDirectives { only_if_cached, ..*directives };
        let fetched = self.source.fetch(call, directives, priority, caller_share.clone()).await;
        let is_forwarded = fetched.as_ref().map_or(!is_exhausted, |cached| cached.status.is_forwarded());
        if may_call && !is_forwarded {
            calls.give_back();
        }
        let cached = match fetched {
            Err(SourceError::NotCached) if is_exhausted => return Err(Stop::BudgetExhausted),
            fetched => fetched.map_err(|error| self.source.with_connection(error))?,
        };
        let freshness = self.source.freshness(&cached);
        match &mut self.freshness {
            Some(combined) => combined.merge(freshness),
            None => self.freshness = Some(freshness),
        }
        Ok(cached.entry)
    }

    async fn predict(&mut self, call: &Call) -> Result<Arc<Entry>, Stop> {
        let peeked = self.source.peek(call, &self.options.directives).await;
        let (peek, request) = peeked.map_err(|error| self.source.with_connection(error))?;
        let (cached, is_sent) = match peek {
            Peek::Cached { entry, starts_refresh } => (Some(entry), starts_refresh),
            Peek::Fetched => (None, !self.options.directives.only_if_cached),
        };
        self.predicted.push(PredictedCall { request, cached: cached.clone(), is_sent });
        cached.ok_or(Stop::Unpredictable)
    }

    fn record(&mut self, entry: &Entry) {
        let info = entry.page.info();
        let fetched_at = entry.fetched_at;
        let summary = self.summary.get_or_insert(PageSummary {
            total: None,
            oldest: fetched_at,
            newest: jiff::Timestamp::MIN,
            has_dropped_rows: false,
        });
        if summary.newest <= fetched_at {
            summary.newest = fetched_at;
            summary.total = info.total;
        }
        summary.oldest = summary.oldest.min(fetched_at);
        summary.has_dropped_rows |= info.anomalies.foreign_rows > 0;
    }
}
