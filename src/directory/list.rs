//! Lists over several connections.

use std::{iter, sync::Arc};

use crate::{
    domain::{
        anchor::Direction,
        cursor::{Cursor, MAX_PAGE_LENGTH},
        position::SourcePosition,
        priority::Priority,
        query::ListQuery,
    },
    vendors::plan::Plan,
};

use super::{
    Directory, DirectoryError, ListPage, PageRequest, PlannedSource,
    cursors::ListStart,
    listing::{Listing, Strategy},
    planned_source::{ListUse, check_plans},
    skip_policy::SkipPolicy,
    source_walk::WalkOptions,
    walk::{CallBudget, FetchMode, FetchOptions, ScanOptions},
};

impl Directory {
    /// Returns a page of a list over the connections of the request. A page without
    /// rows has the total and no cursors.
    pub async fn list(&self, query: &ListQuery, request: &PageRequest) -> Result<ListPage, DirectoryError> {
        let start = self.cursors.open(query, request).await?;
        let fingerprint = start.fingerprint;
        let mut listing = self.listing(query, request, start, FetchMode::Execute(Priority::Caller))?;
        let segments = listing.page_by(request.deadline, request.limit).await?;
        let bounds = listing.bounds()?;
        let seal = async |direction, sources| {
            // A count has no position.
            if request.limit == 0 {
                return None;
            }
            let cursor = Cursor { query: fingerprint, direction, sources };
            self.cursors.seal(&cursor, &request.caller.name, MAX_PAGE_LENGTH).await
        };
        let next_cursor = seal(Direction::Forward, bounds.after).await;
        let prev_cursor = seal(Direction::Backward, bounds.before).await;
        let has_kept_cursor = [&next_cursor, &prev_cursor].into_iter().flatten().any(|cursor| cursor.is_kept);
        Ok(ListPage {
            segments,
            has_kept_cursor,
            next_cursor: next_cursor.map(|cursor| cursor.text),
            prev_cursor: prev_cursor.map(|cursor| cursor.text),
            sources: listing.take_reports(),
            freshness: listing.take_freshness(),
        })
    }

    /// Returns the maximum number of vendor calls of a request.
    pub(super) fn allowed_calls(&self, request: &PageRequest) -> u32 {
        request.max_calls.map_or(self.limits.max_calls, |calls| calls.min(self.limits.max_calls))
    }

    /// Plans the query at each source and creates the list.
    pub(super) fn listing(
        &self,
        query: &ListQuery,
        request: &PageRequest,
        start: ListStart,
        mode: FetchMode,
    ) -> Result<Listing, DirectoryError> {
        let sources = self.plan(query, request, start.positions)?;
        self.check(&sources, query, request, mode)?;
        Ok(self.planned_listing(sources, query, request, start.direction, mode))
    }

    /// Rejects a query that its sources do not support, or that takes too many
    /// calls.
    pub(super) fn check(
        &self,
        sources: &[PlannedSource],
        query: &ListQuery,
        request: &PageRequest,
        mode: FetchMode,
    ) -> Result<(), DirectoryError> {
        check_plans(sources.iter().map(|planned| (&*planned.source, planned.plan.as_ref().err())), request)?;
        let allowed = self.allowed_calls(request);
        let uses_budget = |plan: &Plan| plan.sort.is_none() || request.max_calls.is_some();
        let calls_vendor = |source: &&PlannedSource| !matches!(source.list, Some(ListUse::Fresh(_)));
        let planned = sources.iter().filter(calls_vendor);
        let planned = planned.filter(|source| source.plan.as_ref().is_ok_and(uses_budget)).count();
        if query.order.is_some() && planned > allowed as usize && !is_export(mode) {
            return Err(DirectoryError::MergeTooExpensive { sources: planned, allowed });
        }
        Ok(())
    }

    /// Creates the list over planned sources.
    pub(super) fn planned_listing(
        &self,
        sources: Vec<PlannedSource>,
        query: &ListQuery,
        request: &PageRequest,
        direction: Direction,
        mode: FetchMode,
    ) -> Listing {
        let calls =
            if is_export(mode) { CallBudget::unlimited() } else { CallBudget::new(self.allowed_calls(request)) };
        let (max_rows, setting) = if is_export(mode) {
            (self.limits.max_export_sorted_rows, "paging.max_export_sorted_rows")
        } else {
            (self.limits.max_sorted_rows, "paging.max_sorted_rows")
        };
        // A maximum of the caller applies to all calls of the request.
        let has_own_budget = request.max_calls.is_none() && !is_export(mode);
        let scan = ScanOptions { views: self.views.clone(), max_rows, setting, has_own_budget };
        let skip_policy = match (mode, request.allows_partial) {
            (FetchMode::DryRun, _) => SkipPolicy::All,
            (_, false) => SkipPolicy::Never,
            (FetchMode::Execute(Priority::Export), true) => SkipPolicy::FailuresExceptRateLimits,
            (FetchMode::Execute(_), true) => SkipPolicy::Failures,
        };
        let (caller, deadline) = (request.caller.clone(), request.deadline);
        let fetch = FetchOptions { calls, scan, directives: request.directives, mode, caller, deadline };
        let options = WalkOptions { direction, skip_policy, fetch };
        let strategy = match query.order {
            Some(order) => Strategy::Merged(order),
            // An export yields to callers, and its time matters less than its order.
            None if query.filter.is_selective() && !is_export(mode) => Strategy::Concurrent,
            None => Strategy::Sequential,
        };
        Listing::new(sources, strategy, &self.trail, &options)
    }

    /// Plans the query at each source. A query with several values that vendors take
    /// one at a time has a plan for each value.
    pub(super) fn plan(
        &self,
        query: &ListQuery,
        request: &PageRequest,
        positions: Vec<SourcePosition>,
    ) -> Result<Vec<PlannedSource>, DirectoryError> {
        let mut positions = positions.into_iter().chain(iter::repeat(SourcePosition::Start));
        let alternatives = query.alternatives();
        let mut planned = Vec::new();
        for name in &request.connections {
            let source = self.source(name)?;
            for query in &alternatives {
                let (plan, position) = (source.plan(query), positions.next().unwrap_or(SourcePosition::Start));
                let is_unsupported = plan.is_err();
                let list = source.stored_list(query, &request.directives);
                planned.push(PlannedSource { source: Arc::clone(source), plan, position, list });
                if is_unsupported {
                    // No value of the parameters is supported.
                    break;
                }
            }
        }
        Ok(planned)
    }
}

fn is_export(mode: FetchMode) -> bool {
    mode == FetchMode::Execute(Priority::Export)
}
