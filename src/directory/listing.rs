//! Several walks as one list: one source after the other, or merged by
//! (`created_at`, `id`) where an order is asked for.

use std::{cmp::Ordering, sync::Arc};

use futures_util::future::try_join_all;

use crate::{
    domain::{anchor::Direction, position::SourcePosition, query::Order},
    vendors::plan::PlanError,
};

use super::{
    CallEstimate, DirectoryError, Freshness, Planned, Segment, Source, SourceError, SourceReport,
    answer::SourceOutcome,
    explain::{ExplainedRequest, ExplainedSource},
    trail::Trail,
    walk::{FetchOptions, Next, Pages, Row, Walk},
};

/// A list over some sources, on its way.
pub(super) struct Listing {
    lanes: Vec<SourceWalk>,
    direction: Direction,
    /// The order of a merge; `None` for one source after the other.
    merged: Option<Order>,
    /// With which trouble a source is left out.
    skip_policy: SkipPolicy,
}

/// Whether a source with an error is left out, and the others go on.
pub(super) type SkipPolicy = fn(&DirectoryError) -> bool;

/// One source's part in a list.
struct SourceWalk {
    source: Arc<Source>,
    /// What rows of one instant are ordered by between sources: the beginning
    /// of their ids.
    prefix: String,
    way: Result<Walk, PlanError>,
    /// What comes next, where that has been looked for.
    next: Option<Next>,
    failure: Option<DirectoryError>,
}

/// How a list goes through its sources.
#[derive(Debug, Clone)]
pub(super) struct ListingOptions {
    /// Which way.
    pub(super) direction: Direction,
    /// By which order they are merged, if they are.
    pub(super) order: Option<Order>,
    /// With which trouble a source is left out.
    pub(super) skip_policy: SkipPolicy,
    /// How their pages are asked for.
    pub(super) terms: FetchOptions,
}

impl Listing {
    /// A list over some sources, each with its plan and where it stands.
    pub(super) fn new(sources: Vec<Planned>, trail: &Trail, options: ListingOptions) -> Self {
        let ListingOptions { direction, order, skip_policy, terms } = options;
        let lane = |(source, plan, standing): Planned| SourceWalk {
            prefix: format!("{}.", source.name()),
            way: plan.map(|plan| {
                let pages = Pages::new(Arc::clone(&source), plan, trail.clone(), &terms);
                Walk::new(pages, direction, standing)
            }),
            source,
            next: None,
            failure: None,
        };
        let lanes: Vec<_> = sources.into_iter().map(lane).collect();
        let merged = order.filter(|_| lanes.len() > 1);
        Self { lanes, direction, merged, skip_policy }
    }

    /// Takes up to `limit` rows, in list order.
    pub(super) async fn page(&mut self, limit: usize) -> Result<Vec<Segment>, DirectoryError> {
        let mut taken = SegmentBuilder::new(self.direction, limit);
        self.fill(&mut taken).await?;
        Ok(taken.finish())
    }

    /// Takes rows until there are enough. What was taken before an error counts:
    /// whoever tries again goes on from there.
    pub(super) async fn fill(&mut self, taken: &mut SegmentBuilder) -> Result<(), DirectoryError> {
        match self.merged {
            Some(order) => self.merge(order, taken).await,
            None => self.sequential(taken).await,
        }
    }

    /// Where each source stands before and behind the rows taken, in list order.
    pub(super) fn standings(&mut self) -> Result<[Vec<SourcePosition>; 2], DirectoryError> {
        let (mut behind, mut ahead) = (Vec::new(), Vec::new());
        for lane in &mut self.lanes {
            let Ok(walk) = &mut lane.way else {
                behind.push(SourcePosition::End(None));
                ahead.push(SourcePosition::End(None));
                continue;
            };
            behind.push(walk.behind());
            ahead.push(match walk.ahead() {
                // It cannot go on from here, and stays here.
                Err(error) if (self.skip_policy)(&error) => {
                    lane.failure.get_or_insert(error);
                    walk.here()
                }
                ahead => ahead?,
            });
        }
        Ok(match self.direction {
            Direction::Forward => [behind, ahead],
            Direction::Backward => [ahead, behind],
        })
    }

    /// What each source contributed.
    pub(super) fn reports(&mut self) -> Vec<SourceReport> {
        self.lanes.iter_mut().map(SourceWalk::report).collect()
    }

