//! List over several sources: sequential, or merged by (`created_at`, `id`).

use std::cmp::Ordering;

use futures_util::future::join_all;

use crate::domain::{anchor::Direction, position::SourcePosition, query::Order};

use super::{
    Deadline, DirectoryError, Freshness, PlannedSource, Segment, SourceReport,
    page_builder::PageBuilder,
    source_walk::{SourceWalk, WalkOptions},
    trail::Trail,
    walk::Next,
};

/// List over several sources.
pub(super) struct Listing {
    pub(super) walks: Vec<SourceWalk>,
    direction: Direction,
    /// Order of a merge; `None` for a sequential list.
    merge_order: Option<Order>,
}

/// Positions around the rows of a page, in list order.
pub(super) struct PageBounds {
    /// Position of each source before the first row.
    pub(super) before: Vec<SourcePosition>,
    /// Position of each source after the last row.
    pub(super) after: Vec<SourcePosition>,
}

impl Listing {
    /// Creates a list over planned sources. Several sources are merged if the
    /// query has an order.
    pub(super) fn new(sources: Vec<PlannedSource>, order: Option<Order>, trail: &Trail, options: &WalkOptions) -> Self {
        let walks: Vec<_> = sources.into_iter().map(|planned| SourceWalk::new(planned, trail, options)).collect();
        let merge_order = order.filter(|_| walks.len() > 1);
        Self { walks, direction: options.direction, merge_order }
    }

    /// Returns true if the sources are merged.
    pub(super) fn is_merged(&self) -> bool {
        self.merge_order.is_some()
    }

    /// Returns at most `limit` rows, in list order.
    pub(super) async fn page(&mut self, limit: usize) -> Result<Vec<Segment>, DirectoryError> {
        let mut page = PageBuilder::new(self.direction, limit);
        self.fill(&mut page).await?;
        Ok(page.finish())
    }

    /// Returns at most `limit` rows, in list order. At the deadline, returns the
    /// rows found so far. Fails if there is no progress: a repeated request must
    /// not find the same page again at once.
    pub(super) async fn page_by(&mut self, deadline: Deadline, limit: usize) -> Result<Vec<Segment>, DirectoryError> {
        let mut page = PageBuilder::new(self.direction, limit);
        let is_in_time = tokio::select! {
            biased;
            filled = self.fill(&mut page) => filled.map(|()| true)?,
            () = deadline.reached() => false,
        };
        let has_progress = page.count() > 0 || self.walks.iter().any(SourceWalk::has_progress);
        if !has_progress {
            let failure = self.walks.iter_mut().find_map(SourceWalk::obstacle);
            let failure = failure.or((!is_in_time).then_some(DirectoryError::DeadlineExceeded));
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        Ok(page.finish())
    }

    /// Fills the page. Rows taken before an error are kept, so the call can be
    /// retried.
    pub(super) async fn fill(&mut self, page: &mut PageBuilder) -> Result<(), DirectoryError> {
        match self.merge_order {
            Some(order) => self.fill_merged(order, page).await,
            None => self.fill_sequentially(page).await,
        }
    }

    /// Returns the positions around the rows taken so far.
    pub(super) fn bounds(&mut self) -> Result<PageBounds, DirectoryError> {
        let (mut start, mut current) = (Vec::new(), Vec::new());
        for walk in &mut self.walks {
            start.push(walk.start_position());
            current.push(walk.current_position()?);
        }
        Ok(match self.direction {
            Direction::Forward => PageBounds { before: start, after: current },
            Direction::Backward => PageBounds { before: current, after: start },
        })
    }

    /// Returns the outcome of each source and clears recorded failures.
    pub(super) fn take_reports(&mut self) -> Vec<SourceReport> {
        self.walks.iter_mut().map(SourceWalk::take_report).collect()
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.walks.iter_mut().filter_map(SourceWalk::take_freshness).reduce(|mut combined, other| {
            combined.merge(other);
            combined
        })
    }

    async fn fill_sequentially(&mut self, page: &mut PageBuilder) -> Result<(), DirectoryError> {
        let count = self.walks.len();
        for index in 0..count {
            let walk = match self.direction {
                Direction::Forward => &mut self.walks[index],
                Direction::Backward => &mut self.walks[count - 1 - index],
            };
            while !page.is_full() {
                walk.find_next().await?;
                match walk.next {
                    Some(Next::Row) => {
                        if let Some(row) = walk.take() {
                            page.push(row);
                        }
                    }
                    Some(Next::BudgetExhausted | Next::Unpredictable) => return Ok(()),
                    Some(Next::End) | None => break,
                }
            }
        }
        Ok(())
    }

    async fn fill_merged(&mut self, order: Order, page: &mut PageBuilder) -> Result<(), DirectoryError> {
        // A full scan requires a fixed number of calls, and a filtered walk may
        // use all that remain. All walks begin before any walk continues.
        // A failure ends the list after the other walks: their pages are cached,
        // and no call is abandoned.
        join_all(self.walks.iter_mut().map(SourceWalk::begin)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let begun = self.walks.iter_mut().filter(|walk| walk.next.is_none());
        join_all(begun.map(SourceWalk::find_next)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        loop {
            // The unknown next row of a walk may be the first in list order.
            if self.walks.iter().any(|walk| matches!(walk.next, Some(Next::BudgetExhausted | Next::Unpredictable))) {
                return Ok(());
            }
            let Some(index) = self.first_in_order(order) else { return Ok(()) };
            let walk = &mut self.walks[index];
            if let Some(row) = walk.take() {
                page.push(row);
            }
            // A full page makes no further call, which might fail.
            if page.is_full() {
                return Ok(());
            }
            walk.find_next().await?;
        }
    }

    /// Returns the index of the walk whose next row comes first.
    fn first_in_order(&self, order: Order) -> Option<usize> {
        let rows = self.walks.iter().enumerate().filter_map(|(index, walk)| Some((index, walk, walk.row()?)));
        let first = rows.min_by(|(_, walk, row), (_, other_walk, other_row)| {
            let key = (row.created_at(), walk.id_prefix(), row.id());
            let other_key = (other_row.created_at(), other_walk.id_prefix(), other_row.id());
            self.in_walk_order(order, key.cmp(&other_key))
        });
        first.map(|(index, ..)| index)
    }

    fn in_walk_order(&self, order: Order, ascending: Ordering) -> Ordering {
        match (order, self.direction) {
            (Order::Asc, Direction::Forward) | (Order::Desc, Direction::Backward) => ascending,
            (Order::Desc, Direction::Forward) | (Order::Asc, Direction::Backward) => ascending.reverse(),
        }
    }
}
