//! Walk of a list through one of its sources.

use std::sync::Arc;

use crate::{
    domain::{anchor::Direction, position::SourcePosition},
    vendors::plan::PlanError,
};

use super::{
    DirectoryError, Freshness, PlannedSource, Segment, Source, SourceOutcome, SourceReport,
    page_builder::PagePart,
    planned_source::ListUse,
    skip_policy::SkipPolicy,
    trail::Trail,
    walk::{FetchOptions, Next, Pages, Row, SharedReservation, Walk},
};

/// Options of all walks of a list.
pub(super) struct WalkOptions {
    pub(super) direction: Direction,
    pub(super) skip_policy: SkipPolicy,
    pub(super) fetch: FetchOptions,
}

/// Walk of a list through one source, with the failure of the source if any.
pub(super) struct SourceWalk {
    pub(super) source: Arc<Source>,
    /// The walk, or the reason why the source does not support the query.
    pub(super) walk: Result<Walk, PlanError>,
    /// The walk that takes over if the other one cannot answer: through the vendor's
    /// pages if a stored list lacks the place of the start, or through a stored list
    /// if the vendor fails.
    alternative: Option<Walk>,
    /// Result of the last search for a row; `None` before the first search.
    pub(super) next: Option<Next>,
    /// True during a search, and after a search that was dropped or failed.
    is_searching: bool,
    /// Prefix of the source's gateway ids.
    id_prefix: String,
    skip_policy: SkipPolicy,
    failure: Option<DirectoryError>,
}

impl SourceWalk {
    /// Creates the walk of a planned source.
    pub(super) fn new(planned: PlannedSource, trail: &Trail, options: &WalkOptions) -> Self {
        let PlannedSource { source, plan, position, list } = planned;
        let mut alternative = None;
        let walk = plan.map(|plan| {
            let plan = Arc::new(plan);
            let pages = || Pages::new(Arc::clone(&source), Arc::clone(&plan), trail.clone(), options.fetch.clone());
            let vendor = Walk::new(pages(), options.direction, position.clone());
            let copied = |list| Walk::copied(pages(), options.direction, position.clone(), list);
            let walk;
            (walk, alternative) = match list {
                None => (vendor, None),
                Some(ListUse::Fresh(list)) => (copied(list), Some(vendor)),
                Some(ListUse::OnError(list)) => (vendor, Some(copied(list))),
            };
            walk
        });
        Self {
            id_prefix: format!("{}.", source.name()),
            source,
            walk,
            alternative,
            next: None,
            is_searching: false,
            skip_policy: options.skip_policy,
            failure: None,
        }
    }

    /// Returns the prefix of the source's gateway ids. It orders rows of equal
    /// `created_at` across sources.
    pub(super) fn id_prefix(&self) -> &str {
        &self.id_prefix
    }

