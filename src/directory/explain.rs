//! Explanations of a list, without vendor calls.
//!
//! An explanation runs the same walks as [`super::listing`], over the cached
//! pages only.

use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::{
    domain::query::ListQuery,
    vendors::{
        PAGE_SIZE,
        plan::{Plan, PlanError},
    },
};

use super::{
    CallEstimate, Directory, DirectoryError, PageRequest, Source, Strategy,
    source_walk::SourceWalk,
    walk::{FetchMode, Next, PredictedCall},
};

/// Maximum number of requests in the explanation of a source.
const MAX_REQUESTS: usize = 20;

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
}

/// Predicted execution of a list at one source.
#[derive(Debug)]
pub struct ExplainedSource {
    /// The source.
    pub source: Arc<Source>,
    /// Plan of the query, or the reason why the source does not support it.
    pub plan: Result<Arc<Plan>, PlanError>,
    /// Vendor requests for the page, as far as they can be predicted from
    /// cached pages.
    /// At most `MAX_REQUESTS`.
    pub requests: Vec<ExplainedRequest>,
    /// Number of predicted requests that `requests` omits.
    pub omitted_requests: usize,
    /// Number of vendor calls that the source requires.
    pub calls: CallEstimate,
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
    /// Predicts the execution of a list. Makes no vendor call.
    pub async fn explain(&self, query: &ListQuery, request: &PageRequest) -> Result<Explained, DirectoryError> {
        let start = self.cursors.open(query, request)?;
        let mut listing = self.listing(query, request, start, FetchMode::DryRun)?;
        let rows: usize = listing.page(request.limit).await?.iter().map(|segment| segment.records.len()).sum();
        // Cached rows of one source may fill the page before another source is
        // called.
        let is_full = rows >= request.limit;
        let allowed = self.allowed_calls(request);
        // All walks together determine the page. One unpredictable walk makes
        // the calls of the others uncertain.
        let is_complete = !listing.walks.iter().any(|walk| walk.next == Some(Next::Unpredictable));
        let is_complete = is_complete || is_full;
        let sources: Vec<_> = listing.walks.iter_mut().map(|walk| walk.explain(allowed, is_complete)).collect();
        let sum = |count: fn(&CallEstimate) -> u32| sources.iter().map(|source| count(&source.calls)).sum::<u32>();
        // Background refreshes are not part of the call budget.
        let max = allowed.saturating_add(sources.iter().map(|source| source.refreshes).sum());
        let calls = CallEstimate { min: sum(|calls| calls.min), max: sum(|calls| calls.max).min(max) };
        let calls_to_end = sources.iter().map(|source| source.calls_to_end).sum();
        Ok(Explained { strategy: listing.strategy(), allowed, calls, calls_to_end, sources })
    }
}

impl SourceWalk {
    /// Explains the walk after a dry run. `is_complete` means that the whole
    /// page was predicted, at all sources.
    fn explain(&mut self, allowed: u32, is_complete: bool) -> ExplainedSource {
        let source = Arc::clone(&self.source);
        let walk = match &mut self.walk {
            Ok(walk) => walk,
            Err(error) => {
                return ExplainedSource {
                    source,
                    plan: Err(error.clone()),
                    requests: Vec::new(),
                    omitted_requests: 0,
                    calls: CallEstimate::default(),
                    refreshes: 0,
                    calls_to_end: Some(0),
                };
            }
        };
        let plan = walk.plan();
        let remaining = walk.cursor().remaining_calls();
        let pages = walk.row_count().map(page_count);
        let mut requests: Vec<ExplainedRequest> = Vec::new();
        let mut urls = HashSet::new();
        for request in walk.take_predicted().iter().map(|call| ExplainedRequest::new(&source, call)) {
            // A walk may visit a page twice, which takes one call.
            if urls.insert(request.url.clone()) {
                requests.push(request);
            }
        }
        let count = |counts: fn(&ExplainedRequest) -> bool| {
            u32::try_from(requests.iter().filter(|request| counts(request)).count()).unwrap_or(u32::MAX)
        };
        let sent = count(|request| request.is_sent);
        let refreshes = count(|request| request.is_sent && request.age.is_some());
        let cached = count(|request| request.age.is_some());
        let calls_to_end = match self.next {
            Some(Next::End) => Some(sent),
            _ => pages.map(|pages| pages.saturating_sub(cached).saturating_add(refreshes).max(sent)),
        };
        let calls = if is_complete && self.next == Some(Next::Unpredictable) {
            CallEstimate { min: refreshes, max: sent }
        } else if is_complete || self.next == Some(Next::End) {
            CallEstimate { min: sent, max: sent }
        } else {
            let remaining = remaining.unwrap_or(CallEstimate { min: 0, max: allowed });
            let min = if self.next == Some(Next::Unpredictable) { remaining.min } else { 0 };
            CallEstimate { min: sent + min, max: (sent + remaining.max).min(allowed.max(sent + min)) }
        };
        let omitted_requests = requests.len().saturating_sub(MAX_REQUESTS);
        requests.truncate(MAX_REQUESTS);
        ExplainedSource { source, plan: Ok(plan), requests, omitted_requests, calls, refreshes, calls_to_end }
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
