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
    listing::Listing,
    planned_source::check_plans,
    skip_policy::SkipPolicy,
    source_walk::WalkOptions,
    walk::{CallBudget, FetchMode, FetchOptions},
};

impl Directory {
    /// Returns a page of a list over the connections of the request.
    pub async fn list(&self, query: &ListQuery, request: &PageRequest) -> Result<ListPage, DirectoryError> {
        let start = self.cursors.open(query, request)?;
        let fingerprint = start.fingerprint;
        let mut listing = self.listing(query, request, start, FetchMode::Execute(Priority::Caller))?;
        let segments = listing.page_by(request.deadline, request.limit).await?;
        let bounds = listing.bounds()?;
        let seal =
            |direction, sources| self.cursors.seal(&Cursor { query: fingerprint, direction, sources }, MAX_PAGE_LENGTH);
        let next_cursor = seal(Direction::Forward, bounds.after);
        let prev_cursor = seal(Direction::Backward, bounds.before);
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
        request.max_calls.map_or(self.max_calls, |calls| calls.min(self.max_calls))
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
        check_plans(sources.iter().map(|planned| (&*planned.source, planned.plan.as_ref().err())), request)?;
        let allowed = self.allowed_calls(request);
        let planned = sources.iter().filter(|source| source.plan.is_ok()).count();
        if query.order.is_some() && planned > allowed as usize {
            return Err(DirectoryError::MergeTooExpensive { sources: planned, allowed });
        }
        let is_export = mode == FetchMode::Execute(Priority::Export);
        let calls = if is_export { CallBudget::unlimited(allowed) } else { CallBudget::new(allowed) };
        let skip_policy = match (request.allows_partial, is_export) {
            (false, _) => SkipPolicy::Never,
            (true, false) => SkipPolicy::Failures,
            (true, true) => SkipPolicy::FailuresExceptRateLimits,
        };
        let (caller, deadline) = (request.caller.clone(), request.deadline);
        let fetch = FetchOptions { calls, directives: request.directives, mode, caller, deadline };
        let options = WalkOptions { direction: start.direction, skip_policy, fetch };
        Ok(Listing::new(sources, query.order, &self.trail, &options))
    }

    fn plan(
        &self,
        query: &ListQuery,
        request: &PageRequest,
        positions: Vec<SourcePosition>,
    ) -> Result<Vec<PlannedSource>, DirectoryError> {
        let positions = positions.into_iter().chain(iter::repeat(SourcePosition::Start));
        let planned = request.connections.iter().zip(positions).map(|(name, position)| {
            let source = Arc::clone(self.source(name)?);
            let plan = Plan::new(source.capabilities(), query);
            Ok(PlannedSource { source, plan, position })
        });
        planned.collect()
    }
}
