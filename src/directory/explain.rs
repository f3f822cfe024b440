//! Explanations of a list, without vendor calls.
//!
//! An explanation runs the same walks as [`super::listing`], over the cached
//! pages only.

use std::{sync::Arc, time::Duration};

use crate::{
    domain::query::ListQuery,
    vendors::{
        PAGE_SIZE,
        plan::{Plan, PlanError},
    },
};

use super::{
    CallEstimate, Directory, DirectoryError, Origin, PageRequest, Source, Strategy,
    source_walk::SourceWalk,
    walk::{FetchMode, Next, PredictedCall, Prediction},
};

/// Predicted execution of a list.
#[derive(Debug)]
pub struct Explained {
    /// Combination of the sources.
    pub strategy: Strategy,
    /// Number of vendor calls that the request may make.
    pub allowed: u32,
    /// Number of vendor calls that the request requires.
    pub calls: CallEstimate,
    /// Maximum number of vendor calls that list all sources to the end; `None` if a
    /// vendor's row count is not known.
    pub calls_to_end: Option<u32>,
    /// Predicted execution at each source, in request order.
    pub sources: Vec<ExplainedSource>,
    /// Error that rejects the request. The calls are then those of the request
    /// without its limits.
    pub rejection: Option<DirectoryError>,
}

/// Predicted execution of a list at one source.
#[derive(Debug)]
pub struct ExplainedSource {
    /// The source.
    pub source: Arc<Source>,
    /// Plan of the query, or the reason why the source does not support it.
    pub plan: Result<Arc<Plan>, PlanError>,
    /// Origin of the rows.
    pub origin: Origin,
    /// Vendor requests for the page, as far as they can be predicted from
    /// cached pages. At most 20 are listed.
    pub requests: Vec<ExplainedRequest>,
    /// Number of predicted requests that `requests` omits.
    pub omitted_requests: usize,
    /// Number of vendor calls that the source requires.
    pub calls: CallEstimate,
    /// Error of the walk, which rejects the request.
    pub rejection: Option<DirectoryError>,
    /// Number of stale cached pages that the calls include.
    refreshes: u32,
    /// Maximum number of vendor calls that list the source to the end, by the
    /// vendor's row count; `None` if the count is not known.
    pub calls_to_end: Option<u32>,
}

/// Predicted vendor request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedRequest {
    /// Complete URL, without the credential.
    pub url: String,
    /// Age of the cached page that would be served, if any.
    pub age: Option<Duration>,
    /// True if the request is sent, either by the caller's request or as a
    /// background refresh.
    pub is_sent: bool,
}

impl Directory {
    /// Predicts the execution of a list. Makes no vendor call. Explains a request
    /// that would be rejected, unless its cursor is not valid.
    pub async fn explain(&self, query: &ListQuery, request: &PageRequest) -> Result<Explained, DirectoryError> {
        let start = self.cursors.open(query, request).await?;
        let sources = self.plan(query, request, start.positions)?;
        let rejection = self.check(&sources, query, request, FetchMode::DryRun).err();
        let mut listing = self.planned_listing(sources, query, request, start.direction, FetchMode::DryRun);
        let rows: usize = listing.page(request.limit).await?.iter().map(|segment| segment.records.len()).sum();
        // Cached rows of one source may fill the page before another source is
        // called.
        let is_full = rows >= request.limit;
        let allowed = self.allowed_calls_with_scans(request, &mut listing.walks);
        // All walks together determine the page. One unpredictable or rejected
        // walk makes the calls of the others uncertain.
        let mut walks = listing.walks.iter_mut();
        let is_complete =
            is_full || !walks.any(|walk| walk.next == Some(Next::Unpredictable) || walk.obstacle().is_some());
        let sources: Vec<_> =
            listing.walks.iter_mut().map(|walk| walk.explain(is_complete, request.limit == 0)).collect();
        let is_skipped = |error: &DirectoryError| request.allows_partial && error.is_transient();
        let failure = sources.iter().filter_map(|source| source.rejection.as_ref()).find(|error| !is_skipped(error));
        let rejection = rejection.or_else(|| failure.cloned());
        let sum = |count: fn(&ExplainedSource) -> u32| sources.iter().map(count).fold(0, u32::saturating_add);
        // Background refreshes are not part of the call budget.
        let max = allowed.saturating_add(sum(|source| source.refreshes));
        let max = if rejection.is_some() { u32::MAX } else { max };
        let calls = CallEstimate { min: sum(|source| source.calls.min), max: sum(|source| source.calls.max).min(max) };
        let mut all_calls = sources.iter().map(|source| source.calls_to_end);
        let calls_to_end = all_calls.try_fold(0_u32, |sum, calls| Some(sum.saturating_add(calls?)));
        Ok(Explained { strategy: listing.strategy(), allowed, calls, calls_to_end, sources, rejection })
    }

