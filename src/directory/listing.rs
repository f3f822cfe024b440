//! Several walks as one list: one source after the other, or merged by
//! (`created_at`, `id`) where an order is asked for.

use std::{cmp::Ordering, sync::Arc};

use futures_util::future::try_join_all;

use crate::{
    domain::{
        position::{Direction, Standing},
        question::Order,
    },
    vendors::plan::PlanError,
};

use super::{
    DirectoryError, Freshness, Planned, Segment, Source, SourceError, SourceReport,
    answer::Outcome,
    trail::Trail,
    walk::{Next, Pages, Row, Terms, Walk},
};

/// A list over some sources, on its way.
pub(super) struct Listing {
    lanes: Vec<Lane>,
    direction: Direction,
    /// The order of a merge; `None` for one source after the other.
    merged: Option<Order>,
    /// Whether a source in trouble is left out of a page.
    allows_partial: bool,
}

/// One source's part in a list.
struct Lane {
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
pub(super) struct Course {
    /// Which way.
    pub(super) direction: Direction,
    /// By which order they are merged, if they are.
    pub(super) order: Option<Order>,
    /// Whether a source in trouble is left out of a page.
    pub(super) allows_partial: bool,
    /// How their pages are asked for.
    pub(super) terms: Terms,
}

impl Listing {
    /// A list over some sources, each with its plan and where it stands.
    pub(super) fn new(sources: Vec<Planned>, trail: &Trail, course: Course) -> Self {
        let Course { direction, order, allows_partial, terms } = course;
        let lane = |(source, plan, standing): Planned| Lane {
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
        Self { lanes, direction, merged, allows_partial }
    }

    /// Takes up to `limit` rows, in list order.
    pub(super) async fn page(&mut self, limit: usize) -> Result<Vec<Segment>, DirectoryError> {
        let mut taken = Taken::new(self.direction, limit);
        match self.merged {
            Some(order) => self.merge(order, &mut taken).await?,
            None => self.one_after_the_other(&mut taken).await?,
        }
        Ok(taken.finish())
    }

    /// Where each source stands before and behind the rows taken, in list order.
    pub(super) fn standings(&mut self) -> Result<[Vec<Standing>; 2], DirectoryError> {
        let (mut behind, mut ahead) = (Vec::new(), Vec::new());
        for lane in &mut self.lanes {
            let Ok(walk) = &mut lane.way else {
                behind.push(Standing::End(None));
                ahead.push(Standing::End(None));
                continue;
            };
            behind.push(walk.behind());
            ahead.push(match walk.ahead() {
                // It cannot go on from here, and stays here.
                Err(error) if self.allows_partial && error.is_trouble() => {
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
        self.lanes.iter_mut().map(Lane::report).collect()
    }

    /// How fresh the pages are that were come by.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        let walks = self.lanes.iter_mut().filter_map(|lane| lane.way.as_mut().ok());
        walks.filter_map(Walk::take_freshness).reduce(|mut all, one| {
            all.merge(one);
            all
        })
    }

    async fn one_after_the_other(&mut self, taken: &mut Taken) -> Result<(), DirectoryError> {
        let count = self.lanes.len();
        let mut has_come_by_a_page = false;
        for at in 0..count {
            let lane = match self.direction {
                Direction::Forward => &mut self.lanes[at],
                Direction::Backward => &mut self.lanes[count - 1 - at],
            };
            if has_come_by_a_page && let Ok(walk) = &mut lane.way {
                walk.stay_within_calls();
            }
            while !taken.is_full() {
                lane.look(self.allows_partial).await?;
                match lane.next {
                    Some(Next::Row) => taken.push(lane.take()),
                    Some(Next::Spent) => return Ok(()),
                    Some(Next::End) | None => break,
                }
            }
            has_come_by_a_page |= lane.way.as_ref().is_ok_and(|walk| walk.seen().is_some());
        }
        Ok(())
    }

    async fn merge(&mut self, order: Order, taken: &mut Taken) -> Result<(), DirectoryError> {
        let allows_partial = self.allows_partial;
        // What orders all rows needs its calls, and a search takes what it gets:
        // that goes on when all have begun.
        try_join_all(self.lanes.iter_mut().map(|lane| lane.begin(allows_partial))).await?;
        try_join_all(self.lanes.iter_mut().map(|lane| lane.look(allows_partial))).await?;
        loop {
            // What has not been looked for may come first.
            if self.lanes.iter().any(|lane| lane.next == Some(Next::Spent)) {
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
            lane.look(allows_partial).await?;
        }
    }

    fn in_direction(&self, order: Order, ascending: Ordering) -> Ordering {
        match (order, self.direction) {
            (Order::Asc, Direction::Forward) | (Order::Desc, Direction::Backward) => ascending,
            (Order::Desc, Direction::Forward) | (Order::Asc, Direction::Backward) => ascending.reverse(),
        }
    }
}

impl Lane {
    /// Fetches what it cannot begin without.
    async fn begin(&mut self, allows_partial: bool) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.way else { return Ok(()) };
        let begun = walk.begin().await;
        self.note(begun.map(|()| None), allows_partial)
    }

    /// Finds out what comes next.
    async fn look(&mut self, allows_partial: bool) -> Result<(), DirectoryError> {
        let Ok(walk) = &mut self.way else { return Ok(()) };
        if self.failure.is_some() {
            return Ok(());
        }
        let next = walk.next().await;
        self.note(next.map(Some), allows_partial)
    }

    /// Notes what comes next; in a page that may be partial also trouble, which
    /// leaves the source out.
    fn note(&mut self, next: Result<Option<Next>, DirectoryError>, allows_partial: bool) -> Result<(), DirectoryError> {
        match next {
            Ok(next) => self.next = next,
            Err(error) if allows_partial && error.is_trouble() => {
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

    fn report(&mut self) -> SourceReport {
        let outcome = match (&mut self.way, self.failure.take()) {
            (Err(error), _) => Outcome::Skipped(error.clone()),
            (Ok(_), Some(error)) => Outcome::Failed(error),
            (Ok(walk), None) => match (walk.seen(), self.next == Some(Next::Spent)) {
                (None, false) => Outcome::NotAsked,
                (seen, is_partial) => Outcome::Answered {
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
struct Taken {
    direction: Direction,
    limit: usize,
    count: usize,
    segments: Vec<Segment>,
}

impl Taken {
    fn new(direction: Direction, limit: usize) -> Self {
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

    fn finish(mut self) -> Vec<Segment> {
        if self.direction == Direction::Backward {
            self.segments.reverse();
        }
        self.segments
    }
}

impl DirectoryError {
    /// Whether a source is in trouble that may pass, and not the question.
    fn is_trouble(&self) -> bool {
        use crate::vendors::VendorError;
        match self {
            Self::Circular(_) => true,
            Self::Source(_, error) => {
                !matches!(error, SourceError::Lost | SourceError::Vendor(VendorError::ValueRefused(..)))
            }
            _ => false,
        }
    }
}