    /// Fetches the pages that the walk requires before its first row.
    pub(super) async fn begin(&mut self) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.walk else { return Ok(()) };
        if self.failure.is_some() {
            return Ok(());
        }
        // An interrupted search leaves the next row unknown.
        (self.next, self.is_searching) = (Some(Next::BudgetExhausted), true);
        enter_start(walk, &mut self.alternative).await?;
        let mut begun = walk.begin().await;
        if let Err(error) = &begun
            && replace_failed(walk, &mut self.alternative, error).await?
        {
            begun = walk.begin().await;
        }
        self.record(begun)
    }

    /// Searches for the next row.
    pub(super) async fn find_next(&mut self) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.walk else { return Ok(()) };
        if self.failure.is_some() {
            return Ok(());
        }
        (self.next, self.is_searching) = (Some(Next::BudgetExhausted), true);
        enter_start(walk, &mut self.alternative).await?;
        let mut next = walk.next().await;
        if let Err(error) = &next
            && replace_failed(walk, &mut self.alternative, error).await?
        {
            next = walk.next().await;
        }
        self.record(next.map(Some))
    }

    /// Takes rows until the page is full or the next row is unknown.
    pub(super) async fn fill(&mut self, part: &mut PagePart) -> Result<(), DirectoryError> {
        while !part.is_full() {
            self.find_next().await?;
            if self.next != Some(Next::Row) {
                break;
            }
            // The search took time. Other walks may have filled the page, and `free_count`
            // is then zero.
            let Some(rows) = self.take_rows(part.free_count()) else { break };
            part.push(rows);
        }
        Ok(())
    }

    /// Ends a search that was dropped or failed, because the page requires no more
    /// rows.
    pub(super) fn stop(&mut self) {
        if std::mem::take(&mut self.is_searching) {
            self.next = None;
        }
    }

    /// Returns the reservation of the walk's calls.
    pub(super) fn shared_reservation(&mut self) -> Option<SharedReservation> {
        Some(self.walk.as_mut().ok()?.shared_reservation())
    }

    /// Returns the row that the last search found.
    pub(super) fn row(&self) -> Option<Row> {
        let walk = self.walk.as_ref().ok()?;
        if self.next == Some(Next::Row) { walk.cursor().row() } else { None }
    }

    /// Returns the row that the last search found and moves past it.
    pub(super) fn take(&mut self) -> Option<Row> {
        let row = self.row();
        if let Ok(walk) = &mut self.walk {
            walk.cursor_mut().advance();
        }
        row
    }

    /// Takes the row that the last search found and the rows after it that require no
    /// search: at most `limit` rows.
    pub(super) fn take_rows(&mut self, limit: usize) -> Option<Segment> {
        let walk = self.walk.as_mut().ok().filter(|_| self.next == Some(Next::Row))?;
        walk.cursor_mut().take_rows(limit)
    }

    /// Returns true if the next request continues at another place, or if the
    /// source has no more rows.
    pub(super) fn has_progress(&self) -> bool {
        let Ok(walk) = &self.walk else { return false };
        let cursor = walk.cursor();
        cursor.has_advanced() || (self.next == Some(Next::End) && cursor.summary().is_some())
    }

    /// Returns true if a vendor page is read.
    pub(super) fn has_summary(&self) -> bool {
        self.walk.as_ref().is_ok_and(|walk| walk.cursor().summary().is_some())
    }

    /// Returns true if one page counts exactly the rows of the query.
    pub(super) fn is_counted(&mut self) -> bool {
        self.walk.as_mut().is_ok_and(|walk| walk.is_copied() || walk.plan().total_is_exact)
    }

    /// Returns the failure that keeps the walk from its next row, if any.
    pub(super) fn obstacle(&mut self) -> Option<DirectoryError> {
        let out_of_time = self.walk.as_mut().ok()?.out_of_time();
        out_of_time.or_else(|| self.failure.clone())
    }

    /// Returns the start of the walk, as a walk in the opposite direction
    /// enters it.
    pub(super) fn start_position(&self) -> SourcePosition {
        match &self.walk {
            Ok(walk) => walk.cursor().start_position(),
            Err(_) => SourcePosition::End(None),
        }
    }

    /// Returns the position of the walk, as the next request enters it.
    pub(super) fn current_position(&mut self) -> Result<SourcePosition, DirectoryError> {
        let Ok(walk) = &mut self.walk else { return Ok(SourcePosition::End(None)) };
        match walk.cursor_mut().current_position() {
            Err(error) if self.skip_policy.skips(&error) => {
                self.failure.get_or_insert(error);
                Ok(walk.cursor().position_in_page())
            }
            position => position,
        }
    }

    /// Returns the outcome of the source and clears a recorded failure.
    pub(super) fn take_report(&mut self) -> SourceReport {
        let outcome = match (&self.walk, self.failure.take()) {
            (Err(error), _) => SourceOutcome::Skipped(error.clone()),
            (Ok(_), Some(error)) => SourceOutcome::Failed(error),
            (Ok(walk), None) => match (walk.cursor().summary(), self.next == Some(Next::BudgetExhausted)) {
                (None, false) => SourceOutcome::NotAsked,
                (summary, is_partial) => SourceOutcome::Answered {
                    origin: walk.origin(),
                    is_partial,
                    total: summary.filter(|summary| summary.shortfall.is_none()).and_then(|summary| summary.total),
                    fetched_at: summary.map(|summary| summary.oldest),
                    unserved: summary.map(|summary| summary.unserved).unwrap_or_default(),
                    shortfall: summary.and_then(|summary| summary.shortfall),
                },
            },
        };
        let (connection, vendor) = (self.source.name().clone(), self.source.vendor());
        SourceReport { connection, vendor, outcome, not_found: None }
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.walk.as_mut().ok()?.take_freshness()
    }

    /// Records the result of a search, or a failure that the skip policy allows.
    fn record(&mut self, next: Result<Option<Next>, DirectoryError>) -> Result<(), DirectoryError> {
        match next {
            Ok(next) => (self.next, self.is_searching) = (next, false),
            Err(error) if self.skip_policy.skips(&error) => {
                (self.next, self.is_searching) = (None, false);
                self.failure = Some(error);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Changes to the vendor's walk if a stored list lacks the place of the start.
async fn enter_start(walk: &mut Walk, alternative: &mut Option<Walk>) -> Result<(), DirectoryError> {
    if !walk.has_start().await?
        && let Some(vendor) = alternative.take()
    {
        *walk = vendor;
    }
    Ok(())
}

/// Changes to the walk through a stored list if the vendor's walk failed before its
/// first row (RFC 5861, section 4). Returns false if there is no such list.
async fn replace_failed(
    walk: &mut Walk,
    alternative: &mut Option<Walk>,
    error: &DirectoryError,
) -> Result<bool, DirectoryError> {
    if walk.is_copied() || walk.cursor().has_advanced() || !error.allows_stale() {
        return Ok(false);
    }
    let Some(mut list) = alternative.take() else { return Ok(false) };
    let has_start = list.has_start().await?;
    if has_start {
        *walk = list;
    }
    Ok(has_start)
}
