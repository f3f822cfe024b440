//! Explanations of a list, without vendor calls.
//!
//! An explanation runs the same walks as [`super::listing`], over the cached
//! pages only.

use std::{sync::Arc, time::Duration};

use crate::{
    domain::query::ListQuery,
    vendors::plan::{Plan, PlanError},
};

use super::{
    CallEstimate, Directory, DirectoryError, PageRequest, Source,
    source_walk::SourceWalk,
    walk::{FetchMode, Next, PredictedCall},
};

/// Predicted execution of a list.
#[derive(Debug)]
pub struct Explained {
    /// True if the sources are merged. False if the list is sequential.
    pub is_merged: bool,
    /// Number of vendor calls that the request may make.
    pub allowed: u32,
    /// Number of vendor calls that the request requires.
    pub calls: CallEstimate,
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
    /// Vendor requests for the page, as far as they can be predicted from
    /// cached pages.
    pub requests: Vec<ExplainedRequest>,
    /// Number of vendor calls that the source requires.
    pub calls: CallEstimate,
    /// Error of the walk, which rejects the request.
    pub rejection: Option<DirectoryError>,
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
        let start = self.cursors.open(query, request)?;
        let sources = self.plan(query, request, start.positions)?;
        let rejection = self.check(&sources, query, request, FetchMode::DryRun).err();
        let mut listing = self.planned_listing(sources, query, request, start.direction, FetchMode::DryRun);
        listing.page(request.limit).await?;
        let allowed = self.allowed_calls_with_scans(request, &mut listing.walks);
        // All walks together determine the page. One unpredictable or rejected
        // walk makes the calls of the others uncertain.
        let is_complete =
            !listing.walks.iter_mut().any(|walk| walk.next == Some(Next::Unpredictable) || walk.obstacle().is_some());
        let sources: Vec<_> = listing.walks.iter_mut().map(|walk| walk.explain(is_complete)).collect();
        let is_skipped = |error: &DirectoryError| request.allows_partial && error.is_transient();
        let failure = sources.iter().filter_map(|source| source.rejection.as_ref()).find(|error| !is_skipped(error));
        let rejection = rejection.or_else(|| failure.cloned());
        let sum = |count: fn(&CallEstimate) -> u32| {
            sources.iter().map(|source| count(&source.calls)).fold(0, u32::saturating_add)
        };
        let is_refresh = |request: &&ExplainedRequest| request.is_sent && request.age.is_some();
        let refreshes = sources.iter().flat_map(|source| &source.requests).filter(is_refresh).count();
        // Background refreshes are not part of the call budget.
        let max = allowed.saturating_add(u32::try_from(refreshes).unwrap_or(u32::MAX));
        let max = if rejection.is_some() { u32::MAX } else { max };
        let calls = CallEstimate { min: sum(|calls| calls.min), max: sum(|calls| calls.max).min(max) };
        Ok(Explained { is_merged: listing.is_merged(), allowed, calls, sources, rejection })
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
    /// page was predicted, at all sources.
    fn explain(&mut self, is_complete: bool) -> ExplainedSource {
        let source = Arc::clone(&self.source);
        let rejection = self.obstacle();
        let walk = match &mut self.walk {
            Ok(walk) => walk,
            Err(error) => {
                let (requests, calls) = (Vec::new(), CallEstimate::default());
                return ExplainedSource { source, plan: Err(error.clone()), requests, calls, rejection };
            }
        };
        let (plan, allowed) = (walk.plan(), walk.allowed_calls());
        let remaining = walk.cursor().remaining_calls();
        let mut requests: Vec<ExplainedRequest> = Vec::new();
        for request in walk.take_predicted().iter().map(|call| ExplainedRequest::new(&source, call)) {
            // A walk may visit a page twice, which takes one call.
            if !requests.iter().any(|known| known.url == request.url) {
                requests.push(request);
            }
        }
        let sent = u32::try_from(requests.iter().filter(|request| request.is_sent).count()).unwrap_or(u32::MAX);
        let calls = if rejection.is_some() {
            let CallEstimate { min, max } = remaining.unwrap_or_default();
            CallEstimate { min: sent.saturating_add(min), max: sent.saturating_add(max) }
        } else if is_complete || self.next == Some(Next::End) {
            CallEstimate { min: sent, max: sent }
        } else {
            let remaining = remaining.unwrap_or(CallEstimate { min: 0, max: allowed });
            let min = if self.next == Some(Next::Unpredictable) { remaining.min } else { 0 };
            CallEstimate { min: sent + min, max: sent.saturating_add(remaining.max).min(allowed.max(sent + min)) }
        };
        ExplainedSource { source, plan: Ok(plan), requests, calls, rejection }
    }

    /// Returns the maximum number of calls of a full scan; `None` for other walks.
    fn allowed_scan_calls(&mut self) -> Option<u32> {
        let walk = self.walk.as_mut().ok()?;
        walk.plan().sort.map(|_| walk.allowed_calls())
    }
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