    /// How fresh the pages are that were come by.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        let walks = self.lanes.iter_mut().filter_map(|lane| lane.way.as_mut().ok());
        walks.filter_map(Walk::take_freshness).reduce(|mut all, one| {
            all.merge(one);
            all
        })
    }

    /// Whether the sources are merged.
    pub(super) fn is_merged(&self) -> bool {
        self.merged.is_some()
    }

    /// What a page that was only foreseen would do at each source.
    pub(super) fn explain(&mut self, allowed: u32) -> Vec<ExplainedSource> {
        let is_known = !self.lanes.iter().any(|lane| lane.next == Some(Next::Unpredictable));
        self.lanes.iter_mut().map(|lane| lane.explain(allowed, is_known)).collect()
    }

    async fn sequential(&mut self, taken: &mut SegmentBuilder) -> Result<(), DirectoryError> {
        let count = self.lanes.len();
        for at in 0..count {
            let lane = match self.direction {
                Direction::Forward => &mut self.lanes[at],
                Direction::Backward => &mut self.lanes[count - 1 - at],
            };
            while !taken.is_full() {
                lane.look(self.skip_policy).await?;
                match lane.next {
                    Some(Next::Row) => taken.push(lane.take()),
                    Some(Next::BudgetExhausted | Next::Unpredictable) => return Ok(()),
                    Some(Next::End) | None => break,
                }
            }
        }
        Ok(())
    }

    async fn merge(&mut self, order: Order, taken: &mut SegmentBuilder) -> Result<(), DirectoryError> {
        let skip_policy = self.skip_policy;
        // What orders all rows needs its calls, and a search takes what it gets:
        // that goes on when all have begun.
        try_join_all(self.lanes.iter_mut().map(|lane| lane.begin(skip_policy))).await?;
        let begun = self.lanes.iter_mut().filter(|lane| lane.next.is_none());
        try_join_all(begun.map(|lane| lane.look(skip_policy))).await?;
        loop {
            // What has not been looked for may come first.
            if self.lanes.iter().any(|lane| matches!(lane.next, Some(Next::BudgetExhausted | Next::Unpredictable))) {
                return Ok(());
            }
            let rows = self.lanes.iter().enumerate().filter_map(|(at, lane)| Some((at, &lane.prefix, lane.row()?)));
            let first = rows.min_by(|(_, prefix, row), (_, other_prefix, other_row)| {
                let key = (row.created_at(), *prefix, row.id());
                let other = (other_row.created_at(), *other_prefix, other_row.id());
                self.in_direction(order, key.cmp(&other))
            });
            let Some((at, ..)) = first else { return Ok(()) };
            let lane = &mut self.lanes[at];
            taken.push(lane.take());
            // A page that is full needs no more of a source that may fail.
            if taken.is_full() {
                return Ok(());
            }
            lane.look(skip_policy).await?;
        }
    }

    fn in_direction(&self, order: Order, ascending: Ordering) -> Ordering {
        match (order, self.direction) {
            (Order::Asc, Direction::Forward) | (Order::Desc, Direction::Backward) => ascending,
            (Order::Desc, Direction::Forward) | (Order::Asc, Direction::Backward) => ascending.reverse(),
        }
    }
}

