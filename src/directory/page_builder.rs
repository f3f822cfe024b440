//! Builder of a page from rows.

use std::sync::Arc;

use crate::domain::anchor::Direction;

use super::{Segment, walk::Row};

/// Rows of a page, in the order of the walk.
pub(super) struct PageBuilder {
    direction: Direction,
    limit: usize,
    count: usize,
    segments: Vec<Segment>,
}

impl PageBuilder {
    /// Creates an empty page of at most `limit` rows.
    pub(super) fn new(direction: Direction, limit: usize) -> Self {
        Self { direction, limit, count: 0, segments: Vec::new() }
    }

    /// Returns the number of rows.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns true if the page has `limit` rows.
    pub(super) fn is_full(&self) -> bool {
        self.count >= self.limit
    }

    /// Appends a row. Adjacent rows of one vendor page share a segment.
    pub(super) fn push(&mut self, Row { page, index }: Row) {
        self.count += 1;
        match self.segments.last_mut().filter(|last| Arc::ptr_eq(&last.page, &page)) {
            Some(last) if self.direction == Direction::Forward && last.records.end == index => last.records.end += 1,
            Some(last) if self.direction == Direction::Backward && last.records.start == index + 1 => {
                last.records.start -= 1;
            }
            _ => self.segments.push(Segment { page, records: index..index + 1 }),
        }
    }

    /// Returns the rows in list order.
    pub(super) fn finish(mut self) -> Vec<Segment> {
        if self.direction == Direction::Backward {
            self.segments.reverse();
        }
        self.segments
    }
}
