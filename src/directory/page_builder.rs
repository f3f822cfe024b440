//! Builder of a page from rows.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::domain::anchor::Direction;

use super::Segment;

/// Rows of a page, in one part or in a part for each walk.
pub(super) struct PageBuilder {
    direction: Direction,
    limit: usize,
    free: FreeRows,
    /// Parts, in list order.
    parts: Vec<PagePart>,
}

/// Rows of a part of a page, in the order of the walk.
pub(super) struct PagePart {
    direction: Direction,
    free: FreeRows,
    segments: Vec<Segment>,
}

/// Number of rows that a page still takes. Clones share the number.
#[derive(Clone)]
pub(super) struct FreeRows(Arc<AtomicUsize>);

impl PageBuilder {
    /// Creates an empty page of at most `limit` rows.
    pub(super) fn new(direction: Direction, limit: usize) -> Self {
        Self { direction, limit, free: FreeRows(Arc::new(AtomicUsize::new(limit))), parts: Vec::new() }
    }

    /// Returns the maximum number of rows.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the number of rows.
    pub(super) fn count(&self) -> usize {
        self.limit.saturating_sub(self.free.count())
    }

    /// Returns true if the page has `limit` rows.
    pub(super) fn is_full(&self) -> bool {
        self.free.is_zero()
    }

    /// Returns the number of rows that the page still takes.
    pub(super) fn free_count(&self) -> usize {
        self.free.count()
    }

    /// Returns the shared number of rows that the page still takes.
    pub(super) fn free(&self) -> FreeRows {
        self.free.clone()
    }

    /// Appends rows to the first part.
    pub(super) fn push(&mut self, rows: Segment) {
        if let Some(part) = self.parts(1).first_mut() {
            part.push(rows);
        }
    }

    /// Returns at least `count` parts, in list order.
    pub(super) fn parts(&mut self, count: usize) -> &mut [PagePart] {
        while self.parts.len() < count {
            let (direction, free) = (self.direction, self.free());
            self.parts.push(PagePart { direction, free, segments: Vec::new() });
        }
        &mut self.parts
    }

    /// Returns the rows in list order.
    pub(super) fn finish(self) -> Vec<Segment> {
        self.parts.into_iter().flat_map(PagePart::finish).collect()
    }
}

impl PagePart {
    /// Returns true if the page has `limit` rows, in all its parts together.
    pub(super) fn is_full(&self) -> bool {
        self.free.is_zero()
    }

    /// Returns the number of rows that the page still takes, in all its parts together.
    pub(super) fn free_count(&self) -> usize {
        self.free.count()
    }

    /// Appends rows. The page must have room for all of them. Adjacent rows of one vendor
    /// page share a segment.
    pub(super) fn push(&mut self, Segment { page, records }: Segment) {
        self.free.0.fetch_sub(records.len(), Relaxed);
        match self.segments.last_mut().filter(|last| Arc::ptr_eq(&last.page, &page)) {
            Some(last) if self.direction == Direction::Forward && last.records.end == records.start => {
                last.records.end = records.end;
            }
            Some(last) if self.direction == Direction::Backward && last.records.start == records.end => {
                last.records.start = records.start;
            }
            _ => self.segments.push(Segment { page, records }),
        }
    }

    fn finish(mut self) -> Vec<Segment> {
        if self.direction == Direction::Backward {
            self.segments.reverse();
        }
        self.segments
    }
}

impl FreeRows {
    /// Returns the number of rows.
    pub(super) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Returns true if the page is full.
    pub(super) fn is_zero(&self) -> bool {
        self.count() == 0
    }
}