impl SourceWalk {
    /// Fetches what it cannot begin without.
    async fn begin(&mut self, skip_policy: SkipPolicy) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.way else { return Ok(()) };
        if self.failure.is_some() {
            return Ok(());
        }
        let begun = walk.begin().await;
        self.note(begun, skip_policy)
    }

    /// Finds out what comes next.
    async fn look(&mut self, skip_policy: SkipPolicy) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.way else { return Ok(()) };
        if self.failure.is_some() {
            return Ok(());
        }
        let next = walk.next().await;
        self.note(next.map(Some), skip_policy)
    }

    /// Notes what comes next; also trouble with which the source is left out.
    fn note(
        &mut self,
        next: Result<Option<Next>, DirectoryError>,
        skip_policy: SkipPolicy,
    ) -> Result<(), DirectoryError> {
        match next {
            Ok(next) => self.next = next,
            Err(error) if skip_policy(&error) => {
                self.next = None;
                self.failure = Some(error);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn row(&self) -> Option<Row> {
        let walk = self.way.as_ref().ok()?;
        if self.next == Some(Next::Row) { walk.row() } else { None }
    }

    fn take(&mut self) -> Option<Row> {
        let row = self.row();
        if let Ok(walk) = &mut self.way {
            walk.take();
        }
        row
    }

    /// What a page that was only foreseen would do here; whether that
    /// `is_known` of the page as a whole.
    fn explain(&mut self, allowed: u32, is_known: bool) -> ExplainedSource {
        let source = Arc::clone(&self.source);
        let walk = match &mut self.way {
            Ok(walk) => walk,
            Err(error) => {
                let (requests, calls) = (Vec::new(), CallEstimate::default());
                return ExplainedSource { source, plan: Err(error.clone()), requests, calls };
            }
        };
        let plan = walk.pages().plan();
        let remaining_calls = walk.remaining_calls();
        let foreseen = walk.pages().take_predicted();
        let mut requests: Vec<ExplainedRequest> = Vec::new();
        for request in foreseen.iter().map(|call| ExplainedRequest::new(&source, call)) {
            // A page that is come through twice is fetched once.
            if !requests.iter().any(|known| known.url == request.url) {
                requests.push(request);
            }
        }
        let sent = u32::try_from(requests.iter().filter(|request| request.is_sent).count()).unwrap_or(u32::MAX);
        let calls = match self.next {
            _ if is_known => CallEstimate { min: sent, max: sent },
            Some(Next::End) => CallEstimate { min: sent, max: sent },
            next => {
                let more = remaining_calls.unwrap_or(CallEstimate { min: 0, max: allowed });
                let min = if next == Some(Next::Unpredictable) { more.min } else { 0 };
                CallEstimate { min: sent + min, max: (sent + more.max).min(allowed.max(sent + min)) }
            }
        };
        ExplainedSource { source, plan: Ok(plan), requests, calls }
    }

    fn report(&mut self) -> SourceReport {
        let outcome = match (&mut self.way, self.failure.take()) {
            (Err(error), _) => SourceOutcome::Skipped(error.clone()),
            (Ok(_), Some(error)) => SourceOutcome::Failed(error),
            (Ok(walk), None) => match (walk.seen(), self.next == Some(Next::BudgetExhausted)) {
                (None, false) => SourceOutcome::NotAsked,
                (seen, is_partial) => SourceOutcome::Answered {
                    is_partial,
                    total: seen.and_then(|seen| seen.total),
                    fetched_at: seen.map(|seen| seen.oldest),
                },
            },
        };
        SourceReport { connection: self.source.name().clone(), vendor: self.source.vendor(), outcome }
    }
}

/// The rows of a page, in the order they were come by.
pub(super) struct SegmentBuilder {
    direction: Direction,
    limit: usize,
    count: usize,
    segments: Vec<Segment>,
}

impl SegmentBuilder {
    /// None yet, of so many at most.
    pub(super) fn new(direction: Direction, limit: usize) -> Self {
        Self { direction, limit, count: 0, segments: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.count >= self.limit
    }

    fn push(&mut self, row: Option<Row>) {
        let Some(Row { entry, index }) = row else { return };
        self.count += 1;
        match self.segments.last_mut().filter(|last| Arc::ptr_eq(&last.entry, &entry)) {
            Some(last) if self.direction == Direction::Forward && last.records.end == index => last.records.end += 1,
            Some(last) if self.direction == Direction::Backward && last.records.start == index + 1 => {
                last.records.start -= 1;
            }
            _ => self.segments.push(Segment { entry, records: index..index + 1 }),
        }
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The rows in list order.
    pub(super) fn finish(mut self) -> Vec<Segment> {
        if self.direction == Direction::Backward {
            self.segments.reverse();
        }
        self.segments
    }
}

impl DirectoryError {
    /// Whether a source is in trouble that may pass, and not the question.
    pub(super) fn is_transient(&self) -> bool {
        use crate::vendors::{RefusalKind, VendorError};
        match self {
            Self::Circular(_) => true,
            Self::Source(_, error) => !matches!(
                error,
                SourceError::Lost
                    | SourceError::Vendor(VendorError::Refused { kind: RefusalKind::ValueRejected(_), .. })
            ),
            _ => false,
        }
    }
}
