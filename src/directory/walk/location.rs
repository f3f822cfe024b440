//! Location of a walk in a vendor page.

use std::{ops::Range, sync::Arc};

use crate::{
    cache::Entry,
    domain::{
        anchor::{Anchor, Direction, Neighbour},
        cycle::CycleDetector,
        page::RecordPage,
        position::{Located, Position, RowKey},
        progress::{Progress, Shortfall},
    },
};

/// Gap between two rows of a page that was read.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) entry: Arc<Entry>,
    pub(super) anchor: Anchor,
    /// Number of rows in the page before the gap.
    pub(super) index: usize,
    /// Number of rows in the page before the first row of the page at the anchor.
    /// Not zero if another request has fetched the page.
    pub(super) shift: usize,
    pub(super) cycle: CycleDetector,
    /// Progress before the page, if known.
    pub(super) progress: Option<Progress>,
    /// Row beside the gap at the time the page was entered. It identifies the
    /// gap if the page is empty.
    pub(super) adjacent_row: Option<RowKey>,
}

impl Location {
    pub(super) fn page(&self) -> &RecordPage {
        &self.entry.page
    }

    /// Returns the index of the row after the gap, in the walk's direction;
    /// `None` at the edge of the page.
    pub(super) fn next_index(&self, direction: Direction) -> Option<usize> {
        match direction {
            Direction::Forward => (self.index < self.page().len()).then_some(self.index),
            Direction::Backward => self.index.checked_sub(1),
        }
    }

    /// Moves past at most `limit` rows, up to the edge of the page. Returns the indexes of
    /// the rows.
    pub(super) fn advance(&mut self, direction: Direction, limit: usize) -> Range<usize> {
        let start = self.index;
        self.index = match direction {
            Direction::Forward => start.saturating_add(limit).min(self.page().len()),
            Direction::Backward => start.saturating_sub(limit),
        };
        start.min(self.index)..start.max(self.index)
    }

    /// Returns the gap as a position in this page.
    pub(super) fn position(&self, facing: Direction) -> Position {
        let within = Position::within(self.page(), &self.anchor, self.index, facing);
        Position {
            adjacent_row: within.adjacent_row.or_else(|| self.adjacent_row.clone()),
            cycle: self.cycle,
            progress: self.progress.map(|progress| progress.with(self.shift)),
            offset: within.offset.saturating_sub(u16::try_from(self.shift).unwrap_or(u16::MAX)),
            ..within
        }
    }

    /// Returns the progress after the page, if known.
    pub(super) fn progress_after(&self) -> Option<Progress> {
        self.progress.map(|progress| progress.after(self.page().info()))
    }

    /// Returns the shortfall if the list ends at this gap before the vendor's row
    /// count.
    pub(super) fn shortfall(&self) -> Option<Shortfall> {
        let is_end = self.index == self.page().len() && self.page().info().next == Neighbour::End;
        self.progress_after().filter(|_| is_end)?.shortfall()
    }

    /// Returns true if the gap lies beyond the far edge of the page, because
    /// inserted rows displaced it. Applies only to a gap located by order.
    pub(super) fn is_outside(&self, located: Located) -> bool {
        let Located::ByOrder(index) = located else { return false };
        let info = self.page().info();
        match self.anchor {
            Anchor::Start | Anchor::After(_) | Anchor::Token(_) => {
                index == self.page().len() && info.next != Neighbour::End
            }
            Anchor::Before(_) => index == 0 && info.prev != Neighbour::End,
            // The walk continues from the instant page by page.
            Anchor::From(..) => false,
        }
    }
}