    /// Returns the maximum number of vendor calls of a request, with the calls of
    /// its full scans.
    fn allowed_calls_with_scans(&self, request: &PageRequest, walks: &mut [SourceWalk]) -> u32 {
        let allowed = self.allowed_calls(request);
        if request.max_calls.is_some() {
            return allowed;
        }
        let scans: Vec<_> = walks.iter_mut().filter_map(SourceWalk::allowed_scan_calls).collect();
        let other = if scans.len() < walks.len() { allowed } else { 0 };
        scans.into_iter().fold(other, u32::saturating_add)
    }
}

impl SourceWalk {
    /// Explains the walk after a dry run. `is_complete` means that the whole
    /// page was predicted, at all sources. A count reads one page of each source.
    fn explain(&mut self, is_complete: bool, is_count: bool) -> ExplainedSource {
        let source = Arc::clone(&self.source);
        let rejection = self.obstacle();
        let walk = match &mut self.walk {
            Ok(walk) => walk,
            Err(error) => {
                return ExplainedSource {
                    source,
                    plan: Err(error.clone()),
                    origin: Origin::default(),
                    requests: Vec::new(),
                    omitted_requests: 0,
                    calls: CallEstimate::default(),
                    refreshes: 0,
                    calls_to_end: Some(0),
                    rejection,
                };
            }
        };
        let (plan, allowed) = (walk.plan(), walk.allowed_calls());
        let remaining = walk.cursor().remaining_calls();
        let pages = walk.row_count().map(page_count);
        let Prediction { requests, omitted: omitted_requests, sent, refreshes, cached, .. } = walk.take_prediction();
        let requests = requests.iter().map(|call| ExplainedRequest::new(&source, call)).collect();
        let calls_to_end = match self.next {
            Some(Next::End) => Some(sent),
            _ if walk.is_copied() => Some(0),
            _ => pages.map(|pages| pages.saturating_sub(cached).saturating_add(refreshes).max(sent)),
        };
        let calls = if rejection.is_some() {
            let CallEstimate { min, max } = remaining.unwrap_or_default();
            CallEstimate { min: sent.saturating_add(min), max: sent.saturating_add(max) }
        } else if is_complete && !is_count && self.next == Some(Next::Unpredictable) {
            CallEstimate { min: refreshes, max: sent }
        } else if is_complete || self.next == Some(Next::End) {
            CallEstimate { min: sent, max: sent }
        } else {
            let remaining = remaining.unwrap_or(CallEstimate { min: 0, max: allowed });
            let min = if self.next == Some(Next::Unpredictable) { remaining.min } else { 0 };
            CallEstimate { min: sent + min, max: sent.saturating_add(remaining.max).min(allowed.max(sent + min)) }
        };
        let (plan, origin) = (Ok(plan), walk.origin());
        ExplainedSource { source, plan, origin, requests, omitted_requests, calls, rejection, refreshes, calls_to_end }
    }

    /// Returns the maximum number of calls of a full scan; `None` for other walks.
    fn allowed_scan_calls(&mut self) -> Option<u32> {
        let walk = self.walk.as_mut().ok()?;
        walk.plan().sort.map(|_| walk.allowed_calls())
    }
}

/// Returns the number of full pages that contain some rows, at least one.
fn page_count(rows: u64) -> u32 {
    u32::try_from(rows.div_ceil(PAGE_SIZE as u64).max(1)).unwrap_or(u32::MAX)
}

impl ExplainedRequest {
    /// Explains a predicted call.
    fn new(source: &Source, call: &PredictedCall) -> Self {
        Self {
            url: source.upstream().url(&call.request),
            age: call.cached.as_ref().map(|entry| source.age(entry)),
            is_sent: call.is_sent,
        }
    }
}
