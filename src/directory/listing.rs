//! List over several sources: sequential, concurrent, or merged by (`created_at`,
//! `id`).

use std::{cmp::Ordering, future::poll_fn, pin::pin, sync::Arc, task::Poll};

use futures_util::future::join_all;

use crate::domain::{anchor::Direction, position::SourcePosition, query::Order};

use super::{
    Deadline, DirectoryError, Freshness, PlannedSource, Segment, SourceReport,
    page_builder::PageBuilder,
    source_walk::{SourceWalk, WalkOptions},
    trail::Trail,
    walk::{Next, Row, SharedReservation},
};

/// List over several sources.
pub(super) struct Listing {
    pub(super) walks: Vec<SourceWalk>,
    direction: Direction,
    strategy: Strategy,
}

/// Combination of the sources of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The sources are listed one by one.
    Sequential,
    /// All sources are searched at once until the page is full. The rows of a page
    /// are grouped by source.
    Concurrent,
    /// The rows are merged in this order.
    Merged(Order),
}

/// Positions around the rows of a page, in list order.
pub(super) struct PageBounds {
    /// Position of each source before the first row.
    pub(super) before: Vec<SourcePosition>,
    /// Position of each source after the last row.
    pub(super) after: Vec<SourcePosition>,
}

impl Listing {
    /// Creates a list over planned sources. A list of one source is sequential.
    pub(super) fn new(sources: Vec<PlannedSource>, strategy: Strategy, trail: &Trail, options: &WalkOptions) -> Self {
        let walks: Vec<_> = sources.into_iter().map(|planned| SourceWalk::new(planned, trail, options)).collect();
        let strategy = if walks.len() > 1 { strategy } else { Strategy::Sequential };
        Self { walks, direction: options.direction, strategy }
    }

    /// Returns the combination of the sources.
    pub(super) fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Returns at most `limit` rows, in list order. Without rows, the list is only
    /// counted.
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
        let has_count = limit == 0 && self.walks.iter().any(SourceWalk::has_summary);
        let has_progress = page.count() > 0 || has_count || self.walks.iter().any(SourceWalk::has_progress);
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
        if page.limit() == 0 {
            return self.count().await;
        }
        if page.is_full() {
            return Ok(());
        }
        match self.strategy {
            Strategy::Sequential => self.fill_sequentially(page).await,
            Strategy::Concurrent => self.fill_concurrently(page).await,
            Strategy::Merged(order) => self.fill_merged(order, page).await,
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

    /// Returns the outcome of each source and clears recorded failures. Several walks
    /// of one source have one outcome.
    pub(super) fn take_reports(&mut self) -> Vec<SourceReport> {
        let mut reports: Vec<SourceReport> = Vec::new();
        for report in self.walks.iter_mut().map(SourceWalk::take_report) {
            match reports.last_mut().filter(|last| last.connection == report.connection) {
                Some(last) => last.merge(report),
                None => reports.push(report),
            }
        }
        reports
    }

    /// Returns the freshness of the pages read since the last call.
    pub(super) fn take_freshness(&mut self) -> Option<Freshness> {
        self.walks.iter_mut().filter_map(SourceWalk::take_freshness).reduce(|mut combined, other| {
            combined.merge(other);
            combined
        })
    }

    /// Fetches the first page of each source whose vendor counts exactly the rows of
    /// the query.
    async fn count(&mut self) -> Result<(), DirectoryError> {
        let counting = self.walks.iter_mut().filter_map(|walk| walk.is_counted().then_some(walk));
        join_all(counting.map(SourceWalk::begin)).await.into_iter().collect()
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
                    Some(Next::Row) => match walk.take_rows(page.free_count()) {
                        Some(rows) => page.push(rows),
                        None => break,
                    },
                    Some(Next::BudgetExhausted | Next::Unpredictable) => return Ok(()),
                    Some(Next::End) | None => break,
                }
            }
        }
        Ok(())
    }

    /// Fills the page from all walks at once. A full page ends the walks where they
    /// are, and the failure of a walk that the page does not require.
    async fn fill_concurrently(&mut self, page: &mut PageBuilder) -> Result<(), DirectoryError> {
        let reservations: Vec<_> = self.walks.iter_mut().filter_map(SourceWalk::shared_reservation).collect();
        let free = page.free();
        let filled = {
            let parts = page.parts(self.walks.len()).iter_mut();
            let mut filling = pin!(join_all(self.walks.iter_mut().zip(parts).map(|(walk, part)| walk.fill(part))));
            let filled = poll_fn(|context| match filling.as_mut().poll(context) {
                Poll::Ready(results) => Poll::Ready(results),
                Poll::Pending if free.is_zero() => Poll::Ready(Vec::new()),
                Poll::Pending => Poll::Pending,
            });
            let filled = filled.await;
            // Before the walks are dropped, because a dropped walk counts as a
            // client that has left.
            if free.is_zero() {
                reservations.iter().for_each(SharedReservation::withdraw);
            }
            filled
        };
        if free.is_zero() {
            self.walks.iter_mut().for_each(SourceWalk::stop);
            return Ok(());
        }
        filled.into_iter().collect()
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
            if let Some(row) = self.walks[index].take() {
                self.skip_duplicates(index, &row).await?;
                page.push(row.into());
            }
            // A full page makes no further call, which might fail.
            if page.is_full() {
                return Ok(());
            }
            self.walks[index].find_next().await?;
        }
    }

    /// Moves the other walks of a source past a row. A row whose status changes between
    /// two vendor calls is in the lists of both statuses.
    async fn skip_duplicates(&mut self, index: usize, row: &Row) -> Result<(), DirectoryError> {
        let source = Arc::clone(&self.walks[index].source);
        for (other, walk) in self.walks.iter_mut().enumerate() {
            let is_duplicate = |other: Row| other.id() == row.id();
            if other != index && Arc::ptr_eq(&walk.source, &source) && walk.row().is_some_and(is_duplicate) {
                walk.take();
                walk.find_next().await?;
            }
        }
        Ok(())
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
